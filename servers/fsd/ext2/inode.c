/* Inode records and the table of held inodes. Invariant: a number has at most one inode_state,
 * in the table if it is held, else in its scratch place. */
#include "inode.h"
#include "alloc.h"
#include "fs.h"
#include "map.h"
#include "orphan.h"
#include <string.h>

static void table_clear(struct inode_table *table)
{
    memset(table->states, 0, INODES_HELD_MAX * sizeof *table->states);
    memset(table->hash, 0, INODES_HELD_MAX * sizeof *table->hash);
    memset(table->scratch, 0, sizeof table->scratch);
    table->free = NULL;
    for (uint32_t i = 0; i < INODES_HELD_MAX; i++) {
        table->states[i].hash_next = table->free;
        table->free = &table->states[i];
    }
}

static struct inode_state *held_state(const struct ext2 *fs, uint32_t number)
{
    struct inode_state *state = fs->inode_table.hash[number % INODES_HELD_MAX];
    while (state && state->number != number)
        state = state->hash_next;
    return state;
}

/* A place in the table of held inodes; NULL: it is full. */
static struct inode_state *state_add(struct ext2 *fs, uint32_t number)
{
    struct inode_table *table = &fs->inode_table;
    struct inode_state *state = table->free, **chain = &table->hash[number % INODES_HELD_MAX];
    if (!state)
        return NULL;
    table->free = state->hash_next;
    *state = (struct inode_state){
        .number = number,
        .changed = fs->journal.sequence, /* nobody has watched until now */
        .hash_next = *chain,
    };
    *chain = state;
    return state;
}

int inode_table_init(struct ext2 *fs, void *(*allocate)(size_t bytes))
{
    struct inode_table *table = &fs->inode_table;
    table->states = allocate(INODES_HELD_MAX * sizeof *table->states);
    table->hash = allocate(INODES_HELD_MAX * sizeof *table->hash);
    if (!table->states || !table->hash)
        return -ENOMEM;
    table_clear(table);
    return 0;
}

void inode_table_adopt(struct ext2 *fs, const uint32_t *held, size_t count)
{
    table_clear(&fs->inode_table);
    for (size_t i = 0; i < count; i++) {
        struct inode_state *state = held_state(fs, held[i]);
        if (!state)
            state = state_add(fs, held[i]);
        if (state)
            state->holds++;
    }
}

/* ---- States ----------------------------------------------------------------------------- */

static struct inode_state *scratch_state(struct ext2 *fs, uint32_t number)
{
    struct inode_table *table = &fs->inode_table;
    for (uint32_t i = 0; i < INODES_SCRATCH; i++)
        if (table->scratch[i].number == number)
            return &table->scratch[i];
    for (uint32_t i = 0; i < INODES_SCRATCH; i++) {
        struct inode_state *state = &table->scratch[table->scratch_next++ % INODES_SCRATCH];
        if (state->pins)
            continue; /* some other inode of this operation */
        inode_state_forget(state);
        state->number = number;
        return state;
    }
    return NULL;
}

void inode_state_forget(struct inode_state *state)
{
    state->extent_length = 0;
    state->leaf_block = 0;
    state->next_read = 0;
}

bool inode_held(const struct ext2 *fs, uint32_t number)
{
    return held_state(fs, number) != NULL;
}

bool inode_synced(const struct ext2 *fs, uint32_t number)
{
    const struct inode_state *state = held_state(fs, number);
    return state && state->changed != fs->journal.sequence;
}

int ext2_hold(struct ext2 *fs, uint32_t number)
{
    struct inode_state *state = held_state(fs, number);
    if (state) {
        state->holds++;
        return 0;
    }
    struct inode inode;
    int error = inode_get_live(fs, number, &inode);
    if (error)
        return error;
    inode_put(&inode);
    state = state_add(fs, number);
    if (state) { /* what the scratch place knows moves over */
        state->extent_logical = inode.state->extent_logical;
        state->extent_physical = inode.state->extent_physical;
        state->extent_length = inode.state->extent_length;
        state->leaf_logical = inode.state->leaf_logical;
        state->leaf_block = inode.state->leaf_block;
        state->next_read = inode.state->next_read;
        state->holds = 1;
        inode.state->number = 0;
    }
    return state ? 0 : -ENFILE;
}

void ext2_drop(struct ext2 *fs, uint32_t number)
{
    struct inode_table *table = &fs->inode_table;
    struct inode_state **link = &table->hash[number % INODES_HELD_MAX];
    while (*link && (*link)->number != number)
        link = &(*link)->hash_next;
    struct inode_state *state = *link;
    if (!state || --state->holds > 0)
        return;
    *link = state->hash_next;
    memset(state, 0, sizeof *state);
    state->hash_next = table->free;
    table->free = state;

    struct inode inode;
    if (inode_get(fs, number, &inode))
        return;
    bool dead = inode.disk->links == 0;
    inode_put(&inode);
    if (dead)
        inode_delete(fs, number); /* an error has made the file system read-only */
}

/* ---- Records ---------------------------------------------------------------------------- */

