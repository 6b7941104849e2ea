/* From names and paths to inode numbers.
 *
 * Symbolic links are followed by recursion on their text, which stays in its pinned block
 * meanwhile. All links of one walk count together, so at most EXT2_SYMLINK_DEPTH blocks are
 * pinned, and links that name links cannot multiply. */
#include "namei.h"
#include "dir.h"
#include "fs.h"
#include "map.h"
#include <string.h>

int name_check(const char *name, size_t len)
{
    if (len == 0)
        return -EINVAL;
    if (len > EXT2_NAME_MAX)
        return -ENAMETOOLONG;
    return memchr(name, '/', len) || memchr(name, '\0', len) ? -EINVAL : 0;
}

bool name_is_dots(const char *name, size_t len)
{
    return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

int ext2_lookup(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t *number)
{
    struct inode directory;
    struct slot slot;
    int error = name_check(name, len);
    if (error)
        return error;
    *number = lookup_cache_find(&fs->lookup_cache, parent, name, len);
    if (*number)
        return 0;
    error = inode_get_directory(fs, parent, &directory);
    if (error)
        return error;
    error = dir_find(fs, &directory, name, len, &slot);
    if (!error) {
        *number = slot.inode;
        slot_put(&slot);
        if (!name_is_dots(name, len)) /* these go without dir_remove when the directory goes */
            lookup_cache_put(&fs->lookup_cache, parent, name, len, *number);
    }
    inode_put(&directory);
    return error;
}

/* ---- Symbolic links ---------------------------------------------------------------------- */

/* The text of a link: in the inode itself, or in a block of its own, pinned into *buffer. */
static int link_text(struct ext2 *fs, struct inode *link, const char **text, size_t *len,
                     struct buffer **buffer)
{
    const uint64_t size = inode_size(link);
    *buffer = NULL;
    if (!inode_has_blocks(fs, link)) {
        if (size == 0 || size > EXT2_FAST_SYMLINK_MAX)
            return fs_error(fs);
        *text = (const char *)link->disk->block;
    } else {
        uint32_t physical;
        if (size == 0 || size > fs->block_size)
            return fs_error(fs);
        int error = map_lookup(fs, link, 0, &physical);
        if (!error)
            error = physical ? cache_get(fs, physical, buffer) : fs_error(fs);
        if (error)
            return error;
        *text = (const char *)(*buffer)->data;
    }
    *len = (size_t)size;
    return 0;
}

int ext2_readlink(struct ext2 *fs, uint32_t number, char *target, size_t size)
{
    struct inode link;
    struct buffer *buffer;
    const char *text;
    size_t len;
    int error = inode_get_live(fs, number, &link);
    if (error)
        return error;
    error =
        inode_type(&link) == MODE_SYMLINK ? link_text(fs, &link, &text, &len, &buffer) : -EINVAL;
    if (!error) {
        len = len < size ? len : size;
        memcpy(target, text, len);
        if (buffer)
            cache_release(buffer);
    }
    inode_put(&link);
    return error ? error : (int)len;
}

/* ---- Walking ---------------------------------------------------------------------------- */

static int walk(struct ext2 *fs, uint32_t start, const char *path, size_t len, bool follow,
                unsigned *links, uint32_t *number);

/* If *number is a symbolic link in `directory`, replaces it by what the link names. */
static int follow_link(struct ext2 *fs, uint32_t directory, unsigned *links, uint32_t *number)
{
    struct inode inode;
    struct buffer *buffer;
    const char *text;
    size_t len;
    int error = inode_get_entry(fs, *number, &inode);
    if (error)
        return error;
    if (inode_type(&inode) != MODE_SYMLINK)
        goto out;
    if (++*links > EXT2_SYMLINK_DEPTH) {
        error = -ELOOP;
        goto out;
    }
    error = link_text(fs, &inode, &text, &len, &buffer);
    if (error)
        goto out;
    uint32_t start = text[0] == '/' ? EXT2_ROOT_INODE : directory;
    error = walk(fs, start, text, len, true, links, number);
    if (buffer)
        cache_release(buffer);
out:
    inode_put(&inode);
    return error;
}

/* The next segment of a path, without the slashes and "." segments before it; len 0: none. */
static void segment_next(const char *path, size_t len, size_t *at, size_t *segment)
{
    for (;;) {
        while (*at < len && path[*at] == '/')
            ++*at;
        size_t end = *at;
        while (end < len && path[end] != '/')
            end++;
        *segment = end - *at;
        if (*segment != 1 || path[*at] != '.')
            return;
        *at = end;
    }
}

static int walk(struct ext2 *fs, uint32_t start, const char *path, size_t len, bool follow,
                unsigned *links, uint32_t *number)
{
    uint32_t here = start;
    size_t at = 0, segment;
    segment_next(path, len, &at, &segment);
    while (segment > 0) {
        uint32_t found;
        int error = ext2_lookup(fs, here, path + at, segment, &found);
        if (error)
            return error;
        at += segment;
        /* What has a slash behind it is to be a directory, so a link there is followed. */
        bool slash = at < len;
        segment_next(path, len, &at, &segment);
        if (slash || follow)
            error = follow_link(fs, here, links, &found);
        if (error)
            return error;
        here = found;
        if (slash && segment == 0) {
            struct inode directory;
            error = inode_get_directory(fs, here, &directory);
            if (error)
                return error;
            inode_put(&directory);
        }
    }
    *number = here;
    return 0;
}

int ext2_walk(struct ext2 *fs, uint32_t start, const char *path, size_t len, bool follow,
              uint32_t *number)
{
    unsigned links = 0;
    return walk(fs, start, path, len, follow, &links, number);
}

int ext2_walk_parent(struct ext2 *fs, uint32_t start, const char *path, size_t len,
                     uint32_t *parent, char *name, size_t *name_len)
{
    while (len > 0 && path[len - 1] == '/')
        len--;
    size_t first = len;
    while (first > 0 && path[first - 1] != '/')
        first--;
    if (first == len || name_is_dots(path + first, len - first))
        return -EINVAL;
    int error = name_check(path + first, len - first);
    if (error)
        return error;
    memcpy(name, path + first, len - first);
    name[len - first] = '\0';
    *name_len = len - first;

    struct inode directory;
    error = ext2_walk(fs, start, path, first, true, parent);
    if (!error)
        error = inode_get_directory(fs, *parent, &directory);
    if (!error)
        inode_put(&directory);
    return error;
}
