/* rename: a name moves, replaces another, and a directory's ".." follows. Everything is looked
 * up, pinned and checked first; what can run out is at most the block for a new record. */
#include "dir.h"
#include "fs.h"
#include "namei.h"
#include "removal.h"

/* All that takes part. `target` exists only if to.inode does. */
struct renaming {
    struct inode from_parent, to_parent, node, target;
    struct slot from, to, dotdot; /* dotdot: only if a directory changes its parent */
    bool directory, replaces, moves;
};

/* Is `number` the directory `at`, or above it? EINVAL if so. A chain of ".." longer than there
 * are inodes is a circle. */
static int ancestor_check(struct ext2 *fs, uint32_t number, uint32_t at)
{
    for (uint32_t i = 0; i < fs->inodes; i++) {
        struct inode directory;
        struct slot slot;
        if (at == number)
            return -EINVAL;
        if (at == EXT2_ROOT_INODE)
            return 0;
        int error = inode_get_directory(fs, at, &directory);
        if (error)
            return error == -EIO ? error : fs_error(fs);
        error = dir_parent(fs, &directory, &slot);
        inode_put(&directory);
        if (error)
            return error;
        at = slot.inode;
        slot_put(&slot);
    }
    return fs_error(fs);
}

/* What the name that exists already forbids. */
static int target_check(struct ext2 *fs, struct renaming *rename)
{
    if ((inode_type(&rename->target) == MODE_DIRECTORY) != rename->directory)
        return rename->directory ? -ENOTDIR : -EISDIR;
    int error = removal_check(fs, &rename->target);
    if (!error && rename->directory && rename->to_parent.disk->links <= 2)
        error = fs_error(fs);
    return error;
}

static int check(struct ext2 *fs, struct renaming *rename)
{
    int error = 0;
    if (rename->node.number < fs->first_inode)
        return fs_error(fs);
    if (rename->directory) {
        error = ancestor_check(fs, rename->node.number, rename->to_parent.number);
        if (!error && rename->moves)
            error = dir_parent(fs, &rename->node, &rename->dotdot);
        if (!error && rename->moves &&
            (rename->dotdot.inode != rename->from_parent.number ||
             rename->from_parent.disk->links <= 2))
            error = fs_error(fs);
    }
    if (!error && rename->replaces)
        return target_check(fs, rename);
    if (!error && rename->directory && rename->moves &&
        rename->to_parent.disk->links >= EXT2_LINK_MAX)
        error = -EMLINK;
    return error;
}

static int apply(struct ext2 *fs, struct renaming *rename, const char *name, size_t len)
{
    int error = 0;
    if (!rename->to.buffer)
        error = dir_grow(fs, &rename->to_parent, &rename->to);
    if (error)
        return error;
    if (rename->replaces)
        error = dir_replace(fs, &rename->to_parent, &rename->to, &rename->node);
    else
        error = dir_insert(fs, &rename->to_parent, &rename->to, name, len, &rename->node);
    if (!error)
        error = dir_remove(fs, &rename->from_parent, &rename->from);
    if (!error && rename->dotdot.buffer)
        error = dir_replace(fs, &rename->node, &rename->dotdot, &rename->to_parent);
    if (error)
        return error;
    if (rename->replaces)
        removal_apply(fs, &rename->target, &rename->to_parent);
    if (rename->dotdot.buffer) {
        rename->from_parent.disk->links--;
        rename->to_parent.disk->links++;
    }
    inode_changed(fs, &rename->node);
    rename->node.disk->ctime = fs->now;
    return 0;
}

/* Both parents and the moving inode are there; looks at the target, then acts. */
static int rename_node(struct ext2 *fs, struct renaming *rename, const char *name, size_t len)
{
    bool dead = false;
    rename->directory = inode_type(&rename->node) == MODE_DIRECTORY;
    rename->moves = rename->from_parent.number != rename->to_parent.number;
    int error = dir_find_space(fs, &rename->to_parent, name, len, &rename->to);
    if (error == -EEXIST) {
        error = 0;
        if (rename->to.inode == rename->node.number)
            goto out; /* two names of one file: nothing happens, says POSIX */
        error = inode_get_entry(fs, rename->to.inode, &rename->target);
        rename->replaces = !error;
    }
    const uint32_t target = rename->to.inode;
    if (!error)
        error = check(fs, rename);
    if (!error)
        error = transaction_begin(fs);
    if (error)
        goto out;
    error = apply(fs, rename, name, len);
    dead = rename->replaces && rename->target.disk->links == 0;
    if (error)
        transaction_abort(fs);
    else
        error = transaction_commit(fs);
    if (!error)
        error = removal_finish(fs, target, dead);
out:
    slot_put(&rename->dotdot);
    if (rename->replaces)
        inode_put(&rename->target);
    slot_put(&rename->to);
    return error;
}

int ext2_rename(struct ext2 *fs, uint32_t from_parent, const char *from, size_t from_len,
                uint32_t to_parent, const char *to, size_t to_len)
{
    struct renaming rename = {0};
    int error = name_check(from, from_len);
    if (!error)
        error = name_check(to, to_len);
    if (error)
        return error;
    if (name_is_dots(from, from_len) || name_is_dots(to, to_len))
        return -EINVAL;
    error = inode_get_directory(fs, from_parent, &rename.from_parent);
    if (error)
        return error;
    error = inode_get_directory(fs, to_parent, &rename.to_parent);
    if (error)
        goto put_from_parent;
    error = dir_find(fs, &rename.from_parent, from, from_len, &rename.from);
    if (error)
        goto put_to_parent;
    error = inode_get_entry(fs, rename.from.inode, &rename.node);
    if (error)
        goto put_from;
    error = rename_node(fs, &rename, to, to_len);
    inode_put(&rename.node);
put_from:
    slot_put(&rename.from);
put_to_parent:
    inode_put(&rename.to_parent);
put_from_parent:
    inode_put(&rename.from_parent);
    return error;
}
