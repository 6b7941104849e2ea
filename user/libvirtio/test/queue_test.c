/* Host test of the split virtqueues: the test plays the device on the same memory, first a correct
 * one (wrap, full queue, chains, any order of completion, event index), then broken ones. */
#include "virtio/queue.h"

#include "abi/errno.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

/* The device: reads the rings by the layout of VIRTIO 1.2, 2.7, with code of its own. */
struct device {
    uint8_t *memory;
    uint16_t size;
    uint16_t seen; /* available entries consumed */
    unsigned notified;
};

static uint16_t *device_available(struct device *d)
{
    return (uint16_t *)(d->memory + 16 * d->size);
}

static uint8_t *device_used(struct device *d)
{
    return d->memory + ((16 * d->size + 6 + 2 * d->size + 3) & ~3);
}

static uint16_t *used_index(struct device *d)
{
    return (uint16_t *)(device_used(d) + 2);
}

static uint16_t *avail_event(struct device *d)
{
    return (uint16_t *)(device_used(d) + 4 + 8 * d->size);
}

static uint16_t *used_event(struct device *d)
{
    return device_available(d) + 2 + d->size;
}

/* The next chain that the driver offered, -1 = none. */
static int device_next(struct device *d)
{
    uint16_t *available = device_available(d);
    if (available[1] == d->seen)
        return -1;
    return available[2 + d->seen++ % d->size];
}

static void device_finish(struct device *d, uint32_t id, uint32_t length)
{
    uint32_t *entry = (uint32_t *)(device_used(d) + 4 + 8 * (*used_index(d) % d->size));
    entry[0] = id;
    entry[1] = length;
    (*used_index(d))++;
}

static struct virtqueue_descriptor device_descriptor(struct device *d, unsigned i)
{
    struct virtqueue_descriptor descriptor;
    memcpy(&descriptor, d->memory + 16 * i, sizeof descriptor);
    return descriptor;
}

static void on_notify(void *context)
{
    ((struct device *)context)->notified++;
}

/* Memory of exactly the size that the queue asks for, so that ASan sees one byte too many. */
static void setup(struct device *d, struct virtqueue *q, uint16_t size, bool event_index)
{
    memset(d, 0, sizeof *d);
    d->size = size;
    d->memory = aligned_alloc(16, (virtqueue_bytes(size) + 15) & ~15ul);
    memset(d->memory, 0, virtqueue_bytes(size));
    CHECK(virtqueue_init(q, size, d->memory, event_index, on_notify, d) == 0);
}

/* Devices that act just when the driver has written its word and not yet read the device's: one
 * finishes what it has, one asks to hear of what it will get. */
static void finish_on_read(void *context)
{
    struct device *d = context;
    int head = device_next(d);
    if (head >= 0)
        device_finish(d, (uint32_t)head, 0);
}

static void ask_on_read(void *context)
{
    struct device *d = context;
    *avail_event(d) = d->seen;
}

static void *cookie(uintptr_t n)
{
    return (void *)(n + 1);
}

static int add_one(struct virtqueue *q, uintptr_t n)
{
    struct virtqueue_segment s = {.physical = 0x1000 * n, .length = 16};
    return virtqueue_add(q, &s, 0, 1, cookie(n));
}

static void test_init(void)
{
    struct virtqueue q;
    static uint8_t memory[65536] __attribute__((aligned(16)));
    CHECK(virtqueue_init(&q, 0, memory, false, on_notify, NULL) == -EINVAL);
    CHECK(virtqueue_init(&q, 3, memory, false, on_notify, NULL) == -EINVAL);
    CHECK(virtqueue_init(&q, 512, memory, false, on_notify, NULL) == -EINVAL);
    CHECK(virtqueue_init(&q, 1, memory, false, on_notify, NULL) == 0);
    CHECK(virtqueue_available_offset(8) == 128);
    CHECK(virtqueue_used_offset(8) == 128 + 24);
    CHECK(virtqueue_used_offset(4) == 64 + 16); /* 14 bytes, aligned to 4 */
    CHECK(virtqueue_bytes(8) == 152 + 6 + 64);
}

