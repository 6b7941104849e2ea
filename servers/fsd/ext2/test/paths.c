/* Paths to parents and names, for the tests. */
#include "paths.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct place {
    uint32_t parent;
    char name[EXT2_NAME_MAX + 1];
    size_t len;
};

static int place_find(struct ext2 *fs, const char *path, struct place *place)
{
    return ext2_walk_parent(fs, EXT2_ROOT_INODE, path, strlen(path), &place->parent, place->name,
                            &place->len);
}

int path_walk(struct ext2 *fs, const char *path, bool follow, uint32_t *inode)
{
    return ext2_walk(fs, EXT2_ROOT_INODE, path, strlen(path), follow, inode);
}

int path_create(struct ext2 *fs, const char *path, uint32_t *inode)
{
    struct place at;
    int error = place_find(fs, path, &at);
    return error ? error : ext2_create(fs, at.parent, at.name, at.len, 0644, inode);
}

int path_mkdir(struct ext2 *fs, const char *path)
{
    struct place at;
    int error = place_find(fs, path, &at);
    return error ? error : ext2_mkdir(fs, at.parent, at.name, at.len, 0755);
}

int path_rmdir(struct ext2 *fs, const char *path)
{
    struct place at;
    int error = place_find(fs, path, &at);
    return error ? error : ext2_rmdir(fs, at.parent, at.name, at.len);
}

int path_unlink(struct ext2 *fs, const char *path)
{
    struct place at;
    int error = place_find(fs, path, &at);
    return error ? error : ext2_unlink(fs, at.parent, at.name, at.len);
}

int path_link(struct ext2 *fs, const char *old, const char *path)
{
    struct place at;
    uint32_t inode;
    int error = path_walk(fs, old, false, &inode);
    if (!error)
        error = place_find(fs, path, &at);
    return error ? error : ext2_link(fs, inode, at.parent, at.name, at.len);
}

int path_symlink(struct ext2 *fs, const char *target, const char *path)
{
    struct place at;
    int error = place_find(fs, path, &at);
    return error ? error : ext2_symlink(fs, at.parent, at.name, at.len, target, strlen(target));
}

int path_readlink(struct ext2 *fs, const char *path, char *buffer, size_t size)
{
    uint32_t inode;
    int error = path_walk(fs, path, false, &inode);
    return error ? error : ext2_readlink(fs, inode, buffer, size);
}

int path_rename(struct ext2 *fs, const char *from, const char *to)
{
    struct place a, b;
    int error = place_find(fs, from, &a);
    if (!error)
        error = place_find(fs, to, &b);
    return error ? error : ext2_rename(fs, a.parent, a.name, a.len, b.parent, b.name, b.len);
}

int path_stat(struct ext2 *fs, const char *path, struct ext2_stat *stat)
{
    uint32_t inode;
    int error = path_walk(fs, path, false, &inode);
    return error ? error : ext2_stat(fs, inode, stat);
}

int path_truncate(struct ext2 *fs, const char *path, uint64_t size)
{
    uint32_t inode;
    int error = path_walk(fs, path, true, &inode);
    return error ? error : ext2_truncate(fs, inode, size);
}

int64_t path_read(struct ext2 *fs, const char *path, uint64_t offset, void *data, size_t length)
{
    uint32_t inode;
    int error = path_walk(fs, path, true, &inode);
    return error ? error : ext2_read(fs, inode, offset, data, length);
}

int64_t path_write(struct ext2 *fs, const char *path, uint64_t offset, const void *data,
                   size_t length)
{
    uint32_t inode;
    int error = path_walk(fs, path, true, &inode);
    if (error == -ENOENT)
        error = path_create(fs, path, &inode);
    return error ? error : ext2_write(fs, inode, offset, data, length);
}

int path_list(struct ext2 *fs, const char *path, char *out, size_t size)
{
    struct ext2_dirent entry;
    uint64_t cookie = 0;
    uint32_t inode;
    size_t used = 0;
    out[0] = '\0';
    int result = path_walk(fs, path, true, &inode);
    while (!result && (result = ext2_readdir(fs, inode, cookie, &entry, &cookie)) == 1) {
        result = 0;
        if (!strcmp(entry.name, ".") || !strcmp(entry.name, ".."))
            continue;
        used += (size_t)snprintf(out + used, used < size ? size - used : 0, "%s%s", used ? " " : "",
                                 entry.name);
    }
    return result;
}
