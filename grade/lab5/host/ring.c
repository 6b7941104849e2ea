/* Plays the device on the memory of one virtqueue. Each line of input is a step of the driver or
 * of the device; the driver's results, and what the device finds in the rings, are printed.
 *
 * The device names a chain by its place in the order in which it saw them, so that the workload
 * need not know which descriptors the driver takes. */
#include "chain.h"
#include "virtio/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX     200000
#define SEGMENTS_MAX 600

static struct virtqueue queue;
static uint8_t *memory;
static unsigned size;
static uint16_t seen_index;      /* available entries that the device has looked at */
static uint16_t heads[SEEN_MAX]; /* of the chains that it saw, in this order */
static unsigned seen_count;
static bool owned[VIRTQUEUE_SIZE_MAX]; /* descriptors that the device has */
static struct virtqueue_segment segments[SEGMENTS_MAX];

static uint16_t *available(void)
{
    return (uint16_t *)(memory + 16 * size);
}
static uint16_t *used(void)
{
    return (uint16_t *)(memory + ((18 * size + 9) & ~3u));
}

static struct virtqueue_descriptor descriptor(unsigned i)
{
    struct virtqueue_descriptor d;
    memcpy(&d, memory + 16 * i, sizeof d);
    return d;
}

static void rang(void *context)
{
    (void)context;
}

static void command_init(void)
{
    unsigned start, event;
    if (scanf("%u %u %u", &size, &start, &event) != 3)
        exit(2);
    size_t bytes = (virtqueue_bytes((uint16_t)size) + 15) & ~15ul;
    free(memory);
    memory = aligned_alloc(16, bytes);
    memset(memory, 0, bytes);
    int result = virtqueue_init(&queue, (uint16_t)size, memory, event, rang, NULL);
    queue.available_index = queue.notified_index = queue.used_index = (uint16_t)start;
    seen_index = available()[1] = used()[1] = (uint16_t)start;
    seen_count = 0;
    memset(owned, 0, sizeof owned);
    printf("init %d\n", result);
}

/* The free list in another order. */
static void command_links(void)
{
    unsigned at, next;
    if (scanf("%u", &at) != 1)
        exit(2);
    queue.free_head = (uint16_t)at;
    for (unsigned i = 1; i < size && scanf("%u", &next) == 1; i++, at = next)
        queue.next[at] = (uint16_t)next;
    queue.next[at] = UINT16_MAX;
}

static unsigned read_segments(unsigned *out, unsigned *in)
{
    unsigned given;
    if (scanf("%u %u %u", out, in, &given) != 3 || given > SEGMENTS_MAX)
        exit(2);
    for (unsigned i = 0; i < given; i++)
        if (scanf("%lx %x", &segments[i].physical, &segments[i].length) != 2)
            exit(2);
    return given;
}

/* Only the descriptors; what was not to be written keeps its pattern. */
static void command_chain(void)
{
    unsigned out, in, count = read_segments(&out, &in);
    memset(memory, 0xee, 16 * size);
    unsigned last = virtqueue_write_chain(&queue, segments, out, count);
    unsigned at = queue.free_head, untouched = 0;
    printf("chain");
    for (unsigned i = 0; i < count; i++, at = queue.next[at]) {
        struct virtqueue_descriptor d = descriptor(at);
        printf(" %lx:%x:%u", (unsigned long)d.address, d.length, d.flags);
        if (i + 1 < count)
            printf(":%s", d.next == queue.next[at] ? "linked" : "lost");
        else
            printf(":%s", last == at ? "last" : "not-returned");
    }
    for (unsigned i = 0; i < size; i++)
        untouched += descriptor(i).address == 0xeeeeeeeeeeeeeeeeul;
    printf(" untouched %u\n", untouched);
}

static void command_add(void)
{
    unsigned long cookie;
    unsigned out, in;
    if (scanf("%lx", &cookie) != 1)
        exit(2);
    read_segments(&out, &in);
    int result = virtqueue_add(&queue, segments, out, in, (void *)cookie);
    printf("add %d free %u\n", result, virtqueue_free(&queue));
}

