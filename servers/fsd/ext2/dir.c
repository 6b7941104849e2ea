/* Directory blocks. Invariant: the records of a block lie end to end and fill it; an empty
 * record is one with inode 0, and removal gives its room to the record before it. Every record
 * is checked (record_at) each time it is reached.
 *
 * A directory with a hash index is searched like any other: its index nodes look like empty
 * records. A change would make the index wrong, so it takes the INDEX flag off. */
#include "dir.h"
#include "fs.h"
#include "map.h"
#include <string.h>

static const uint8_t type_of_mode[16] = {
    [MODE_FIFO >> 12] = DIRENT_FIFO,           [MODE_CHARACTER >> 12] = DIRENT_CHARACTER,
    [MODE_DIRECTORY >> 12] = DIRENT_DIRECTORY, [MODE_BLOCK >> 12] = DIRENT_BLOCK,
    [MODE_REGULAR >> 12] = DIRENT_REGULAR,     [MODE_SYMLINK >> 12] = DIRENT_SYMLINK,
    [MODE_SOCKET >> 12] = DIRENT_SOCKET,
};
static const uint8_t mode_of_type[8] = {
    [DIRENT_FIFO] = MODE_FIFO >> 12,           [DIRENT_CHARACTER] = MODE_CHARACTER >> 12,
    [DIRENT_DIRECTORY] = MODE_DIRECTORY >> 12, [DIRENT_BLOCK] = MODE_BLOCK >> 12,
    [DIRENT_REGULAR] = MODE_REGULAR >> 12,     [DIRENT_SYMLINK] = MODE_SYMLINK >> 12,
    [DIRENT_SOCKET] = MODE_SOCKET >> 12,
};

/* ---- Records ---------------------------------------------------------------------------- */

/* The record at this offset of a block, or NULL if what is there makes no sense. */
static struct disk_dirent *record_at(const struct ext2 *fs, uint8_t *block, uint32_t offset)
{
    struct disk_dirent *record = (struct disk_dirent *)(block + offset);
    if (offset + sizeof *record > fs->block_size)
        return NULL;
    if (record->record_len < sizeof *record || record->record_len % 4 ||
        record->record_len > fs->block_size - offset)
        return NULL;
    if (!record->inode)
        return record;
    if (record->inode > fs->inodes || record->name_len == 0 ||
        DIRENT_SIZE(record->name_len) > record->record_len || (!fs->file_types && record->type))
        return NULL;
    return record;
}

static uint32_t record_room(const struct disk_dirent *record)
{
    return record->record_len - (record->inode ? DIRENT_SIZE(record->name_len) : 0);
}

static void record_set(const struct ext2 *fs, struct disk_dirent *record, uint32_t number,
                       unsigned mode)
{
    record->inode = number;
    record->type = fs->file_types ? type_of_mode[(mode & MODE_TYPE) >> 12] : 0;
}

static int block_get(struct ext2 *fs, struct inode *directory, uint32_t logical,
                     struct buffer **buffer)
{
    uint32_t physical;
    int error = map_lookup(fs, directory, logical, &physical);
    if (error)
        return error;
    return physical ? metadata_get(fs, physical, buffer) : fs_error(fs);
}

static void directory_changed(struct ext2 *fs, struct inode *directory)
{
    inode_changed(fs, directory);
    directory->disk->flags &= ~(uint32_t)EXT2_FLAG_INDEX;
    directory->disk->mtime = directory->disk->ctime = fs->now;
    if (fs->readdir_inode == directory->number)
        fs->readdir_inode = 0;
}

/* ---- Searching -------------------------------------------------------------------------- */

void slot_put(struct slot *slot)
{
    if (slot->buffer)
        cache_release(slot->buffer);
    slot->buffer = NULL;
}

static void slot_set(struct slot *slot, struct buffer *buffer, uint32_t offset,
                     const struct disk_dirent *record)
{
    buffer->pins++;
    *slot = (struct slot){buffer, offset, record->inode, record->type};
}

/* Searches one block: 1 if the name is in it (then *slot is its record), else 0; the first
 * record with room for `need` bytes goes into *space, unless that has one already. */
/* exercise 6.4 */
static int search_block(struct ext2 *fs, struct buffer *buffer, const char *name, size_t len,
                        struct slot *slot, uint32_t need, struct slot *space)
{
    uint32_t offset = 0;
    while (offset < fs->block_size) {
        const struct disk_dirent *record = record_at(fs, buffer->data, offset);
        if (!record)
            return fs_error(fs);
        if (record->name_len == len && record->inode && !memcmp(record->name, name, len)) {
            slot_set(slot, buffer, offset, record);
            return 1;
        }
        if (space && !space->buffer && record_room(record) >= need)
            slot_set(space, buffer, offset, record);
        offset += record->record_len;
    }
    return 0;
}
/* end 6.4 */

