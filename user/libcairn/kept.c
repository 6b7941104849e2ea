/* Kept state: a header that says whether the rest can be adopted, and handles in init's hands. */
#include "cairn/kept.h"

#include "abi/memory.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include <stdlib.h>
#include <string.h>

#define KEPT_MAGIC 0x7470656bu

struct header {
    uint32_t magic, layout; /* magic is stored last */
    uint64_t size;
    uint8_t body[];
};

static struct header *header;
static bool is_kept; /* init has a memory for us */

static struct header *map_state(size_t size)
{
    struct memory_info info;
    handle_t memory = start_handle(SPAWN_STATE, 0);
    if (memory < 0)
        return NULL;
    if (memory_info(memory, &info) < 0 || info.size < size) {
        debug_write("kept state: too small in services.conf\n", 39);
        return NULL;
    }
    int64_t at = memory_map(0, memory, 0, 0, info.size, PROT_READ | PROT_WRITE);
    return at < 0 ? NULL : (struct header *)at;
}

void *kept_state(uint32_t layout, size_t size, bool *adopted)
{
    header = map_state(sizeof *header + size);
    is_kept = header != NULL;
    if (!is_kept)
        header = calloc(1, sizeof *header + size);
    if (!header)
        return NULL;
    *adopted = header->magic == KEPT_MAGIC && header->layout == layout && header->size == size;
    if (!*adopted) {
        header->magic = 0;
        kept_barrier();
        header->layout = layout;
        header->size = size;
        kept_reset();
        kept_barrier();
        header->magic = KEPT_MAGIC;
    }
    return header->body;
}

void kept_reset(void) { memset(header->body, 0, header->size); }

void kept_note(struct kept_calls *calls, uint64_t token, uint64_t value)
{
    unsigned thread = token % THREADS_MAX;
    calls->of[thread].call = 0;
    kept_barrier();
    calls->of[thread].value = value;
    kept_barrier();
    calls->of[thread].call = token;
    kept_barrier();
}

const uint64_t *kept_noted(const struct kept_calls *calls, uint64_t token)
{
    unsigned thread = token % THREADS_MAX;
    return calls->of[thread].call == token ? &calls->of[thread].value : NULL;
}

/* ---- Handles ----------------------------------------------------------------------------------
 */

int kept_put(unsigned place, handle_t handle)
{
    struct message m = {.type = PROC_KEEP, .len = 8, .words = {place}};
    if (!is_kept)
        return 0;
    if (handle > 0) {
        m.handle_count = 1;
        m.handles[0] = handle;
    }
    int error = channel_call(start_block()->process_service, &m);
    return error ? error : (int)m.words[0];
}

void kept_drop(unsigned place) { kept_put(place, 0); }

handle_t kept_get(unsigned place)
{
    struct message m = {.type = PROC_KEPT, .len = 8, .words = {place}};
    if (!is_kept)
        return -ENOENT;
    int error = channel_call(start_block()->process_service, &m);
    if (error || (int64_t)m.words[0] < 0)
        return error ? error : (handle_t)m.words[0];
    return m.handle_count == 1 ? m.handles[0] : -EPROTO;
}
