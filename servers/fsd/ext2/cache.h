/* The block cache: every block of the file system that is in memory, written back later.
 *
 * A buffer is one cached block. It is pinned (pins > 0) while somebody uses its data; only
 * unpinned buffers are replaced, the one unused for longest first. cache_get and cache_take
 * return it pinned, cache_release unpins it. Dirty buffers are written in the order of their
 * block numbers, neighbours merged into writes of up to 64 KiB. Buffers of the journal's running
 * transaction are not written until that is committed: they are dirty from then on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ext2;
struct ext2_options;

#ifdef EXT2_STORE_HOOK
void EXT2_STORE_HOOK(void);
#endif

#define CACHE_BLOCKS_MIN 64u
#define CACHE_RUN_BYTES  65536u /* the longest read or write */

enum {
    BUFFER_MAPPED = 1,   /* holds the block that its number says, and is in the hash table */
    BUFFER_DIRTY = 2,    /* newer than the disk; in the dirty list */
    BUFFER_METADATA = 4, /* last changed through transaction_add (else: file data) */
    BUFFER_RUNNING = 8,  /* in the running list, and not DIRTY */
};

struct buffer {
    uint8_t *data;
    uint32_t block;
    uint16_t pins;
    uint16_t flags;
    uint32_t transaction; /* id of the last transaction that it was added to */
    struct buffer *hash_next;
    struct buffer *older, *newer; /* by use */
    struct buffer *dirty_next, *dirty_previous; /* in the dirty or the running list */
};

struct cache {
    uint32_t count;
    uint32_t dirty, running;
    struct buffer *buffers;
    uint8_t *frames;
    struct buffer **hash;
    unsigned hash_shift;
    struct buffer use;        /* head: .newer is the oldest buffer, .older the newest */
    struct buffer dirty_list; /* head */
    struct buffer running_list;
    struct buffer **sweep;    /* dirty buffers by block number, as of when it was filled */
    uint32_t sweep_count, sweep_next;
    uint8_t *bounce; /* CACHE_RUN_BYTES */
    uint64_t hits, misses, blocks_read, blocks_written;
};

/* What others may see of a memory that is adopted (ext2_adopt) if this process ends now: stores
 * before this come before those behind it. */
static inline void store_barrier(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#ifdef EXT2_STORE_HOOK
    EXT2_STORE_HOOK(); /* a test ends the process there */
#endif
}

int cache_init(struct ext2 *fs, const struct ext2_options *options); /* ENOMEM */
void cache_free(struct ext2 *fs);
void cache_adopt(struct ext2 *fs); /* rebuilds the lists; keeps what is dirty or running */

/* cache_get: the block with its contents. EIO: unreadable, or no buffer could be freed. */
int cache_get(struct ext2 *fs, uint32_t block, struct buffer **out);
/* cache_take: the block without reading it; the caller overwrites all of it. */
int cache_take(struct ext2 *fs, uint32_t block, struct buffer **out);
/* cache_find: the block if it is here, else NULL. */
struct buffer *cache_find(struct ext2 *fs, uint32_t block);
static inline void cache_release(struct buffer *buffer)
{
    buffer->pins--;
}

void cache_dirty(struct ext2 *fs, struct buffer *buffer);
void cache_join(struct ext2 *fs, struct buffer *buffer); /* becomes RUNNING, dirty or not */
void cache_settle(struct ext2 *fs);                      /* all that are RUNNING become dirty */
void cache_forget(struct ext2 *fs, uint32_t block); /* freed: its contents do not matter */
void cache_read_ahead(struct ext2 *fs, uint32_t block, uint32_t count);

/* cache_write_back: up to `limit` dirty blocks; EIO if some could not be written (they stay
 * dirty, and the file system turns read-only). Pinned blocks, which may be half changed, are
 * left out unless `pinned`. */
int cache_write_back(struct ext2 *fs, uint32_t limit, bool pinned);
int cache_write_data(struct ext2 *fs); /* all dirty blocks that are not metadata, pinned or not */
int cache_flush(struct ext2 *fs);      /* all dirty blocks, then the disk's own cache */

/* The disk, not the cache: `count` blocks in one request of at most CACHE_RUN_BYTES; and what the
 * disk itself keeps in memory. Failure is an fs_error. */
int device_write(struct ext2 *fs, uint32_t block, const uint8_t *data, uint32_t count);
int device_flush(struct ext2 *fs);