/* Looks at one chain as a device does. */
static void see_chain(uint16_t head)
{
    unsigned at = head;
    for (unsigned count = 0; count <= size; count++) {
        if (at >= size) {
            printf(" no-such-descriptor:%u", at);
            return;
        }
        struct virtqueue_descriptor d = descriptor(at);
        printf(" %lx:%x:%u%s", (unsigned long)d.address, d.length, d.flags,
               owned[at] ? ":twice" : "");
        owned[at] = true;
        if (!(d.flags & VIRTQUEUE_NEXT))
            return;
        at = d.next;
    }
    printf(" endless");
}

static void command_see(void)
{
    printf("see %u", (uint16_t)(available()[1] - seen_index));
    while (seen_index != available()[1] && seen_count < SEEN_MAX) {
        uint16_t head = available()[2 + (seen_index++ & (size - 1))];
        heads[seen_count++] = head;
        printf(" |");
        see_chain(head);
    }
    printf("\n");
}

static void give(uint32_t id, uint32_t length)
{
    uint32_t entry[2] = {id, length};
    memcpy((uint8_t *)used() + 4 + 8 * (used()[1] & (size - 1)), entry, sizeof entry);
    used()[1]++;
}

static void disown(unsigned at)
{
    for (unsigned count = 0; at < size && count < size; at = descriptor(at).next, count++) {
        owned[at] = false;
        if (!(descriptor(at).flags & VIRTQUEUE_NEXT))
            break;
    }
}

/* The n-th chain seen is done: as it should be, or with an id that is that much beside it. */
static void command_done(void)
{
    unsigned n, beside, length;
    if (scanf("%u %x %x", &n, &beside, &length) != 3 || n >= SEEN_MAX)
        exit(2);
    unsigned head = n < seen_count ? heads[n] : 0;
    give(head + beside, length);
    disown(head);
}

/* The second descriptor of the n-th chain, where no chain begins. */
static void command_middle(void)
{
    unsigned n;
    if (scanf("%u", &n) != 1 || n >= seen_count)
        exit(2);
    give(descriptor(heads[n]).next, 0);
}

static void command_raw(void)
{
    uint32_t id, length;
    if (scanf("%x %x", &id, &length) != 2)
        exit(2);
    give(id, length);
}

static void command_jump(void)
{
    unsigned count;
    if (scanf("%u", &count) != 1)
        exit(2);
    used()[1] = (uint16_t)(used()[1] + count);
}

static void command_take(void)
{
    void *cookie = NULL;
    uint32_t length = 0;
    int result = virtqueue_take(&queue, &cookie, &length);
    printf("take %d", result);
    if (result == 1)
        printf(" %lx %x", (unsigned long)cookie, length);
    printf(" free %u\n", virtqueue_free(&queue));
}

/* All chains come back without the device having done them. */
static void command_reclaim(void)
{
    unsigned count = 0;
    while (virtqueue_abandon(&queue))
        count++;
    queue.broken = false;
    memset(owned, 0, sizeof owned);
    printf("reclaim %u free %u\n", count, virtqueue_free(&queue));
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } commands[] = {
        {"init", command_init},     {"links", command_links},    {"chain", command_chain},
        {"add", command_add},       {"see", command_see},        {"done", command_done},
        {"middle", command_middle}, {"raw", command_raw},        {"jump", command_jump},
        {"take", command_take},     {"reclaim", command_reclaim}};
    char word[16];
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    while (scanf("%15s", word) == 1) {
        unsigned i = 0;
        while (i < sizeof commands / sizeof commands[0] && strcmp(commands[i].name, word) != 0)
            i++;
        if (i == sizeof commands / sizeof commands[0])
            return 2;
        commands[i].run();
    }
    printf("end\n");
    return 0;
}
