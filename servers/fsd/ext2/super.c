/* Mount and unmount: checks every number of the superblock and the group descriptors once, so
 * that the rest of the core can rely on the geometry in struct ext2.
 *
 * State on disk, as Linux keeps it: while mounted for writing the VALID bit is clear; unmount
 * puts back what the mount found, so that a file system that was not clean before stays so until
 * e2fsck has seen it. With a journal it is the feature RECOVER that is set meanwhile: then the
 * journal is to be replayed before anything else is believed. Backups of superblock and
 * descriptors are never written. */
#include "fs.h"
#include "journal/crc32c.h"
#include "orphan.h"
#include <string.h>

#define COMPATIBLE_INCOMPAT (EXT2_INCOMPAT_FILETYPE | EXT2_INCOMPAT_RECOVER)
#define COMPATIBLE_RO       (EXT2_RO_COMPAT_SPARSE_SUPER | EXT2_RO_COMPAT_LARGE_FILE)

int fs_error(struct ext2 *fs)
{
    if (!fs->errors) {
        fs->errors = true;
        fs->read_only = true;
        fs->mount_state |= EXT2_STATE_ERROR;
        if (fs->journal.active) {
            journal_abort(fs);
        } else if (fs->super && !fs->device->read_only) {
            fs->super->state |= EXT2_STATE_ERROR;
            cache_dirty(fs, fs->super_buffer);
        }
    }
    return -EIO;
}

int metadata_get(struct ext2 *fs, uint32_t block, struct buffer **out)
{
    return cache_get(fs, block, out) ? fs_error(fs) : 0;
}

/* ---- Checking --------------------------------------------------------------------------- */

/* Files end where the map ends, or where the count of 512-byte sectors overflows 32 bits (a
 * 512th is left for indirect blocks). */
static uint64_t size_limit(const struct ext2 *fs)
{
    uint64_t pointers = 1ull << fs->pointer_bits;
    uint64_t map = (EXT2_DIRECT + pointers + pointers * pointers + pointers * pointers * pointers)
                   << fs->block_bits;
    uint64_t sectors = (1ull << 41) - (1ull << 32);
    return map < sectors ? map : sectors;
}

static int check_features(struct ext2 *fs, const struct superblock *super)
{
    if (super->revision > EXT2_REVISION_DYNAMIC || super->log_block_size > 2)
        return -EOPNOTSUPP;
    if (super->revision == EXT2_REVISION_OLD) {
        fs->first_inode = EXT2_OLD_FIRST_INODE;
        fs->inode_size = EXT2_OLD_INODE_SIZE;
        return 0;
    }
    if (super->feature_incompat & ~(uint32_t)COMPATIBLE_INCOMPAT)
        return -EOPNOTSUPP;
    if (super->feature_incompat & EXT2_INCOMPAT_RECOVER &&
        !(super->feature_compat & EXT2_COMPAT_HAS_JOURNAL))
        return -EIO;
    if (super->feature_ro_compat & ~(uint32_t)COMPATIBLE_RO)
        fs->read_only = true;
    fs->file_types = super->feature_incompat & EXT2_INCOMPAT_FILETYPE;
    fs->first_inode = super->first_inode;
    fs->inode_size = super->inode_size;
    return 0;
}

static int check_geometry(struct ext2 *fs, const struct superblock *super)
{
    fs->block_bits = 10 + super->log_block_size;
    fs->block_size = 1u << fs->block_bits;
    fs->pointer_bits = fs->block_bits - 2;
    fs->blocks = super->blocks_count;
    fs->first_block = super->first_data_block;
    fs->blocks_per_group = super->blocks_per_group;
    fs->inodes_per_group = super->inodes_per_group;
    fs->inodes = super->inodes_count;
    fs->reserved_blocks = super->reserved_blocks_count;
    fs->size_max = super->revision == EXT2_REVISION_OLD ? INT32_MAX : size_limit(fs);

    const uint32_t bits = fs->block_size * 8;
    if (fs->first_block != (fs->block_size == 1024) || fs->blocks <= fs->first_block + 1 ||
        (uint64_t)fs->blocks << fs->block_bits > fs->device->size || fs->blocks_per_group < 8 ||
        fs->blocks_per_group > bits || fs->inodes_per_group < 8 || fs->inodes_per_group > bits)
        return -EIO;
    if (fs->inode_size < EXT2_OLD_INODE_SIZE || fs->inode_size > fs->block_size ||
        (fs->inode_size & (fs->inode_size - 1)))
        return -EIO;

    uint64_t groups =
        ((uint64_t)fs->blocks - fs->first_block + fs->blocks_per_group - 1) / fs->blocks_per_group;
    fs->group_count = (uint32_t)groups;
    fs->inode_table_blocks =
        (uint32_t)(((uint64_t)fs->inodes_per_group * fs->inode_size + fs->block_size - 1) >>
                   fs->block_bits);
    fs->descriptor_first = fs->first_block + 1;
    fs->descriptor_blocks =
        (uint32_t)((groups * sizeof(struct group_descriptor) + fs->block_size - 1) >>
                   fs->block_bits);
    if (groups * fs->inodes_per_group != fs->inodes || fs->first_inode < EXT2_OLD_FIRST_INODE ||
        fs->first_inode > fs->inodes || fs->inode_table_blocks > fs->blocks ||
        fs->descriptor_first + fs->descriptor_blocks >= fs->blocks ||
        fs->reserved_blocks > fs->blocks)
        return -EIO;
    return 0;
}

