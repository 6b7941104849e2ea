/* The operations that make and unmake names, and change an inode's attributes. Each looks and
 * checks first; then, inside its transaction, it takes what can run out (blocks, an inode),
 * giving it back if something is missing; only then it changes what others can see. */
#include "alloc.h"
#include "dir.h"
#include "fs.h"
#include "map.h"
#include "namei.h"
#include "orphan.h"
#include "removal.h"
#include <string.h>

/* ---- Making ----------------------------------------------------------------------------- */

struct node {
    uint32_t mode;
    const char *target; /* of a symbolic link */
    size_t target_len;
};

static int symlink_fill(struct ext2 *fs, struct inode *link, const struct node *node)
{
    struct buffer *buffer;
    uint32_t physical;
    inode_set_size(fs, link, node->target_len);
    if (node->target_len <= EXT2_FAST_SYMLINK_MAX) {
        memcpy(link->disk->block, node->target, node->target_len);
        return 0;
    }
    int error = map_allocate(fs, link, 0, &physical);
    if (error)
        return error;
    error = cache_take(fs, physical, &buffer);
    if (error)
        return fs_error(fs);
    transaction_order(fs, buffer);
    memset(buffer->data, 0, fs->block_size);
    memcpy(buffer->data, node->target, node->target_len);
    cache_release(buffer);
    return 0;
}

/* In a transaction: the new inode, complete but for a name. */
static int node_make(struct ext2 *fs, struct inode *parent, const struct node *node,
                     struct inode *inode)
{
    int error = inode_create(fs, parent, node->mode, inode);
    if (error)
        return error;
    if ((node->mode & MODE_TYPE) == MODE_DIRECTORY)
        error = dir_make(fs, inode, parent->number);
    else if ((node->mode & MODE_TYPE) == MODE_SYMLINK)
        error = symlink_fill(fs, inode, node);
    if (error)
        inode_discard(fs, inode);
    return error;
}

static int make_in(struct ext2 *fs, struct inode *parent, const char *name, size_t len,
                   const struct node *node, uint32_t *number)
{
    const bool directory = (node->mode & MODE_TYPE) == MODE_DIRECTORY;
    struct inode inode;
    struct slot slot;
    int error = dir_find_space(fs, parent, name, len, &slot);
    if (error)
        goto out;
    if (directory && parent->disk->links >= EXT2_LINK_MAX) {
        error = -EMLINK;
        goto out;
    }
    error = transaction_begin(fs);
    if (error)
        goto out;
    if (!slot.buffer)
        error = dir_grow(fs, parent, &slot);
    if (!error)
        error = node_make(fs, parent, node, &inode);
    if (error)
        goto abort;
    error = dir_insert(fs, parent, &slot, name, len, &inode);
    if (error) {
        inode_discard(fs, &inode);
        goto abort;
    }
    parent->disk->links += directory;
    *number = inode.number;
    inode_put(&inode);
    error = transaction_commit(fs);
    goto out;
abort:
    transaction_abort(fs);
out:
    slot_put(&slot);
    return error;
}

static int make(struct ext2 *fs, uint32_t parent, const char *name, size_t len,
                const struct node *node, uint32_t *number)
{
    struct inode directory;
    int error = name_check(name, len);
    if (!error)
        error = inode_get_directory(fs, parent, &directory);
    if (error)
        return error;
    error = make_in(fs, &directory, name, len, node, number);
    inode_put(&directory);
    return error;
}

int ext2_create(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t mode,
                uint32_t *number)
{
    struct node node = {.mode = MODE_REGULAR | (mode & MODE_PERMISSIONS)};
    return make(fs, parent, name, len, &node, number);
}

int ext2_mkdir(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t mode)
{
    struct node node = {.mode = MODE_DIRECTORY | (mode & MODE_PERMISSIONS)};
    uint32_t number;
    return make(fs, parent, name, len, &node, &number);
}

int ext2_symlink(struct ext2 *fs, uint32_t parent, const char *name, size_t len, const char *target,
                 size_t target_len)
{
    struct node node = {MODE_SYMLINK | 0777, target, target_len};
    uint32_t number;
    if (target_len == 0)
        return -ENOENT;
    if (target_len >= fs->block_size)
        return -ENAMETOOLONG;
    if (memchr(target, '\0', target_len))
        return -EINVAL;
    return make(fs, parent, name, len, &node, &number);
}

/* ---- Linking ---------------------------------------------------------------------------- */

static int link_in(struct ext2 *fs, struct inode *inode, struct inode *parent, const char *name,
                   size_t len)
{
    struct slot slot = {0};
    int error = dir_find_space(fs, parent, name, len, &slot);
    if (!error)
        error = transaction_begin(fs);
    if (error)
        goto out;
    if (!slot.buffer)
        error = dir_grow(fs, parent, &slot);
    if (!error)
        error = dir_insert(fs, parent, &slot, name, len, inode);
    if (error) {
        transaction_abort(fs);
        goto out;
    }
    inode_changed(fs, inode);
    inode->disk->links++;
    inode->disk->ctime = fs->now;
    error = transaction_commit(fs);
out:
    slot_put(&slot);
    return error;
}