static int search(struct ext2 *fs, struct inode *directory, const char *name, size_t len,
                  struct slot *slot, struct slot *space)
{
    const uint32_t blocks = directory->disk->size >> fs->block_bits;
    const uint32_t need = DIRENT_SIZE(len);
    slot->buffer = NULL;
    for (uint32_t i = 0; i < blocks; i++) {
        struct buffer *buffer;
        int result = block_get(fs, directory, i, &buffer);
        if (result)
            return result;
        result = search_block(fs, buffer, name, len, slot, need, space);
        cache_release(buffer);
        if (result)
            return result < 0 ? result : 0;
    }
    return -ENOENT;
}

int dir_find(struct ext2 *fs, struct inode *directory, const char *name, size_t len,
             struct slot *slot)
{
    return search(fs, directory, name, len, slot, NULL);
}

int dir_find_space(struct ext2 *fs, struct inode *directory, const char *name, size_t len,
                   struct slot *slot)
{
    struct slot space = {0};
    int error = search(fs, directory, name, len, slot, &space);
    if (error == -ENOENT) {
        *slot = space;
        return 0;
    }
    slot_put(&space);
    return error ? error : -EEXIST;
}

int dir_parent(struct ext2 *fs, struct inode *directory, struct slot *slot)
{
    int error = dir_find(fs, directory, "..", 2, slot);
    return error == -ENOENT ? fs_error(fs) : error;
}

int dir_empty(struct ext2 *fs, struct inode *directory)
{
    const uint32_t blocks = directory->disk->size >> fs->block_bits;
    for (uint32_t i = 0; i < blocks; i++) {
        struct buffer *buffer;
        int error = block_get(fs, directory, i, &buffer);
        if (error)
            return error;
        for (uint32_t offset = 0; offset < fs->block_size && !error;) {
            const struct disk_dirent *record = record_at(fs, buffer->data, offset);
            if (!record) {
                error = fs_error(fs);
                break;
            }
            bool dots = record->name_len <= 2 && record->name[0] == '.' &&
                        (record->name_len == 1 || record->name[1] == '.');
            if (record->inode && !dots)
                error = -ENOTEMPTY;
            offset += record->record_len;
        }
        cache_release(buffer);
        if (error)
            return error;
    }
    return 0;
}

/* ---- Changing --------------------------------------------------------------------------- */

/* A new block at the end of the directory, pinned and added. */
static int block_append(struct ext2 *fs, struct inode *directory, struct buffer **buffer)
{
    const uint32_t size = directory->disk->size;
    uint32_t physical;
    if (size > INT32_MAX - fs->block_size)
        return -ENOSPC;
    int error = map_allocate(fs, directory, size >> fs->block_bits, &physical);
    if (error)
        return error;
    if (cache_take(fs, physical, buffer))
        return fs_error(fs);
    transaction_add(fs, *buffer);
    memset((*buffer)->data, 0, fs->block_size);
    inode_set_size(fs, directory, size + fs->block_size);
    return 0;
}

int dir_grow(struct ext2 *fs, struct inode *directory, struct slot *slot)
{
    struct buffer *buffer;
    int error = block_append(fs, directory, &buffer);
    if (error)
        return error;
    ((struct disk_dirent *)buffer->data)->record_len = (uint16_t)fs->block_size;
    *slot = (struct slot){.buffer = buffer};
    directory_changed(fs, directory);
    return 0;
}

int dir_make(struct ext2 *fs, struct inode *directory, uint32_t parent)
{
    struct buffer *buffer;
    int error = block_append(fs, directory, &buffer);
    if (error)
        return error;
    struct disk_dirent *dot = (struct disk_dirent *)buffer->data;
    dot->record_len = DIRENT_SIZE(1);
    dot->name_len = 1;
    memcpy(dot->name, ".", 1);
    record_set(fs, dot, directory->number, MODE_DIRECTORY);
    struct disk_dirent *dotdot = (struct disk_dirent *)(buffer->data + DIRENT_SIZE(1));
    dotdot->record_len = (uint16_t)(fs->block_size - DIRENT_SIZE(1));
    dotdot->name_len = 2;
    memcpy(dotdot->name, "..", 2);
    record_set(fs, dotdot, parent, MODE_DIRECTORY);
    directory->disk->links = 2;
    cache_release(buffer);
    return 0;
}