static int load_group(struct ext2 *fs, const struct group_descriptor *from, struct group *group,
                      uint32_t size)
{
    group->block_bitmap = from->block_bitmap;
    group->inode_bitmap = from->inode_bitmap;
    group->inode_table = from->inode_table;
    group->free_blocks = from->free_blocks;
    group->free_inodes = from->free_inodes;
    group->directories = from->directories;
    if (!fs_block_valid(fs, group->block_bitmap) || !fs_block_valid(fs, group->inode_bitmap) ||
        !fs_block_valid(fs, group->inode_table) ||
        group->inode_table > fs->blocks - fs->inode_table_blocks)
        return -EIO;
    if (group->free_blocks > size || group->free_inodes > fs->inodes_per_group ||
        group->directories > fs->inodes_per_group)
        return -EIO;
    fs->free_blocks += group->free_blocks;
    fs->free_inodes += group->free_inodes;
    return 0;
}

int fs_groups_load(struct ext2 *fs)
{
    const uint32_t per_block = fs->block_size / sizeof(struct group_descriptor);
    struct buffer *buffer = NULL;
    int error = 0;
    fs->free_blocks = fs->free_inodes = 0;
    for (uint32_t i = 0; i < fs->group_count && !error; i++) {
        if (i % per_block == 0) {
            if (buffer)
                cache_release(buffer);
            buffer = NULL;
            error = cache_get(fs, fs->descriptor_first + i / per_block, &buffer);
            if (error)
                break;
        }
        const struct group_descriptor *table = (const struct group_descriptor *)buffer->data;
        error = load_group(fs, &table[i % per_block], &fs->groups[i], fs_group_size(fs, i));
    }
    if (buffer)
        cache_release(buffer);
    return error;
}

/* ---- Mount and unmount ------------------------------------------------------------------- */

static void fs_free(struct ext2 *fs)
{
    journal_close(fs);
    cache_free(fs);
    void *parts[] = {fs->groups,
                     fs->zeros,
                     fs->inode_table.states,
                     fs->inode_table.hash,
                     fs->lookup_cache.entries,
                     fs->undo_memory};
    void (*release)(void *) = fs->release;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i])
            release(parts[i]);
    release(fs);
}

static int undo_allocate(struct ext2 *fs, const struct ext2_options *options)
{
    struct undo *undo = fs->transaction.undo;
    fs->undo_memory = options->allocate((size_t)TRANSACTION_BLOCKS << fs->block_bits);
    if (!fs->undo_memory)
        return -ENOMEM;
    for (uint32_t i = 0; i < TRANSACTION_BLOCKS; i++)
        undo[i].contents = fs->undo_memory + ((size_t)i << fs->block_bits);
    return 0;
}

static int fs_allocate(struct ext2 *fs, const struct ext2_options *options)
{
    fs->groups = options->allocate(fs->group_count * sizeof *fs->groups);
    fs->zeros = options->allocate(fs->block_size);
    fs->lookup_cache.entries =
        options->allocate(LOOKUP_CACHE_SIZE * sizeof *fs->lookup_cache.entries);
    if (!fs->groups || !fs->zeros || !fs->lookup_cache.entries)
        return -ENOMEM;
    memset(fs->zeros, 0, fs->block_size);
    memset(fs->lookup_cache.entries, 0, LOOKUP_CACHE_SIZE * sizeof *fs->lookup_cache.entries);
    int error = inode_table_init(fs, options->allocate);
    if (!error)
        error = cache_init(fs, options);
    return error || !options->adoptable ? error : undo_allocate(fs, options);
}

