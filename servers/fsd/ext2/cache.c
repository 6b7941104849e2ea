/* The block cache: a hash table over all buffers, a list of them by use, one of the dirty ones, one
 * of those in the running transaction. Invariant: a buffer is in the hash table exactly if MAPPED,
 * in the dirty list exactly if DIRTY, in the running list exactly if RUNNING; it is not both, and
 * either implies MAPPED; a pinned buffer is never given to another block. */
#include "cache.h"
#include "fs.h"
#include <string.h>

/* A build that looks for overruns sets a poisoned gap behind every frame. */
#ifdef EXT2_FRAME_GAP
#include <sanitizer/asan_interface.h>
#else
#define EXT2_FRAME_GAP                           0
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define OLDEST_SEARCHED 32u /* buffers looked at before dirty ones are written in bulk */

static void lists_fill(struct cache *cache);

int cache_init(struct ext2 *fs, const struct ext2_options *options)
{
    struct cache *cache = &fs->cache;
    uint32_t count = options->cache_blocks < CACHE_BLOCKS_MIN ? CACHE_BLOCKS_MIN
                     : options->cache_blocks > (1u << 24)     ? 1u << 24
                                                              : (uint32_t)options->cache_blocks;
    unsigned bits = 6;
    while ((1u << bits) < count)
        bits++;
    size_t stride = fs->block_size + EXT2_FRAME_GAP;

    cache->buffers = options->allocate(count * sizeof *cache->buffers);
    cache->frames = options->allocate(count * stride);
    cache->hash = options->allocate(sizeof *cache->hash << bits);
    cache->sweep = options->allocate(count * sizeof *cache->sweep);
    cache->bounce = options->allocate(CACHE_RUN_BYTES);
    if (!cache->buffers || !cache->frames || !cache->hash || !cache->sweep || !cache->bounce)
        return -ENOMEM;

    memset(cache->buffers, 0, count * sizeof *cache->buffers);
    cache->count = count;
    cache->hash_shift = 32 - bits;
    for (uint32_t i = 0; i < count; i++) {
        cache->buffers[i].data = cache->frames + i * stride;
        ASAN_POISON_MEMORY_REGION(cache->buffers[i].data + fs->block_size, EXT2_FRAME_GAP);
    }
    lists_fill(cache);
    return 0;
}

void cache_free(struct ext2 *fs)
{
    struct cache *cache = &fs->cache;
    void *parts[] = {cache->bounce, cache->sweep, cache->hash, cache->frames, cache->buffers};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i])
            fs->release(parts[i]);
}

/* ---- The lists -------------------------------------------------------------------------- */

static uint32_t hash_of(const struct cache *cache, uint32_t block)
{
    return (block * 2654435769u) >> cache->hash_shift;
}

static void use_unlink(struct buffer *buffer)
{
    buffer->older->newer = buffer->newer;
    buffer->newer->older = buffer->older;
}

static void use_newest(struct cache *cache, struct buffer *buffer)
{
    if (cache->use.older == buffer)
        return;
    use_unlink(buffer);
    buffer->older = cache->use.older;
    buffer->newer = &cache->use;
    cache->use.older->newer = buffer;
    cache->use.older = buffer;
}

static void use_oldest(struct cache *cache, struct buffer *buffer)
{
    use_unlink(buffer);
    buffer->newer = cache->use.newer;
    buffer->older = &cache->use;
    cache->use.newer->older = buffer;
    cache->use.newer = buffer;
}

static void append(struct buffer *list, struct buffer *buffer)
{
    buffer->dirty_next = list;
    buffer->dirty_previous = list->dirty_previous;
    list->dirty_previous->dirty_next = buffer;
    list->dirty_previous = buffer;
}

static void enlist(struct cache *cache, struct buffer *buffer)
{
    const bool running = buffer->flags & BUFFER_RUNNING;
    append(running ? &cache->running_list : &cache->dirty_list, buffer);
    ++*(running ? &cache->running : &cache->dirty);
}

/* From one list to another (or to none, flag 0) with one store to the flags: whoever adopts the
 * cache finds the buffer in the old state or in the new one. */
