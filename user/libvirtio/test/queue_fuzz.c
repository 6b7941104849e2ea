/* Fuzz target: a device that writes what it likes into the queue's memory between the driver's
 * steps. The driver's own state must stay whole: each cookie comes back at most once per add. */
#include "virtio/queue.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context)
{
    (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { QUEUE = 8 };
    struct virtqueue queue;
    bool alive[QUEUE] = {false};
    if (size < 1)
        return 0;
    size_t bytes = virtqueue_bytes(QUEUE);
    uint8_t *memory = aligned_alloc(16, (bytes + 15) & ~15ul);
    memset(memory, 0, bytes);
    virtqueue_init(&queue, QUEUE, memory, data[0] & 1, ignore, NULL);
    for (size_t i = 1; i + 3 < size; i += 4) {
        const uint8_t *step = data + i;
        struct virtqueue_segment s[4] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}};
        void *cookie;
        uint32_t length;
        switch (step[0] % 4) {
        case 0: {
            unsigned name = step[1] % QUEUE;
            if (!alive[name] && !virtqueue_add(&queue, s, step[2] % 3, step[3] % 3, &alive[name]))
                alive[name] = true;
            virtqueue_kick(&queue);
            break;
        }
        case 1:
            while (virtqueue_take(&queue, &cookie, &length) == 1) {
                bool *flag = cookie;
                if (flag < alive || flag >= alive + QUEUE || !*flag || length > 7)
                    abort();
                *flag = false;
            }
            break;
        case 2:
            memory[(step[1] | (unsigned)step[2] << 8) % bytes] = step[3];
            break;
        default:
            if (step[1] & 1)
                virtqueue_interrupts_off(&queue);
            else
                virtqueue_interrupts_on(&queue);
        }
    }
    for (void *cookie; (cookie = virtqueue_abandon(&queue)) != NULL;)
        *(bool *)cookie = false;
    for (unsigned i = 0; i < QUEUE; i++)
        if (alive[i])
            abort();
    if (virtqueue_free(&queue) != QUEUE)
        abort();
    free(memory);
    return 0;
}
