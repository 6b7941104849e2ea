/* Prints in which order virtqueue_add and virtqueue_take touch what they share with the device:
 * `add OUT IN SIZE START` and `take OUT IN SIZE START`, each on a fresh queue. */
#include "trace.h"
#include "virtio/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct virtqueue queue;
static uint8_t *memory;
static unsigned size;

static size_t used_at(void)
{
    return (18 * size + 9) & ~3u;
}

static void tell_byte(size_t at, bool write, const char **last)
{
    static char name[48];
    size_t available = 16 * size, used = used_at();
    if (at < available)
        snprintf(name, sizeof name, "%s-descriptor", write ? "write" : "read");
    else if (at < used)
        snprintf(name, sizeof name, "%s-available-%s", write ? "write" : "read",
                 at < available + 2              ? "flags"
                 : at < available + 4            ? "index"
                 : at < available + 4 + 2 * size ? "entry"
                                                 : "event");
    else
        snprintf(name, sizeof name, "%s-used-%s", write ? "write" : "read",
                 at < used + 2               ? "flags"
                 : at < used + 4             ? "index"
                 : at >= used + 4 + 8 * size ? "event"
                 : (at - used - 4) % 8 < 4   ? "id"
                                             : "length");
    if (*last && strcmp(*last, name) == 0)
        return;
    static char kept[48];
    strcpy(kept, name);
    *last = kept;
    printf(" %s", name);
}

static void seen(const void *address, size_t bytes, bool write)
{
    const char *last = NULL;
    if (!address)
        printf(" fence");
    for (size_t i = 0; i < bytes; i++)
        tell_byte((size_t)((const uint8_t *)address - memory) + i, write, &last);
}

static void rang(void *context)
{
    (void)context;
}

static void start(unsigned start_index, unsigned event)
{
    size_t bytes = (virtqueue_bytes((uint16_t)size) + 15) & ~15ul;
    free(memory);
    memory = aligned_alloc(16, bytes);
    memset(memory, 0, bytes);
    virtqueue_init(&queue, (uint16_t)size, memory, event, rang, NULL);
    queue.available_index = queue.notified_index = queue.used_index = (uint16_t)start_index;
    ((uint16_t *)(memory + 16 * size))[1] = (uint16_t)start_index;
    ((uint16_t *)(memory + used_at()))[1] = (uint16_t)start_index;
}

int main(void)
{
    char word[16];
    unsigned out, in, index, event;
    while (scanf("%15s %u %u %u %u %u", word, &out, &in, &size, &index, &event) == 6) {
        static struct virtqueue_segment segments[VIRTQUEUE_SIZE_MAX];
        bool take = strcmp(word, "take") == 0;
        for (unsigned i = 0; i < out + in; i++)
            segments[i] = (struct virtqueue_segment){0x80000000ul + 0x1000 * i, 64};
        start(index, event);
        printf("%s", word);
        if (!take)
            trace_start(memory, virtqueue_bytes((uint16_t)size), seen);
        int result = virtqueue_add(&queue, segments, out, in, &queue);
        trace_stop();
        if (take && result == 0) {
            uint16_t *available = (uint16_t *)(memory + 16 * size);
            uint16_t *used = (uint16_t *)(memory + used_at());
            uint32_t entry[2] = {available[2 + (index & (size - 1))], 17};
            memcpy((uint8_t *)used + 4 + 8 * (used[1] & (size - 1)), entry, sizeof entry);
            used[1]++;
            void *cookie;
            uint32_t length;
            trace_start(memory, virtqueue_bytes((uint16_t)size), seen);
            result = virtqueue_take(&queue, &cookie, &length) == 1 ? 0 : -1;
            trace_stop();
        }
        printf(" = %d\n", result);
    }
    return 0;
}