static void test_arguments(void)
{
    struct device d;
    struct virtqueue q;
    struct virtqueue_segment s[9] = {[0 ... 8] = {.physical = 1, .length = 1}};
    setup(&d, &q, 8, false);
    CHECK(virtqueue_add(&q, s, 0, 0, cookie(0)) == -EINVAL);
    CHECK(virtqueue_add(&q, s, 5, 4, cookie(0)) == -EINVAL);
    CHECK(virtqueue_add(&q, s, 0xffffffff, 2, cookie(0)) == -EINVAL);
    CHECK(virtqueue_add(&q, s, 1, 1, NULL) == -EINVAL);
    s[1].length = 0;
    CHECK(virtqueue_add(&q, s, 1, 1, cookie(0)) == -EINVAL);
    s[0].length = s[1].length = 0xffffffff;
    CHECK(virtqueue_add(&q, s, 0, 2, cookie(0)) == -EINVAL);
    CHECK(virtqueue_free(&q) == 8);
    CHECK(device_next(&d) == -1);
    free(d.memory);
}

static void test_chain(void)
{
    struct device d;
    struct virtqueue q;
    struct virtqueue_segment s[4] = {{0x1000, 16}, {0x2000, 512}, {0x3000, 4096}, {0x123456789, 1}};
    setup(&d, &q, 8, false);
    CHECK(virtqueue_add(&q, s, 2, 2, cookie(7)) == 0);
    CHECK(virtqueue_free(&q) == 4);
    int id = device_next(&d);
    CHECK(id >= 0 && id < 8);
    unsigned at = (unsigned)id;
    for (unsigned i = 0; i < 4; i++) {
        struct virtqueue_descriptor seen = device_descriptor(&d, at);
        CHECK(seen.address == s[i].physical && seen.length == s[i].length);
        CHECK(seen.flags == ((i < 3 ? VIRTQUEUE_NEXT : 0) | (i >= 2 ? VIRTQUEUE_WRITE : 0)));
        at = seen.next;
    }
    CHECK(device_next(&d) == -1);

    void *got = NULL;
    uint32_t length = 0;
    CHECK(virtqueue_take(&q, &got, &length) == 0);
    device_finish(&d, (uint32_t)id, 513);
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    CHECK(got == cookie(7) && length == 513);
    CHECK(virtqueue_take(&q, &got, &length) == 0);
    CHECK(virtqueue_free(&q) == 8);
    free(d.memory);
}

static void test_full(void)
{
    struct device d;
    struct virtqueue q;
    setup(&d, &q, 4, false);
    for (uintptr_t i = 0; i < 4; i++)
        CHECK(add_one(&q, i) == 0);
    CHECK(add_one(&q, 4) == -ENOSPC);
    CHECK(virtqueue_free(&q) == 0);
    int id = device_next(&d);
    device_finish(&d, (uint32_t)id, 0);
    void *got;
    uint32_t length;
    CHECK(virtqueue_take(&q, &got, &length) == 1 && got == cookie(0));
    CHECK(virtqueue_free(&q) == 1);
    struct virtqueue_segment two[2] = {{1, 1}, {2, 2}};
    CHECK(virtqueue_add(&q, two, 1, 1, cookie(9)) == -ENOSPC);
    CHECK(virtqueue_free(&q) == 1);
    CHECK(add_one(&q, 5) == 0);
    free(d.memory);
}

/* Chains of random length finished in random order, over three wraps of the 16-bit indices. Each
 * cookie must come back exactly once and every descriptor must be free in the end. */
static void test_random_order(bool event_index)
{
    enum { SIZE = 16, ROUNDS = 200000 };
    struct device d;
    struct virtqueue q;
    setup(&d, &q, SIZE, event_index);
    int pending[SIZE];
    uint8_t alive[SIZE] = {0}; /* by cookie */
    unsigned pending_count = 0, in_flight = 0, finished = 0;
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned out = (unsigned)rand() % 3, in = 1 + (unsigned)rand() % 2;
        struct virtqueue_segment s[4] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}};
        uintptr_t name = 0;
        while (name < SIZE && alive[name])
            name++;
        if (name < SIZE) {
            bool fits = virtqueue_free(&q) >= out + in;
            int error = virtqueue_add(&q, s, out, in, cookie(name));
            CHECK(error == (fits ? 0 : -ENOSPC));
            if (!error) {
                alive[name] = 1;
                in_flight++;
            }
        }
        for (int id; (id = device_next(&d)) >= 0;)
            pending[pending_count++] = id;
        for (unsigned n = (unsigned)rand() % 4; n > 0 && pending_count > 0; n--) {
            unsigned pick = (unsigned)rand() % pending_count;
            device_finish(&d, (uint32_t)pending[pick], 1);
            pending[pick] = pending[--pending_count];
        }
        void *got;
        uint32_t length;
        while (virtqueue_take(&q, &got, &length) == 1) {
            uintptr_t back = (uintptr_t)got - 1;
            CHECK(back < SIZE && alive[back]);
            alive[back] = 0;
            in_flight--;
            finished++;
        }
        CHECK(!q.broken);
    }
    while (pending_count)
        device_finish(&d, (uint32_t)pending[--pending_count], 1);
    void *got;
    uint32_t length;
    while (virtqueue_take(&q, &got, &length) == 1)
        in_flight--;
    CHECK(in_flight == 0 && virtqueue_free(&q) == SIZE);
    CHECK(finished > 65536);
    free(d.memory);
}

