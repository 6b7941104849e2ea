/* The core's operations by absolute path, as a server would do them. Results are the core's. */
#pragma once

#include "../ext2.h"

int path_walk(struct ext2 *fs, const char *path, bool follow, uint32_t *inode);
int path_create(struct ext2 *fs, const char *path, uint32_t *inode);
int path_mkdir(struct ext2 *fs, const char *path);
int path_rmdir(struct ext2 *fs, const char *path);
int path_unlink(struct ext2 *fs, const char *path);
int path_link(struct ext2 *fs, const char *old, const char *path);
int path_symlink(struct ext2 *fs, const char *target, const char *path);
int path_readlink(struct ext2 *fs, const char *path, char *buffer, size_t size);
int path_rename(struct ext2 *fs, const char *from, const char *to);
int path_stat(struct ext2 *fs, const char *path, struct ext2_stat *stat); /* does not follow */
int path_truncate(struct ext2 *fs, const char *path, uint64_t size);
int64_t path_read(struct ext2 *fs, const char *path, uint64_t offset, void *data, size_t length);
/* path_write creates the file if there is none. */
int64_t path_write(struct ext2 *fs, const char *path, uint64_t offset, const void *data,
                   size_t length);

/* The names in a directory in its order, without the dots, separated by spaces. */
int path_list(struct ext2 *fs, const char *path, char *out, size_t size);