static void move(struct cache *cache, struct buffer *buffer, uint16_t flag)
{
    const uint16_t before = buffer->flags;
    buffer->flags = (uint16_t)((before & ~(BUFFER_DIRTY | BUFFER_RUNNING)) | flag);
    store_barrier();
    if (before & (BUFFER_DIRTY | BUFFER_RUNNING)) {
        --*(before & BUFFER_RUNNING ? &cache->running : &cache->dirty);
        buffer->dirty_previous->dirty_next = buffer->dirty_next;
        buffer->dirty_next->dirty_previous = buffer->dirty_previous;
    }
    if (flag)
        enlist(cache, buffer);
}

static void clean(struct cache *cache, struct buffer *buffer)
{
    move(cache, buffer, 0);
}

void cache_dirty(struct ext2 *fs, struct buffer *buffer)
{
    if (!(buffer->flags & (BUFFER_DIRTY | BUFFER_RUNNING)))
        move(&fs->cache, buffer, BUFFER_DIRTY);
}

void cache_join(struct ext2 *fs, struct buffer *buffer)
{
    if (!(buffer->flags & BUFFER_RUNNING))
        move(&fs->cache, buffer, BUFFER_RUNNING);
}

void cache_settle(struct ext2 *fs)
{
    struct cache *cache = &fs->cache;
    while (cache->running)
        move(cache, cache->running_list.dirty_next, BUFFER_DIRTY);
}

static void hash_add(struct cache *cache, struct buffer *buffer)
{
    struct buffer **chain = &cache->hash[hash_of(cache, buffer->block)];
    buffer->hash_next = *chain;
    *chain = buffer;
}

static void map(struct cache *cache, struct buffer *buffer, uint32_t block)
{
    buffer->block = block;
    buffer->transaction = 0;
    store_barrier();
    buffer->flags = BUFFER_MAPPED;
    hash_add(cache, buffer);
}

/* All lists anew, from the buffers' flags and block numbers. */
static void lists_fill(struct cache *cache)
{
    memset(cache->hash, 0, sizeof *cache->hash << (32 - cache->hash_shift));
    cache->dirty = cache->running = 0;
    cache->sweep_count = cache->sweep_next = 0;
    cache->use.newer = cache->use.older = &cache->use;
    cache->dirty_list.dirty_next = cache->dirty_list.dirty_previous = &cache->dirty_list;
    cache->running_list.dirty_next = cache->running_list.dirty_previous = &cache->running_list;
    for (uint32_t i = 0; i < cache->count; i++) {
        struct buffer *buffer = &cache->buffers[i];
        buffer->older = cache->use.older;
        buffer->newer = &cache->use;
        cache->use.older->newer = buffer;
        cache->use.older = buffer;
        if (buffer->flags & BUFFER_MAPPED)
            hash_add(cache, buffer);
        if (buffer->flags & (BUFFER_DIRTY | BUFFER_RUNNING))
            enlist(cache, buffer);
    }
}

void cache_adopt(struct ext2 *fs)
{
    struct cache *cache = &fs->cache;
    for (uint32_t i = 0; i < cache->count; i++) {
        struct buffer *buffer = &cache->buffers[i];
        buffer->pins = 0;
        if (!(buffer->flags & (BUFFER_DIRTY | BUFFER_RUNNING)))
            buffer->flags = 0; /* perhaps it was being filled */
    }
    lists_fill(cache);
}

static void unmap(struct cache *cache, struct buffer *buffer)
{
    if (!(buffer->flags & BUFFER_MAPPED))
        return;
    clean(cache, buffer);
    struct buffer **link = &cache->hash[hash_of(cache, buffer->block)];
    while (*link != buffer)
        link = &(*link)->hash_next;
    *link = buffer->hash_next;
    buffer->flags = 0;
}

struct buffer *cache_find(struct ext2 *fs, uint32_t block)
{
    struct cache *cache = &fs->cache;
    struct buffer *buffer = cache->hash[hash_of(cache, block)];
    while (buffer && buffer->block != block)
        buffer = buffer->hash_next;
    if (!buffer)
        return NULL;
    use_newest(cache, buffer);
    buffer->pins++;
    return buffer;
}

void cache_forget(struct ext2 *fs, uint32_t block)
{
    struct buffer *buffer = cache_find(fs, block);
    if (!buffer)
        return;
    cache_release(buffer);
    if (buffer->pins) { /* two owners of one block: damage; the other still looks at it */
        clean(&fs->cache, buffer);
        return;
    }
    unmap(&fs->cache, buffer);
    use_oldest(&fs->cache, buffer);
}

/* ---- Reading ---------------------------------------------------------------------------- */