static void test_notify_flag(void)
{
    struct device d;
    struct virtqueue q;
    setup(&d, &q, 8, false);
    virtqueue_kick(&q);
    CHECK(d.notified == 0); /* nothing new */
    add_one(&q, 0);
    add_one(&q, 1);
    CHECK(d.notified == 0);
    virtqueue_kick(&q);
    virtqueue_kick(&q);
    CHECK(d.notified == 1);
    *(uint16_t *)device_used(&d) = 1; /* NO_NOTIFY */
    add_one(&q, 2);
    virtqueue_kick(&q);
    CHECK(d.notified == 1);

    CHECK(!virtqueue_interrupts_on(&q));
    CHECK(device_available(&d)[0] == 0);
    virtqueue_interrupts_off(&q);
    CHECK(device_available(&d)[0] == 1);
    device_finish(&d, (uint32_t)device_next(&d), 0);
    CHECK(virtqueue_interrupts_on(&q)); /* one finished meanwhile */
    CHECK(device_available(&d)[0] == 0);
    free(d.memory);
}

/* The device's own rule, VIRTIO 1.2, 2.7.10. */
static bool vring_need_event(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

static void test_event_index(void)
{
    struct device d;
    struct virtqueue q;
    void *got;
    uint32_t length;
    setup(&d, &q, 8, true);
    unsigned expected = 0;
    for (unsigned round = 0; round < 70000; round++) { /* past the wrap */
        uint16_t old = d.seen;
        *avail_event(&d) = (uint16_t)(old + round % 3); /* wants to hear of the 1st, 2nd, 3rd */
        add_one(&q, 0);
        add_one(&q, 1);
        virtqueue_kick(&q);
        expected += round % 3 < 2;
        CHECK(d.notified == expected);
        for (unsigned i = 0; i < 2; i++) {
            uint16_t before = *used_index(&d);
            device_finish(&d, (uint32_t)device_next(&d), 0);
            /* The driver has seen everything before: it wants an interrupt for the first. */
            if (i == 0)
                CHECK(vring_need_event(*used_event(&d), *used_index(&d), before));
            else
                CHECK(!vring_need_event(*used_event(&d), *used_index(&d), before));
        }
        while (virtqueue_take(&q, &got, &length) == 1)
            ;
    }
    virtqueue_interrupts_off(&q);
    add_one(&q, 0);
    uint16_t before = *used_index(&d);
    device_finish(&d, (uint32_t)device_next(&d), 0);
    CHECK(!vring_need_event(*used_event(&d), *used_index(&d), before));
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    CHECK(virtqueue_take(&q, &got, &length) == 0);
    before = *used_index(&d);
    add_one(&q, 0);
    device_finish(&d, (uint32_t)device_next(&d), 0);
    CHECK(!vring_need_event(*used_event(&d), *used_index(&d), before));
    CHECK(virtqueue_interrupts_on(&q));
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    CHECK(!virtqueue_interrupts_on(&q));
    free(d.memory);
}

/* A device that breaks a rule makes the queue broken, and nothing more. */
static void expect_broken(struct device *d, struct virtqueue *q)
{
    void *got = NULL;
    uint32_t length;
    unsigned before = virtqueue_free(q);
    CHECK(virtqueue_take(q, &got, &length) == -EIO);
    CHECK(got == NULL);
    CHECK(virtqueue_take(q, &got, &length) == -EIO);
    CHECK(virtqueue_free(q) == before);
    CHECK(add_one(q, 3) == -EIO);
    unsigned notified = d->notified;
    virtqueue_kick(q);
    CHECK(d->notified == notified);
    free(d->memory);
}

static void test_device_between_write_and_read(void)
{
    struct device d;
    struct virtqueue q;
    void *got;
    uint32_t length;
    setup(&d, &q, 8, true);
    q.read_register = finish_on_read;
    add_one(&q, 0); /* not kicked: the device finds it by itself */
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    virtqueue_interrupts_off(&q);
    add_one(&q, 1);
    CHECK(virtqueue_interrupts_on(&q));
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    CHECK(virtqueue_take(&q, &got, &length) == 0);
    q.read_register = NULL;
    virtqueue_kick(&q);
    const unsigned before = d.notified;
    *avail_event(&d) = (uint16_t)(d.seen + 100); /* far away */
    q.read_register = ask_on_read;
    add_one(&q, 2);
    virtqueue_kick(&q);
    CHECK(d.notified == before + 1);
    free(d.memory);
}

static void test_bad_device(void)
{
    static const uint32_t bad_ids[] = {8, 9, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 5};
    struct device d;
    struct virtqueue q;
    void *got;
    uint32_t length;
    for (unsigned i = 0; i < sizeof bad_ids / sizeof bad_ids[0]; i++) {
        setup(&d, &q, 8, false);
        add_one(&q, 0);
        device_finish(&d, bad_ids[i], 0); /* outside, or no chain there (5) */
        expect_broken(&d, &q);
    }

    setup(&d, &q, 8, false); /* the middle of a chain */
    struct virtqueue_segment two[2] = {{1, 1}, {2, 2}};
    virtqueue_add(&q, two, 1, 1, cookie(0));
    device_finish(&d, device_descriptor(&d, (unsigned)device_next(&d)).next, 0);
    expect_broken(&d, &q);

    setup(&d, &q, 8, false); /* the same one twice */
    add_one(&q, 0);
    add_one(&q, 1);
    int id = device_next(&d);
    device_finish(&d, (uint32_t)id, 0);
    device_finish(&d, (uint32_t)id, 0);
    CHECK(virtqueue_take(&q, &got, &length) == 1);
    expect_broken(&d, &q);

    setup(&d, &q, 8, false); /* more than there are */
    add_one(&q, 0);
    *used_index(&d) = 2;
    expect_broken(&d, &q);

    setup(&d, &q, 8, false); /* backwards */
    *used_index(&d) = 0xffff;
    expect_broken(&d, &q);

    setup(&d, &q, 8, false); /* a length that is longer than the buffer */
    add_one(&q, 0);
    device_finish(&d, (uint32_t)device_next(&d), 0xffffffff);
    CHECK(virtqueue_take(&q, &got, &length) == 1 && length == 16);
    free(d.memory);
}

static void test_scribble(void)
{
    struct device d;
    struct virtqueue q;
    void *got;
    uint32_t length;
    setup(&d, &q, 8, false);
    struct virtqueue_segment three[3] = {{1, 1}, {2, 2}, {3, 3}};
    virtqueue_add(&q, three, 1, 2, cookie(0));
    int id = device_next(&d);
    memset(d.memory, 0xff, 16 * 8); /* the descriptors */
    memset(device_available(&d), 0xff, 6 + 2 * 8);
    device_finish(&d, (uint32_t)id, 0);
    CHECK(virtqueue_take(&q, &got, &length) == 1 && got == cookie(0));
    CHECK(virtqueue_free(&q) == 8);
    for (uintptr_t i = 0; i < 8; i++)
        CHECK(add_one(&q, i) == 0);
    CHECK(add_one(&q, 8) == -ENOSPC);
    free(d.memory);
}

static void test_abandon(void)
{
    struct device d;
    struct virtqueue q;
    setup(&d, &q, 8, false);
    struct virtqueue_segment three[3] = {{1, 1}, {2, 2}, {3, 3}};
    virtqueue_add(&q, three, 1, 2, cookie(0));
    virtqueue_add(&q, three, 3, 0, cookie(1));
    unsigned seen = 0;
    for (void *got; (got = virtqueue_abandon(&q)) != NULL;)
        seen |= 1u << ((uintptr_t)got - 1);
    CHECK(seen == 3);
    CHECK(virtqueue_free(&q) == 8 && q.in_flight == 0);
    CHECK(add_one(&q, 0) == -EIO); /* until it is initialized again */
    free(d.memory);
}

int main(void)
{
    test_init();
    test_arguments();
    test_chain();
    test_full();
    test_random_order(false);
    test_random_order(true);
    test_notify_flag();
    test_event_index();
    test_device_between_write_and_read();
    test_bad_device();
    test_scribble();
    test_abandon();
    return check_summary();
}
