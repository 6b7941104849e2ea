/* The orphan list, and the two ways off it: inode_trim and inode_delete. Invariant: an inode with
 * links == 0 that is in use is in the list; dtime of an inode in use is 0 unless it is. */
#include "orphan.h"
#include "alloc.h"
#include "fs.h"
#include "map.h"

void orphan_add(struct ext2 *fs, struct inode *inode)
{
    inode_changed(fs, inode);
    transaction_add(fs, fs->super_buffer);
    inode->disk->dtime = fs->super->last_orphan;
    fs->super->last_orphan = inode->number;
}

int orphan_remove(struct ext2 *fs, struct inode *inode)
{
    uint32_t at = fs->super->last_orphan;
    if (at == inode->number) {
        transaction_add(fs, fs->super_buffer);
        inode_changed(fs, inode);
        fs->super->last_orphan = inode->disk->dtime;
        return 0;
    }
    for (uint32_t i = 0; i < fs->inodes && at; i++) {
        struct inode previous;
        int error = inode_get(fs, at, &previous);
        if (error)
            return fs_error(fs);
        at = previous.disk->dtime;
        if (at == inode->number) {
            inode_changed(fs, &previous);
            inode_changed(fs, inode);
            previous.disk->dtime = inode->disk->dtime;
        }
        inode_put(&previous);
        if (at == inode->number)
            return 0;
    }
    return fs_error(fs);
}

int inode_trim(struct ext2 *fs, struct inode *inode)
{
    const bool linked = inode->disk->links > 0;
    int error = 0;
    if (!inode_has_blocks(fs, inode))
        return 0;
    if (linked)
        orphan_add(fs, inode);
    error = map_free(fs, inode, (inode_size(inode) + fs->block_size - 1) >> fs->block_bits);
    if (!error && linked) {
        error = orphan_remove(fs, inode);
        if (!error)
            inode->disk->dtime = 0;
    }
    return error;
}

/* An attribute block may be shared; the last owner frees it. */
static int attributes_free(struct ext2 *fs, struct inode *inode)
{
    const uint32_t block = inode->disk->attribute_block;
    struct buffer *buffer;
    if (!block)
        return 0;
    if (!fs_block_valid(fs, block))
        return fs_error(fs);
    int error = metadata_get(fs, block, &buffer);
    if (error)
        return error;
    struct attribute_header *header = (struct attribute_header *)buffer->data;
    if (header->magic != EXT2_ATTRIBUTE_MAGIC || header->references == 0) {
        error = fs_error(fs);
    } else if (header->references > 1) {
        transaction_add(fs, buffer);
        header->references--;
    } else {
        cache_release(buffer);
        buffer = NULL;
        error = block_free(fs, block, true);
    }
    if (buffer)
        cache_release(buffer);
    if (!error) {
        inode_changed(fs, inode);
        inode->disk->attribute_block = 0;
    }
    return error;
}

int inode_delete(struct ext2 *fs, uint32_t number)
{
    struct inode inode;
    int error = transaction_begin(fs);
    if (error)
        return error;
    error = inode_get(fs, number, &inode);
    if (error)
        goto abort;
    if (inode_has_blocks(fs, &inode))
        error = map_free(fs, &inode, 0);
    if (!error)
        error = transaction_restart(fs);
    if (!error)
        error = attributes_free(fs, &inode);
    if (!error)
        error = orphan_remove(fs, &inode);
    if (!error) {
        error = inode_free(fs, number, inode_type(&inode) == MODE_DIRECTORY);
        if (error)
            orphan_add(fs, &inode); /* e2fsck is to find it */
    }
    if (!error) {
        inode_set_size(fs, &inode, 0);
        inode.disk->sectors = 0;
        inode.disk->dtime = fs->now;
    }
    inode_put(&inode);
abort:
    if (error)
        transaction_abort(fs);
    else
        error = transaction_commit(fs);
    return error;
}

static int recover_one(struct ext2 *fs, uint32_t number)
{
    struct inode inode;
    if (number < fs->first_inode || number > fs->inodes)
        return fs_error(fs);
    int error = inode_get(fs, number, &inode);
    if (error)
        return error;
    bool linked = inode.disk->links > 0;
    inode_put(&inode);
    if (!linked)
        return inode_delete(fs, number);

    error = transaction_begin(fs);
    if (!error)
        error = inode_get(fs, number, &inode);
    if (error)
        return error;
    error = orphan_remove(fs, &inode);
    if (!error) {
        inode.disk->dtime = 0;
        error = inode_trim(fs, &inode);
    }
    inode_put(&inode);
    if (error)
        transaction_abort(fs);
    else
        error = transaction_commit(fs);
    return error;
}

int orphans_recover(struct ext2 *fs)
{
    if (fs->super->last_orphan && (fs->mount_state & EXT2_STATE_ERROR)) {
        /* The list is not to be trusted; e2fsck will look at everything anyway. */
        int error = transaction_begin(fs);
        if (error)
            return error;
        transaction_add(fs, fs->super_buffer);
        fs->super->last_orphan = 0;
        return transaction_commit(fs);
    }
    /* Every round takes the head off, so a list that runs in a circle ends all the same: what
     * has been dealt with has dtime 0, or is free and met as damage. */
    int error = 0;
    while (fs->super->last_orphan && !error)
        error = recover_one(fs, fs->super->last_orphan);
    return error;
}

int orphans_finish(struct ext2 *fs)
{
    uint32_t at = fs->super->last_orphan;
    for (uint32_t i = 0; i < fs->inodes && at; i++) {
        struct inode inode;
        const uint32_t number = at;
        int error = inode_get(fs, number, &inode);
        if (error)
            return error;
        at = inode.disk->dtime;
        bool stays = !inode.disk->links && inode_held(fs, number);
        inode_put(&inode);
        if (!stays)
            error = recover_one(fs, number);
        if (error)
            return error;
    }
    return 0;
}