static struct buffer *oldest_clean(struct cache *cache, uint32_t limit)
{
    struct buffer *buffer = cache->use.newer;
    for (; buffer != &cache->use && limit > 0; buffer = buffer->newer, limit--)
        if (!buffer->pins && !(buffer->flags & (BUFFER_DIRTY | BUFFER_RUNNING)))
            return buffer;
    return NULL;
}

/* A buffer that holds nothing, pinned. Where the old end of the list is all dirty, a part of the
 * dirty blocks is written in disk order, rather than the oldest one by one. */
static struct buffer *vacate(struct ext2 *fs)
{
    struct cache *cache = &fs->cache;
    struct buffer *buffer = oldest_clean(cache, OLDEST_SEARCHED);
    for (int tries = 0; !buffer && tries < 4; tries++) {
        int error = cache_write_back(fs, cache->count / 4, false);
        buffer = oldest_clean(cache, error ? UINT32_MAX : OLDEST_SEARCHED);
    }
    if (!buffer)
        buffer = oldest_clean(cache, UINT32_MAX);
    if (!buffer)
        return NULL;
    unmap(cache, buffer);
    use_newest(cache, buffer);
    buffer->pins = 1;
    return buffer;
}

static void vacant_put(struct ext2 *fs, struct buffer *buffer)
{
    cache_release(buffer);
    use_oldest(&fs->cache, buffer);
}

int cache_take(struct ext2 *fs, uint32_t block, struct buffer **out)
{
    *out = cache_find(fs, block);
    if (*out)
        return 0;
    struct buffer *buffer = vacate(fs);
    if (!buffer)
        return -EIO;
    map(&fs->cache, buffer, block);
    *out = buffer;
    return 0;
}

int cache_get(struct ext2 *fs, uint32_t block, struct buffer **out)
{
    *out = cache_find(fs, block);
    if (*out) {
        fs->cache.hits++;
        return 0;
    }
    fs->cache.misses++;
    struct buffer *buffer = vacate(fs);
    if (!buffer)
        return -EIO;
    int error = fs->device->read(fs->device, (uint64_t)block << fs->block_bits, buffer->data,
                                 fs->block_size);
    if (error) {
        vacant_put(fs, buffer);
        return -EIO;
    }
    fs->cache.blocks_read++;
    map(&fs->cache, buffer, block);
    *out = buffer;
    return 0;
}

/* In memory, do these buffers lie one behind the other? Then no copy through the bounce buffer
 * is needed; buffers that were filled in a row usually are emptied in a row. */
static bool adjacent(const struct ext2 *fs, struct buffer *const *run, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (run[i]->data != run[i - 1]->data + fs->block_size)
            return false;
    return true;
}

/* Reads `count` absent blocks in one go; result: how many came in. */
static uint32_t read_run(struct ext2 *fs, uint32_t block, uint32_t count)
{
    struct buffer *run[CACHE_RUN_BYTES / 1024];
    uint32_t taken = 0;
    while (taken < count && (run[taken] = vacate(fs)))
        taken++;
    if (!taken)
        return 0;
    bool direct = adjacent(fs, run, taken);
    uint8_t *memory = direct ? run[0]->data : fs->cache.bounce;
    int error = fs->device->read(fs->device, (uint64_t)block << fs->block_bits, memory,
                                 taken << fs->block_bits);
    for (uint32_t i = 0; i < taken; i++) {
        if (error) {
            vacant_put(fs, run[i]);
            continue;
        }
        if (!direct)
            memcpy(run[i]->data, memory + ((size_t)i << fs->block_bits), fs->block_size);
        map(&fs->cache, run[i], block + i);
        cache_release(run[i]);
    }
    if (error)
        return 0;
    fs->cache.blocks_read += taken;
    return taken;
}

static bool present(const struct cache *cache, uint32_t block)
{
    const struct buffer *buffer = cache->hash[hash_of(cache, block)];
    while (buffer && buffer->block != block)
        buffer = buffer->hash_next;
    return buffer != NULL;
}

