/* The file protocol (proto/fs.h) as functions: one call to a server each, results >= 0 or -errno.
 *
 * A "root" is the handle that a name resolves to, or an open directory; paths on it are relative,
 * already folded, and NUL-terminated. Long paths and bulk data are lent, never copied here. */
#pragma once

#include "cairn/ipc.h"
#include "proto/fs.h"

/* fs_open: a new handle to close with handle_close. reply (or NULL) tells what was opened. */
handle_t fs_open(handle_t root, const char *path, unsigned flags, unsigned mode,
                 struct fs_open_reply *reply);

/* Bytes moved, less than len only at the end of file (read), for a pipe or terminal, or when an
 * error came behind the first bytes. offset may be FS_OFFSET_CURRENT. */
int64_t fs_read(handle_t file, uint64_t offset, void *buffer, size_t len);
int64_t fs_write(handle_t file, uint64_t offset, const void *buffer, size_t len);
int64_t fs_readdir(handle_t directory, uint64_t cookie, void *buffer, size_t len);
int64_t fs_seek(handle_t file, int64_t offset, unsigned whence);
int fs_truncate_open(handle_t file, uint64_t size);
int fs_fsync(handle_t file);
int fs_close(handle_t file); /* reports late write errors; the handle must still be closed */
int64_t fs_poll(handle_t file, unsigned events);

int fs_stat(handle_t root, const char *path, unsigned flags, struct fs_stat *stat);
int fs_fstat(handle_t file, struct fs_stat *stat);
int fs_statfs(handle_t root, struct fs_statfs_reply *reply);
int fs_sync(handle_t root);

/* fs_sync_start: the async pattern. A job id (> 0) at once; the server goes on between other
 * requests, and when it is done pulses this bit of the channel. fs_job: 0 done, 1 running, or
 * what it failed with. */
int64_t fs_sync_start(handle_t root, handle_t channel, unsigned bit);
int64_t fs_job(handle_t root, int64_t job);

/* mkdir, rmdir, unlink, truncate, chmod, utime: operation = FS_MKDIR ... */
int64_t fs_path_operation(handle_t root, uint32_t operation, const char *path, unsigned flags,
                          unsigned mode, uint64_t size);
int64_t fs_readlink(handle_t root, const char *path, char *buffer, size_t size);
/* rename, link, symlink */
int64_t fs_two_paths(handle_t root, uint32_t operation, const char *old, const char *new);

/* fs_word_call: a call of one word, such as FS_FSYNC or a console operation. */
int64_t fs_word_call(handle_t file, uint32_t operation, uint64_t word);

/* The same on URIs: fs_locate gives root and path (size bytes) of a name; fs_retry says whether
 * to locate and try once more, because the server behind the name has been replaced. */
handle_t fs_locate(const char *uri, char *path, size_t size);
int fs_retry(const char *uri, int64_t result, int tries);
handle_t fs_open_uri(const char *uri, unsigned flags, unsigned mode, struct fs_open_reply *reply);

/* fs_load: a whole file as a new memory object (to be closed by the caller), e.g. to be spawned;
 * its size in *size. */
handle_t fs_load(handle_t file, size_t *size);
