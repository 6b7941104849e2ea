/* Operations on an open file: data through lent windows, small writes inside the message. */
#include "fsclient/fsclient.h"
#include <string.h>

int64_t fs_word_call(handle_t file, uint32_t operation, uint64_t word)
{
    return call_words(file, operation, word, 0, 0);
}

static int64_t transfer(handle_t file, uint32_t operation, uint64_t offset, const void *buffer,
                        size_t len, unsigned access)
{
    struct message m;
    m.type = operation;
    m.len = 16;
    m.handle_count = 0;
    m.window_count = 1;
    m.request_id = 0;
    m.words[0] = offset;
    m.words[1] = len;
    m.words[2] = m.words[3] = 0;
    m.windows[0] = (struct window){(uint64_t)buffer, len, access};
    int error = channel_call(file, &m);
    if (error)
        return error;
    int64_t result = (int64_t)m.words[0];
    return result <= (int64_t)len ? result : -EPROTO;
}

int64_t fs_read(handle_t file, uint64_t offset, void *buffer, size_t len)
{
    return transfer(file, FS_READ, offset, buffer, len, WINDOW_WRITE);
}

int64_t fs_readdir(handle_t directory, uint64_t cookie, void *buffer, size_t len)
{
    return transfer(directory, FS_READDIR, cookie, buffer, len, WINDOW_WRITE);
}

static int64_t write_inline(handle_t file, uint64_t offset, const void *buffer, size_t len)
{
    struct message m;
    m.type = FS_WRITE;
    m.len = (uint16_t)(16 + len);
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    m.words[0] = offset;
    m.words[1] = len;
    memcpy(m.data + 16, buffer, len);
    int error = channel_call(file, &m);
    if (error)
        return error;
    int64_t result = (int64_t)m.words[0];
    return result <= (int64_t)len ? result : -EPROTO;
}

int64_t fs_write(handle_t file, uint64_t offset, const void *buffer, size_t len)
{
    if (len <= FS_INLINE_DATA)
        return write_inline(file, offset, buffer, len);
    return transfer(file, FS_WRITE, offset, buffer, len, WINDOW_READ);
}

int64_t fs_seek(handle_t file, int64_t offset, unsigned whence)
{
    return call_words(file, FS_SEEK, (uint64_t)offset, whence, 0);
}

int fs_truncate_open(handle_t file, uint64_t size)
{
    return (int)fs_word_call(file, FS_FTRUNCATE, size);
}

int fs_fsync(handle_t file)
{
    return (int)fs_word_call(file, FS_FSYNC, 0);
}

int fs_close(handle_t file)
{
    return (int)fs_word_call(file, FS_CLOSE, 0);
}

int64_t fs_poll(handle_t file, unsigned events)
{
    return fs_word_call(file, FS_POLL, events);
}

static int stat_reply(const struct message *m, struct fs_stat *stat)
{
    const struct fs_stat_reply *reply = (const struct fs_stat_reply *)m->data;
    if (reply->result < 0)
        return (int)reply->result;
    if (m->len < sizeof *reply)
        return -EPROTO;
    *stat = reply->stat;
    return 0;
}

int fs_fstat(handle_t file, struct fs_stat *stat)
{
    struct message m = {.type = FS_FSTAT, .len = 8};
    int error = channel_call(file, &m);
    return error ? error : stat_reply(&m, stat);
}

int fs_statfs(handle_t root, struct fs_statfs_reply *reply)
{
    struct message m = {.type = FS_STATFS, .len = 8};
    int error = channel_call(root, &m);
    if (error)
        return error;
    memcpy(reply, m.data, sizeof *reply);
    if (reply->result < 0)
        return (int)reply->result;
    return m.len >= sizeof *reply ? 0 : -EPROTO;
}

int fs_sync(handle_t root)
{
    return (int)fs_word_call(root, FS_SYNC, 0);
}

int64_t fs_sync_start(handle_t root, handle_t channel, unsigned bit)
{
    struct message m = {.type = FS_SYNC_ASYNC, .len = 8, .handle_count = 1};
    m.words[0] = bit;
    m.handles[0] = channel;
    int error = channel_call(root, &m);
    return error ? error : (int64_t)m.words[0];
}

int64_t fs_job(handle_t root, int64_t job)
{
    return fs_word_call(root, FS_JOB_STATUS, (uint64_t)job);
}