/* exercise 6.1 */
int inode_get(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    if (number - 1 >= fs->inodes)
        return -EINVAL;
    const uint32_t group = (number - 1) / fs->inodes_per_group;
    const uint32_t offset = (number - 1) % fs->inodes_per_group * fs->inode_size;
    int error = metadata_get(fs, fs->groups[group].inode_table + (offset >> fs->block_bits),
                             &inode->buffer);
    if (error)
        return error;
    inode->number = number;
    inode->disk = (struct disk_inode *)(inode->buffer->data + (offset & (fs->block_size - 1)));
    inode->state = held_state(fs, number);
    if (!inode->state)
        inode->state = scratch_state(fs, number);
    if (!inode->state) {
        cache_release(inode->buffer);
        return fs_error(fs);
    }
    inode->state->pins++;
    return 0;
}
/* end 6.1 */

void inode_put(struct inode *inode)
{
    inode->state->pins--;
    cache_release(inode->buffer);
}

int inode_get_live(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    int error = inode_get(fs, number, inode);
    if (error)
        return error;
    if (inode->disk->mode != 0 && (inode->disk->links > 0 || inode->state->holds > 0))
        return 0;
    inode_put(inode);
    return -ENOENT;
}

int inode_get_entry(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    int error = inode_get(fs, number, inode);
    if (error)
        return fs_error(fs);
    if (inode->disk->mode != 0 && inode->disk->links > 0)
        return 0;
    inode_put(inode);
    return fs_error(fs);
}

int inode_get_directory(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    int error = inode_get_live(fs, number, inode);
    if (error)
        return error;
    /* Directories have no holes: their blocks bound their size, and thereby every search. */
    const uint32_t size = inode->disk->size, blocks = size >> fs->block_bits;
    if (inode_type(inode) != MODE_DIRECTORY)
        error = -ENOTDIR;
    else if (inode->disk->links == 0)
        error = -ENOENT; /* removed, but held */
    else if (size == 0 || size & (fs->block_size - 1) || blocks > fs->blocks ||
             blocks > inode->disk->sectors >> (fs->block_bits - 9))
        error = fs_error(fs);
    if (error)
        inode_put(inode);
    return error;
}

uint64_t inode_size(const struct inode *inode)
{
    uint64_t high = inode_type(inode) == MODE_REGULAR ? inode->disk->size_high : 0;
    return high << 32 | inode->disk->size;
}

void inode_set_size(struct ext2 *fs, struct inode *inode, uint64_t size)
{
    inode_changed(fs, inode);
    inode->disk->size = (uint32_t)size;
    if (inode_type(inode) == MODE_REGULAR)
        inode->disk->size_high = (uint32_t)(size >> 32);
    if (size > INT32_MAX && !(fs->super->feature_ro_compat & EXT2_RO_COMPAT_LARGE_FILE)) {
        transaction_add(fs, fs->super_buffer);
        fs->super->feature_ro_compat |= EXT2_RO_COMPAT_LARGE_FILE;
    }
}

void inode_changed(struct ext2 *fs, struct inode *inode)
{
    transaction_add(fs, inode->buffer);
    inode_data_changed(fs, inode);
}

void inode_data_changed(struct ext2 *fs, struct inode *inode)
{
    inode->state->changed = fs->journal.sequence;
}

bool inode_has_blocks(const struct ext2 *fs, const struct inode *inode)
{
    const struct disk_inode *disk = inode->disk;
    uint32_t attributes = disk->attribute_block ? fs->block_size / 512 : 0;
    switch (inode_type(inode)) {
    case MODE_REGULAR:
    case MODE_DIRECTORY:
        return true;
    case MODE_SYMLINK:
        return disk->sectors > attributes; /* else the text is in the slots themselves */
    default:
        return false;
    }
}

int inode_create(struct ext2 *fs, const struct inode *parent, uint32_t mode, struct inode *inode)
{
    const bool directory = (mode & MODE_TYPE) == MODE_DIRECTORY;
    uint32_t number;
    int error = inode_alloc(fs, parent->number, directory, &number);
    if (error)
        return error;
    error = inode_get(fs, number, inode);
    if (error) {
        inode_free(fs, number, directory);
        return error;
    }
    inode_state_forget(inode->state);
    inode_changed(fs, inode);
    memset(inode->disk, 0, fs->inode_size);
    inode->disk->mode = (uint16_t)mode;
    inode->disk->links = 1;
    inode->disk->atime = inode->disk->mtime = inode->disk->ctime = fs->now;
    inode->disk->generation = fs->generation;
    fs->generation = fs->generation * 1664525u + 1013904223u;
    return 0;
}

void inode_discard(struct ext2 *fs, struct inode *inode)
{
    if (inode_has_blocks(fs, inode))
        map_free(fs, inode, 0);
    inode_changed(fs, inode);
    inode->disk->links = 0;
    inode->disk->dtime = fs->now;
    inode_free(fs, inode->number, inode_type(inode) == MODE_DIRECTORY);
    inode_put(inode);
}