/* The first look at the disk needs a block to read into before the block size is known. */
static int read_super(struct ext2 *fs, const struct ext2_options *options)
{
    struct block_device *device = fs->device;
    if (device->size < EXT2_SUPER_OFFSET + EXT2_SUPER_SIZE)
        return -EINVAL;
    struct superblock *super = options->allocate(EXT2_SUPER_SIZE);
    if (!super)
        return -ENOMEM;
    int error = device->read(device, EXT2_SUPER_OFFSET, super, EXT2_SUPER_SIZE) ? -EIO : 0;
    if (!error && super->magic != EXT2_MAGIC)
        error = -EINVAL;
    if (!error)
        error = check_features(fs, super);
    if (!error)
        error = check_geometry(fs, super);
    options->release(super);
    return error;
}

/* ---- The journal -------------------------------------------------------------------------- */

/* The superblock and the descriptors have been replayed, too. They may have changed, but not what
 * the memory was allocated for. */
static int check_again(struct ext2 *fs)
{
    const struct ext2 before = *fs;
    int error = fs->super->magic == EXT2_MAGIC ? check_features(fs, fs->super) : -EIO;
    if (!error)
        error = check_geometry(fs, fs->super);
    if (error)
        return error;
    if (fs->block_size != before.block_size || fs->blocks != before.blocks ||
        fs->blocks_per_group != before.blocks_per_group || fs->inodes != before.inodes ||
        fs->inode_size != before.inode_size)
        return -EIO;
    return fs_groups_load(fs);
}

/* Also where the file system is to be read-only: until it is replayed it is not there to be read.
 */
static int recover(struct ext2 *fs, const struct ext2_options *options)
{
    struct superblock *super = fs->super;
    if (fs->device->read_only)
        return -EROFS;
    int error = journal_replay(fs, options);
    if (!error)
        error = check_again(fs);
    if (error)
        return error;
    fs->mount_state = super->state | (fs->journal.super->error ? EXT2_STATE_ERROR : 0);
    super->state = fs->mount_state;
    super->feature_incompat &= ~(uint32_t)EXT2_INCOMPAT_RECOVER;
    if (super->feature_ro_compat & EXT2_RO_COMPAT_METADATA_CSUM)
        super->checksum = crc32c(CRC32C_START, super, offsetof(struct superblock, checksum));
    cache_dirty(fs, fs->super_buffer);
    return cache_flush(fs);
}

/* A journal is looked at only if there is something in it, or if something is to be written. */
static int load_journal(struct ext2 *fs, const struct ext2_options *options)
{
    const struct superblock *super = fs->super;
    const bool dirty = super->feature_incompat & EXT2_INCOMPAT_RECOVER;
    if (super->revision == EXT2_REVISION_OLD ||
        !(super->feature_compat & EXT2_COMPAT_HAS_JOURNAL) || (fs->read_only && !dirty))
        return 0;
    int error = journal_open(fs, options);
    if (!error && dirty)
        error = recover(fs, options);
    if (!error && fs->read_only)
        journal_close(fs);
    return error;
}

/* ---- Mount and unmount ------------------------------------------------------------------- */

/* Marks the file system as in use, on disk, before anything else is written. */
static int mark_mounted(struct ext2 *fs)
{
    struct superblock *super = fs->super;
    const bool journal = fs->journal.map != NULL;
    int error = journal ? journal_start(fs) : 0;
    if (error == -EROFS) {
        fs->read_only = true;
        return 0;
    }
    if (!error)
        error = transaction_begin(fs);
    if (error)
        return error;
    transaction_add(fs, fs->super_buffer);
    if (journal)
        super->feature_incompat |= EXT2_INCOMPAT_RECOVER;
    else
        super->state &= (uint16_t)~EXT2_STATE_VALID;
    super->mount_count++;
    super->mount_time = super->write_time = fs->now;
    super->free_blocks_count = fs->free_blocks;
    super->free_inodes_count = fs->free_inodes;
    error = transaction_commit(fs);
    if (!error)
        error = cache_flush(fs);
    /* A log with a start belongs to a file system that is to be recovered, so that comes first. */
    if (!error && journal)
        error = journal_tail_write(fs, fs->journal.head);
    fs->journal.active = journal && !error;
    return error;
}

int fs_super_get(struct ext2 *fs)
{
    int error = cache_get(fs, fs->first_block, &fs->super_buffer);
    if (error)
        return error;
    /* Block 0 holds the superblock at 1024 when blocks are larger than that. */
    uint32_t offset = fs->first_block ? 0 : EXT2_SUPER_OFFSET;
    fs->super = (struct superblock *)(fs->super_buffer->data + offset);
    return 0;
}