int ext2_link(struct ext2 *fs, uint32_t number, uint32_t parent, const char *name, size_t len)
{
    struct inode inode, directory;
    int error = name_check(name, len);
    if (!error)
        error = inode_get_live(fs, number, &inode);
    if (error)
        return error;
    if (inode_type(&inode) == MODE_DIRECTORY)
        error = -EPERM;
    else if (inode.disk->links == 0)
        error = -ENOENT;
    else if (inode.disk->links >= EXT2_LINK_MAX)
        error = -EMLINK;
    else
        error = inode_get_directory(fs, parent, &directory);
    if (!error) {
        error = link_in(fs, &inode, &directory, name, len);
        inode_put(&directory);
    }
    inode_put(&inode);
    return error;
}

/* ---- Removing --------------------------------------------------------------------------- */

int removal_check(struct ext2 *fs, struct inode *inode)
{
    if (inode->number < fs->first_inode)
        return fs_error(fs); /* the root or a reserved inode under a common name */
    if (inode_type(inode) != MODE_DIRECTORY)
        return 0;
    int error = dir_empty(fs, inode);
    return error || inode->disk->links == 2 ? error : fs_error(fs);
}

/* exercise 6.9 */
void removal_apply(struct ext2 *fs, struct inode *inode, struct inode *parent)
{
    inode_changed(fs, inode);
    inode->disk->ctime = fs->now;
    inode->disk->links--;
    if (inode_type(inode) == MODE_DIRECTORY) {
        inode->disk->links = 0;
        inode_changed(fs, parent);
        parent->disk->links--;
    }
    if (inode->disk->links == 0)
        orphan_add(fs, inode);
}
/* end 6.9 */

int removal_finish(struct ext2 *fs, uint32_t number, bool dead)
{
    return dead && !inode_held(fs, number) ? inode_delete(fs, number) : 0;
}

static int remove_from(struct ext2 *fs, struct inode *parent, struct slot *slot, bool directory)
{
    struct inode inode;
    int error = inode_get_entry(fs, slot->inode, &inode);
    if (error)
        return error;
    if ((inode_type(&inode) == MODE_DIRECTORY) != directory)
        error = directory ? -ENOTDIR : -EISDIR;
    if (!error)
        error = removal_check(fs, &inode);
    if (!error && directory && parent->disk->links <= 2)
        error = fs_error(fs);
    if (!error)
        error = transaction_begin(fs);
    if (error) {
        inode_put(&inode);
        return error;
    }
    error = dir_remove(fs, parent, slot);
    if (!error)
        removal_apply(fs, &inode, parent);
    bool dead = inode.disk->links == 0;
    inode_put(&inode);
    if (error) {
        transaction_abort(fs);
        return error;
    }
    error = transaction_commit(fs);
    return error ? error : removal_finish(fs, slot->inode, dead);
}

static int remove_name(struct ext2 *fs, uint32_t number, const char *name, size_t len,
                       bool directory)
{
    struct inode parent;
    struct slot slot;
    int error = name_check(name, len);
    if (!error && name_is_dots(name, len))
        error = directory ? -EINVAL : -EISDIR;
    if (!error)
        error = inode_get_directory(fs, number, &parent);
    if (error)
        return error;
    error = dir_find(fs, &parent, name, len, &slot);
    if (!error) {
        error = remove_from(fs, &parent, &slot, directory);
        slot_put(&slot);
    }
    inode_put(&parent);
    return error;
}

int ext2_unlink(struct ext2 *fs, uint32_t parent, const char *name, size_t len)
{
    return remove_name(fs, parent, name, len, false);
}

int ext2_rmdir(struct ext2 *fs, uint32_t parent, const char *name, size_t len)
{
    return remove_name(fs, parent, name, len, true);
}

/* ---- Attributes ------------------------------------------------------------------------- */

int ext2_stat(struct ext2 *fs, uint32_t number, struct ext2_stat *stat)
{
    struct inode inode;
    int error = inode_get_live(fs, number, &inode);
    if (error)
        return error;
    const struct disk_inode *disk = inode.disk;
    *stat = (struct ext2_stat){
        .inode = number,
        .mode = disk->mode,
        .links = disk->links,
        .uid = disk->uid | (uint32_t)disk->uid_high << 16,
        .gid = disk->gid | (uint32_t)disk->gid_high << 16,
        .generation = disk->generation,
        .size = inode_size(&inode),
        .blocks = disk->sectors,
        .atime = disk->atime,
        .mtime = disk->mtime,
        .ctime = disk->ctime,
    };
    inode_put(&inode);
    return 0;
}

static int attributes_begin(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    int error = inode_get_live(fs, number, inode);
    if (error)
        return error;
    error = transaction_begin(fs);
    if (error) {
        inode_put(inode);
        return error;
    }
    inode_changed(fs, inode);
    inode->disk->ctime = fs->now;
    return 0;
}

static int attributes_commit(struct ext2 *fs, struct inode *inode)
{
    inode_put(inode);
    return transaction_commit(fs);
}

int ext2_chmod(struct ext2 *fs, uint32_t number, uint32_t mode)
{
    struct inode inode;
    int error = attributes_begin(fs, number, &inode);
    if (error)
        return error;
    inode.disk->mode = (uint16_t)((inode.disk->mode & MODE_TYPE) | (mode & MODE_PERMISSIONS));
    return attributes_commit(fs, &inode);
}

int ext2_utime(struct ext2 *fs, uint32_t number, uint32_t atime, uint32_t mtime)
{
    struct inode inode;
    int error = attributes_begin(fs, number, &inode);
    if (error)
        return error;
    inode.disk->atime = atime;
    inode.disk->mtime = mtime;
    return attributes_commit(fs, &inode);
}