void cache_read_ahead(struct ext2 *fs, uint32_t block, uint32_t count)
{
    const uint32_t longest = CACHE_RUN_BYTES >> fs->block_bits;
    if (count > fs->cache.count / 4)
        count = fs->cache.count / 4;
    if (block >= fs->blocks)
        return;
    if (count > fs->blocks - block)
        count = fs->blocks - block;
    for (uint32_t i = 0; i < count;) {
        uint32_t run = 0;
        while (run < longest && i + run < count && !present(&fs->cache, block + i + run))
            run++;
        if (run && read_run(fs, block + i, run) != run)
            return; /* whoever needs the block will meet the error */
        i += run ? run : 1;
    }
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* Shell's sort: no memory, no recursion, and nearly sorted input, the usual case, is quick. */
static void sort_by_block(struct buffer **list, uint32_t count)
{
    static const uint32_t gaps[] = {262913, 65929, 16577, 4193, 1073, 281, 77, 23, 8, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++)
        for (uint32_t gap = gaps[g], i = gap; i < count; i++) {
            struct buffer *buffer = list[i];
            uint32_t at = i;
            for (; at >= gap && list[at - gap]->block > buffer->block; at -= gap)
                list[at] = list[at - gap];
            list[at] = buffer;
        }
}

/* Lists the dirty buffers that have none of the flags in `without`. */
static void sweep_fill(struct cache *cache, unsigned without)
{
    cache->sweep_count = cache->sweep_next = 0;
    struct buffer *buffer = cache->dirty_list.dirty_next;
    for (; buffer != &cache->dirty_list; buffer = buffer->dirty_next)
        if (!(buffer->flags & without))
            cache->sweep[cache->sweep_count++] = buffer;
    sort_by_block(cache->sweep, cache->sweep_count);
}

int device_write(struct ext2 *fs, uint32_t block, const uint8_t *data, uint32_t count)
{
    fs->unflushed = true;
    int error = fs->device->write(fs->device, (uint64_t)block << fs->block_bits, data,
                                  count << fs->block_bits);
    return error ? fs_error(fs) : 0;
}

int device_flush(struct ext2 *fs)
{
    if (!fs->unflushed)
        return 0;
    if (fs->device->flush && fs->device->flush(fs->device))
        return fs_error(fs);
    fs->unflushed = false;
    return 0;
}

static bool writable(const struct buffer *buffer, bool pinned)
{
    return (buffer->flags & BUFFER_DIRTY) && (pinned || !buffer->pins);
}

static int write_run(struct ext2 *fs, struct buffer **run, uint32_t count)
{
    uint8_t *memory = run[0]->data;
    if (!adjacent(fs, run, count)) {
        memory = fs->cache.bounce;
        for (uint32_t i = 0; i < count; i++)
            memcpy(memory + ((size_t)i << fs->block_bits), run[i]->data, fs->block_size);
    }
    int error = device_write(fs, run[0]->block, memory, count);
    if (error)
        return error;
    for (uint32_t i = 0; i < count; i++)
        clean(&fs->cache, run[i]);
    fs->cache.blocks_written += count;
    return 0;
}

/* Writes on from sweep_next to the end of the sweep; *limit goes down by what was looked at. */
static int sweep_on(struct ext2 *fs, uint32_t *limit, bool pinned)
{
    struct cache *cache = &fs->cache;
    const uint32_t longest = CACHE_RUN_BYTES >> fs->block_bits;
    int result = 0;
    while (cache->sweep_next<cache->sweep_count && * limit> 0) {
        struct buffer **run = &cache->sweep[cache->sweep_next];
        uint32_t left = cache->sweep_count - cache->sweep_next, count = 0;
        if (left > *limit)
            left = *limit;
        while (count < left && count < longest && writable(run[count], pinned) &&
               run[count]->block == run[0]->block + count)
            count++;
        if (count && write_run(fs, run, count))
            result = -EIO;
        count += count == 0;
        cache->sweep_next += count;
        *limit -= count;
    }
    return result;
}

int cache_write_back(struct ext2 *fs, uint32_t limit, bool pinned)
{
    struct cache *cache = &fs->cache;
    int result = sweep_on(fs, &limit, pinned);
    if (limit > 0 && cache->dirty > 0) {
        sweep_fill(cache, 0);
        int error = sweep_on(fs, &limit, pinned);
        result = error ? error : result;
    }
    return result;
}

int cache_write_data(struct ext2 *fs)
{
    uint32_t limit = UINT32_MAX;
    sweep_fill(&fs->cache, BUFFER_METADATA);
    return sweep_on(fs, &limit, true);
}

int cache_flush(struct ext2 *fs)
{
    fs->cache.sweep_count = fs->cache.sweep_next = 0;
    int result = cache_write_back(fs, UINT32_MAX, true);
    int error = device_flush(fs);
    return error ? error : result;
}