static int load(struct ext2 *fs, const struct ext2_options *options)
{
    int error = fs_super_get(fs);
    if (error)
        return error;
    fs->mount_state = fs->super->state;
    error = fs_groups_load(fs);
    if (!error)
        error = load_journal(fs, options);
    if (!error && !fs->read_only)
        error = mark_mounted(fs);
    return error;
}

int ext2_mount(struct ext2 **out, struct block_device *device, const struct ext2_options *options)
{
    struct ext2 *fs = options->allocate(sizeof *fs);
    if (!fs)
        return -ENOMEM;
    memset(fs, 0, sizeof *fs);
    fs->device = device;
    fs->release = options->release;
    fs->transaction.committing = options->committing;
    fs->read_only = options->read_only || device->read_only;
    fs->unflushed = true; /* whoever had the disk before */
    ext2_set_time(fs, options->now);
    fs->generation = fs->now;

    int error = read_super(fs, options);
    if (!error)
        error = fs_allocate(fs, options);
    if (!error)
        error = load(fs, options);
    if (error) {
        fs_free(fs);
        return error;
    }
    if (!fs->read_only)
        orphans_recover(fs); /* on failure the file system is read-only, but readable */
    *out = fs;
    return 0;
}

/* Files that somebody still holds lose their holder now. */
static void drop_all(struct ext2 *fs)
{
    for (uint32_t i = 0; i < INODES_HELD_MAX; i++) {
        struct inode_state *state = &fs->inode_table.states[i];
        if (state->number && state->holds) {
            state->holds = 1;
            ext2_drop(fs, state->number);
        }
    }
}

int ext2_unmount(struct ext2 *fs)
{
    drop_all(fs);
    int error = fs->journal.active ? journal_stop(fs) : cache_flush(fs);
    if (fs->errors)
        cache_flush(fs); /* what failed, and the superblock that says so, once more */
    if (!fs->read_only) {
        /* Only now, with everything else on disk, may the disk say so. */
        transaction_begin(fs);
        transaction_add(fs, fs->super_buffer);
        fs->super->state = fs->mount_state;
        fs->super->feature_incompat &= ~(uint32_t)EXT2_INCOMPAT_RECOVER;
        fs->super->write_time = fs->now;
        error = transaction_commit(fs);
        int flush_error = cache_flush(fs);
        error = error ? error : flush_error;
    }
    fs_free(fs);
    return error;
}

int ext2_sync(struct ext2 *fs) { return fs->journal.active ? journal_commit(fs) : cache_flush(fs); }

int ext2_sync_some(struct ext2 *fs, size_t blocks)
{
    uint32_t limit = blocks < fs->cache.count ? (uint32_t)blocks : fs->cache.count;
    int error = cache_write_back(fs, limit, true);
    return error ? error : (int)fs->cache.dirty;
}

/* The bitmaps and the directory that a file needs are shared with the others, so all are synced.
 * Of several that wait for this, the first one does the work for all, as their writes were served
 * before the first fsync was: that is the group commit. */
int ext2_fsync(struct ext2 *fs, uint32_t inode)
{
    if (fs->journal.active && !fs->errors && inode_synced(fs, inode))
        return 0;
    return ext2_sync(fs);
}

void ext2_set_time(struct ext2 *fs, uint64_t now)
{
    uint32_t seconds = (uint32_t)(now / 1000000000u);
    fs->now = seconds ? seconds : 1; /* 0 in dtime would mean "in use" */
}

void ext2_info(const struct ext2 *fs, struct ext2_info *info)
{
    *info = (struct ext2_info){
        .block_size = fs->block_size,
        .blocks = fs->blocks,
        .blocks_free = fs->free_blocks + fs->journal.freed_blocks,
        .blocks_reserved = fs->reserved_blocks,
        .inodes = fs->inodes,
        .inodes_free = fs->free_inodes,
        .groups = fs->group_count,
        .read_only = fs->read_only,
        .errors = fs->errors,
        .cache_hits = fs->cache.hits,
        .cache_misses = fs->cache.misses,
        .blocks_read = fs->cache.blocks_read,
        .blocks_written = fs->cache.blocks_written,
        .journal_blocks = fs->journal.active ? fs->journal.length : 0,
        .commits = fs->journal.commits,
        .checkpoints = fs->journal.checkpoints,
        .blocks_logged = fs->journal.blocks_logged,
    };
}