/* exercise 6.5 */
int dir_insert(struct ext2 *fs, struct inode *directory, struct slot *slot, const char *name,
               size_t len, const struct inode *inode)
{
    struct disk_dirent *record = record_at(fs, slot->buffer->data, slot->offset);
    if (!record || record_room(record) < DIRENT_SIZE(len))
        return fs_error(fs);
    transaction_add(fs, slot->buffer);
    if (record->inode) {
        /* Split: the name before keeps what it needs, the new one gets the rest. */
        const uint32_t used = DIRENT_SIZE(record->name_len), total = record->record_len;
        record->record_len = (uint16_t)used;
        slot->offset += used;
        record = (struct disk_dirent *)(slot->buffer->data + slot->offset);
        record->record_len = (uint16_t)(total - used);
    }
    record->name_len = (uint8_t)len;
    memcpy(record->name, name, len);
    record_set(fs, record, inode->number, inode->disk->mode);
    directory_changed(fs, directory);
    return 0;
}
/* end 6.5 */

int dir_replace(struct ext2 *fs, struct inode *directory, struct slot *slot,
                const struct inode *inode)
{
    struct disk_dirent *record = record_at(fs, slot->buffer->data, slot->offset);
    if (!record || !record->inode)
        return fs_error(fs);
    lookup_cache_drop(&fs->lookup_cache, directory->number, record->name, record->name_len);
    transaction_add(fs, slot->buffer);
    record_set(fs, record, inode->number, inode->disk->mode);
    directory_changed(fs, directory);
    return 0;
}

/* exercise 6.6 */
int dir_remove(struct ext2 *fs, struct inode *directory, struct slot *slot)
{
    struct disk_dirent *previous = NULL, *record;
    uint32_t offset = 0;
    while (offset < slot->offset) {
        previous = record_at(fs, slot->buffer->data, offset);
        if (!previous)
            return fs_error(fs);
        offset += previous->record_len;
    }
    record = offset == slot->offset ? record_at(fs, slot->buffer->data, offset) : NULL;
    if (!record || !record->inode)
        return fs_error(fs);
    lookup_cache_drop(&fs->lookup_cache, directory->number, record->name, record->name_len);
    transaction_add(fs, slot->buffer);
    record->inode = 0;
    if (previous)
        previous->record_len = (uint16_t)(previous->record_len + record->record_len);
    directory_changed(fs, directory);
    return 0;
}
/* end 6.6 */

/* ---- Reading ---------------------------------------------------------------------------- */

/* The first used record at or behind `from` in this block; 1 found, 0 none. */
static int read_block(struct ext2 *fs, struct buffer *buffer, uint32_t offset, uint32_t from,
                      struct ext2_dirent *entry, uint32_t *next)
{
    while (offset < fs->block_size) {
        const struct disk_dirent *record = record_at(fs, buffer->data, offset);
        if (!record)
            return fs_error(fs);
        if (offset >= from && record->inode) {
            entry->inode = record->inode;
            entry->type = record->type < sizeof mode_of_type ? mode_of_type[record->type] : 0;
            entry->name_len = record->name_len;
            memcpy(entry->name, record->name, record->name_len);
            entry->name[record->name_len] = '\0';
            *next = offset + record->record_len;
            return 1;
        }
        offset += record->record_len;
    }
    return 0;
}

static int read_from(struct ext2 *fs, struct inode *directory, uint64_t cookie,
                     struct ext2_dirent *entry, uint64_t *next)
{
    const uint32_t mask = fs->block_size - 1;
    const uint64_t size = directory->disk->size;
    /* Records begin where the last call stopped; anywhere else they must be counted off from
     * the start of the block, as the cookie may be older than the records. */
    bool known = fs->readdir_inode == directory->number && fs->readdir_cookie == cookie;
    while (cookie < size) {
        struct buffer *buffer;
        uint32_t from = (uint32_t)cookie & mask, end = 0;
        int result = block_get(fs, directory, (uint32_t)(cookie >> fs->block_bits), &buffer);
        if (result)
            return result;
        result = read_block(fs, buffer, known ? from : 0, from, entry, &end);
        cache_release(buffer);
        if (result < 0)
            return result;
        cookie -= from;
        *next = cookie + (result ? end : fs->block_size);
        if (result) {
            fs->readdir_inode = directory->number;
            fs->readdir_cookie = *next;
            return 1;
        }
        cookie = *next;
        known = true;
    }
    *next = cookie;
    return 0;
}

int ext2_readdir(struct ext2 *fs, uint32_t number, uint64_t cookie, struct ext2_dirent *entry,
                 uint64_t *next)
{
    struct inode directory;
    int result = inode_get_directory(fs, number, &directory);
    *next = cookie;
    if (result)
        return result == -ENOENT && inode_held(fs, number) ? 0 : result; /* removed: empty */
    result = read_from(fs, &directory, cookie, entry, next);
    inode_put(&directory);
    return result;
}
