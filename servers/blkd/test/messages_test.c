/* Sends blkd malformed messages, on its root, on files, on the directory and on block sessions:
 * each gets its error and leaves nothing behind. */
#include "proto/blk.h"
#include "proto/fs.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <string.h>

static struct host_process *client;
static int root, gift, file, directory, block, small_block;

static int open_disk(uint32_t type, const char *path, uint32_t flags)
{
    struct message m = {.type = type, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *r = (struct fs_path_request *)m.data;
    r->flags = flags;
    r->path_len = (uint32_t)strlen(path);
    memcpy(r->path, path, r->path_len);
    int64_t result = host_result(client, root, &m, NULL);
    return result < 0 ? (int)result : m.handles[0];
}

static const struct row root_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 401, .len = 48},
    {"open cut in its head", -EINVAL, FS_OPEN, 23},
    {"open with a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 1)},
    {"a disk that is not there", -ENOENT, FS_OPEN, 25, PATH_WORDS(FS_O_READ, 0, 1), "2", 24},
    {"a disk that is no number", -ENOENT, FS_OPEN, 25, PATH_WORDS(FS_O_READ, 0, 1), "x", 24},
    {"a number too long", -ENOENT, FS_OPEN, 44, PATH_WORDS(FS_O_READ, 0, 20),
     "00000000000000000000", 24},
    {"a number that wraps", -ENOENT, FS_OPEN, 34, PATH_WORDS(FS_O_READ, 0, 10), "4294967296", 24},
    {"a huge path", -ENOENT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, UINT32_MAX)},
    {"a NUL in the path", -EINVAL, FS_OPEN, 26, PATH_WORDS(FS_O_READ, 0, 2), "0\0", 24, 2},
    {"a disk as a directory", -ENOTDIR, FS_OPEN, 25, PATH_WORDS(FS_O_DIRECTORY, 0, 1), "0", 24},
    {"a disk, made anew", -EEXIST, FS_OPEN, 25, PATH_WORDS(FS_O_CREATE | FS_O_EXCLUSIVE, 0, 1), "0",
     24},
    {"a read-only disk for writing", -EROFS, FS_OPEN, 25, PATH_WORDS(FS_O_WRITE, 0, 1), "1", 24},
    {"the directory for writing", -EISDIR, FS_OPEN, 24, PATH_WORDS(FS_O_WRITE, 0, 0)},
    {"a channel to the directory", -EISDIR, BLK_CHANNEL, 24, PATH_WORDS(0, 0, 0)},
    {"a channel cut in its head", -EINVAL, BLK_CHANNEL, 8},
    {"a channel to no disk", -ENOENT, BLK_CHANNEL, 25, PATH_WORDS(0, 0, 1), "9", 24},
    {"read the root", -EISDIR, FS_READ, 16, {0, 512}},
    {"handles for nothing", -EISDIR, FS_READ, 16, {0, 512}, .handles = 4},
    {"readdir on the root handle at its own offset", -EINVAL, FS_READDIR, 16,
     {FS_OFFSET_CURRENT, 64}, .windows = 1, .window = {{64, WINDOW_WRITE, 64}}},
    {"seek on the root handle", -EINVAL, FS_SEEK, 16},
};

#define CURRENT FS_OFFSET_CURRENT
static const struct row file_rows[] = {
    {"read cut in its head", -EINVAL, FS_READ, 15, {0, 1}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 512}},
    {"read more than the window takes", -EINVAL, FS_READ, 16, {0, 513}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read into a window for reading", -EINVAL, FS_READ, 16, {0, 512}, .windows = 1,
     .window = {{512, WINDOW_READ, 512}}},
    {"read into memory that is not there", -EFAULT, FS_READ, 16, {0, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 0}}},
    {"read behind the end", 0, FS_READ, 16, {SERVE_SECTORS * 512ul, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read at the end of all numbers", 0, FS_READ, 16, {UINT64_MAX - 1, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read across the end", 12, FS_READ, 16, {SERVE_SECTORS * 512ul - 12, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"write more than came", -EINVAL, FS_WRITE, 20, {0, 5}, "abcd", 16},
    {"write a wrapping length", -EINVAL, FS_WRITE, 216, {0, UINT64_MAX}},
    {"write behind the end", -ENOSPC, FS_WRITE, 17, {SERVE_SECTORS * 512ul, 1}, "a", 16},
    {"write at the end of all numbers", -ENOSPC, FS_WRITE, 17, {UINT64_MAX - 1, 1}, "a", 16},
    {"write from memory that is not there", -EFAULT, FS_WRITE, 16, {0, 512}, .windows = 1,
     .window = {{512, WINDOW_READ, 0}}},
    {"write from a window for writing", -EINVAL, FS_WRITE, 16, {0, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"seek cut", -EINVAL, FS_SEEK, 15},
    {"seek below 0", -EINVAL, FS_SEEK, 16, {UINT64_MAX, FS_SEEK_SET}},
    {"seek over the top", -EINVAL, FS_SEEK, 16, {INT64_MAX, FS_SEEK_END}},
    {"seek in no direction", -EINVAL, FS_SEEK, 16, {0, 3}},
    {"ftruncate", -EINVAL, FS_FTRUNCATE, 8, {0}},
    {"close", 0, FS_CLOSE},
    {"read after the close", -EBADF, FS_READ, 16, {0, 512}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"write after the close", -EBADF, FS_WRITE, 17, {0, 1}, "a", 16},
    {"open below a disk", -ENOTDIR, FS_OPEN, 25, PATH_WORDS(0, 0, 1), "0", 24},
    {"a block operation on a file", -ENOSYS, BLK_CHANNEL, 25, PATH_WORDS(0, 0, 1), "0", 24},
};

static const struct row directory_rows[] = {
    {"readdir of more than the window takes", -EINVAL, FS_READDIR, 16, {0, 65}, .windows = 1,
     .window = {{64, WINDOW_WRITE, 64}}},
    {"readdir into too little", -EINVAL, FS_READDIR, 16, {0, 31}, .windows = 1,
     .window = {{64, WINDOW_WRITE, 64}}},
    {"readdir without a window", -EINVAL, FS_READDIR, 16, {0, 64}},
    {"readdir into memory that is not there", -EFAULT, FS_READDIR, 16, {0, 64}, .windows = 1,
     .window = {{64, WINDOW_WRITE, 0}}},
    {"readdir from behind the end", 0, FS_READDIR, 16, {UINT64_MAX - 1, 64}, .windows = 1,
     .window = {{64, WINDOW_WRITE, 64}}},
    {"seek from the end", -EINVAL, FS_SEEK, 16, {0, FS_SEEK_END}},
    {"read the directory", -EISDIR, FS_READ, 16, {0, 64}},
};

/* To the read-only disk. */
static const struct row small_rows[] = {
    {"write to a read-only disk", -EROFS, BLK_WRITE, 24, {0, 1 | 1ul << 32}, .windows = 1,
     .window = {{512, WINDOW_READ, 512}}},
    {"read its second sector", -EINVAL, BLK_READ, 24, {1, 1 | 1ul << 32}, .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
};

/* sector; count and flags; offset. */
#define BLOCK(sector, count, flags, offset) {sector, (count) | (uint64_t)(flags) << 32, offset}
static const struct row block_rows[] = {
    {"read cut", -EINVAL, BLK_READ, 23, BLOCK(0, 1, BLK_WINDOW, 0)},
    {"read no sectors", -EINVAL, BLK_READ, 24, BLOCK(0, 0, BLK_WINDOW, 0), .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read too many sectors", -EINVAL, BLK_READ, 24, BLOCK(0, BLK_SECTORS_MAX + 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{1 << 20, WINDOW_WRITE, 1 << 20}}},
    {"read behind the end", -EINVAL, BLK_READ, 24, BLOCK(SERVE_SECTORS, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_WRITE, 512}}},
    {"read across the end", -EINVAL, BLK_READ, 24, BLOCK(SERVE_SECTORS - 1, 2, BLK_WINDOW, 0),
     .windows = 1, .window = {{1024, WINDOW_WRITE, 1024}}},
    {"read at a sector that wraps", -EINVAL, BLK_READ, 24, BLOCK(UINT64_MAX, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_WRITE, 512}}},
    {"read at a sector that wraps as bytes", -EINVAL, BLK_READ, 24,
     BLOCK(1ul << 55, 1, BLK_WINDOW, 0), .windows = 1, .window = {{512, WINDOW_WRITE, 512}}},
    {"read without a window", -EINVAL, BLK_READ, 24, BLOCK(0, 1, BLK_WINDOW, 0)},
    {"read without an object", -EINVAL, BLK_READ, 24, BLOCK(0, 1, 0, 0)},
    {"read with flags that do not exist", -EINVAL, BLK_READ, 24, BLOCK(0, 1, 3, 0), .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read into a window too short", -EINVAL, BLK_READ, 24, BLOCK(0, 2, BLK_WINDOW, 0),
     .windows = 1, .window = {{1023, WINDOW_WRITE, 1023}}},
    {"read behind the window", -EINVAL, BLK_READ, 24, BLOCK(0, 1, BLK_WINDOW, 512), .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"read at an offset that wraps", -EINVAL, BLK_READ, 24, BLOCK(0, 1, BLK_WINDOW, ~511ul),
     .windows = 1, .window = {{512, WINDOW_WRITE, 512}}},
    {"read into a window for reading", -EINVAL, BLK_READ, 24, BLOCK(0, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_READ, 512}}},
    {"read into memory that is not there", -EFAULT, BLK_READ, 24, BLOCK(0, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_WRITE, 0}}},
    {"write from a window for writing", -EINVAL, BLK_WRITE, 24, BLOCK(0, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_WRITE, 512}}},
    {"write from memory that is not there", -EFAULT, BLK_WRITE, 24, BLOCK(0, 1, BLK_WINDOW, 0),
     .windows = 1, .window = {{512, WINDOW_READ, 0}}},
    {"attach nothing", -EINVAL, BLK_ATTACH},
    {"attach a channel", -EINVAL, BLK_ATTACH, .handles = 1},
    {"attach two", -EINVAL, BLK_ATTACH, .handles = 2},
    {"open on a block session", -EINVAL, FS_OPEN, 8},
    {"no operation", -ENOSYS, FS_STAT, 24},
};

static int64_t attach(int session, uint32_t flags, uint64_t size, uint32_t rights)
{
    struct message m = {.type = BLK_ATTACH, .handle_count = 1};
    struct host_object *memory = host_memory(size, flags, size);
    m.handles[0] = host_hold(client, memory, rights);
    host_release(memory);
    int handle = m.handles[0];
    int64_t result = host_result(client, session, &m, NULL);
    host_close(client, handle);
    return result;
}

static int64_t transfer(int session, uint32_t type, uint64_t sector, uint32_t count,
                        uint64_t offset)
{
    struct message m = {.type = type, .len = sizeof(struct blk_request)};
    *(struct blk_request *)m.data =
        (struct blk_request){.sector = sector, .count = count, .offset = offset};
    return host_result(client, session, &m, NULL);
}

/* What may be attached, and what may then be reached. */
static void test_attach(void)
{
    const uint32_t all = RIGHT_TRANSFER | RIGHT_DUP | RIGHT_MAP_R | RIGHT_MAP_W;
    struct host_count before = host_count();
    int session = open_disk(BLK_CHANNEL, "0", 0);
    CHECK_IS(attach(session, 0, 4096, all), -EINVAL);
    CHECK_IS(attach(session, MEMORY_CONTIGUOUS, 4096, RIGHT_TRANSFER), -EACCES);
    CHECK_IS(transfer(session, BLK_READ, 0, 1, 0), -EINVAL);
    CHECK_IS(attach(session, MEMORY_CONTIGUOUS, 4096, RIGHT_TRANSFER | RIGHT_MAP_R), 0);
    CHECK_IS(transfer(session, BLK_READ, 0, 1, 0), -EACCES);
    CHECK_IS(transfer(session, BLK_WRITE, 0, 1, 0), 512);
    CHECK_IS(attach(session, MEMORY_CONTIGUOUS, 4096, all), 0);
    CHECK_IS(transfer(session, BLK_READ, 0, 8, 0), 4096);
    CHECK_IS(transfer(session, BLK_READ, 0, 8, 512), -EINVAL);
    CHECK_IS(transfer(session, BLK_READ, 0, 1, 4096), -EINVAL);
    CHECK_IS(transfer(session, BLK_READ, 0, 1, 100), -EINVAL);
    CHECK_IS(transfer(session, BLK_READ, 0, 1, UINT64_MAX - 511), -EINVAL);
    host_close(client, session);
    host_idle();
    check_kept(&before, "attached memory");
}

/* A session that closes while the device works keeps its memory until the device is done. */
static void test_close_in_flight(void)
{
    const uint32_t all = RIGHT_TRANSFER | RIGHT_DUP | RIGHT_MAP_R | RIGHT_MAP_W;
    struct host_count before = host_count();
    int session = open_disk(BLK_CHANNEL, "0", 0);
    CHECK_IS(attach(session, MEMORY_CONTIGUOUS, 4096, all), 0);
    serve_at_once = false;
    struct message m = {.type = BLK_READ, .len = sizeof(struct blk_request)};
    *(struct blk_request *)m.data = (struct blk_request){.count = 8};
    struct host_call *call = host_send(client, session, &m, NULL);
    CHECK(call->state == HOST_WAITING);
    CHECK_IS(attach(session, MEMORY_CONTIGUOUS, 4096, all), -EBUSY);
    host_cancel(call);
    host_done(call);
    host_close(client, session);
    host_idle();
    CHECK(host_count().handles == before.handles + 1); /* the memory */
    CHECK(serve_step(true));
    host_idle();
    serve_at_once = true;
    check_kept(&before, "closed in flight");
}

/* More flushes at once than a session may have under way. */
static void flood(void)
{
    struct host_call *calls[64];
    unsigned waiting = 0;
    serve_at_once = false;
    for (unsigned i = 0; i < 64; i++) {
        struct message m = {.type = BLK_FLUSH};
        calls[i] = host_send(client, block, &m, NULL);
        waiting += calls[i]->state == HOST_WAITING;
        CHECK(calls[i]->state == HOST_WAITING || (int64_t)calls[i]->reply.words[0] == -EAGAIN);
    }
    CHECK_IS(waiting, 32);
    serve_at_once = true;
    while (serve_step(true))
        host_idle();
    for (unsigned i = 0; i < 64; i++) {
        CHECK(calls[i]->state == HOST_ANSWERED);
        host_done(calls[i]);
    }
}

/* Too much at once from one session, one client, all of them; and what fails more often than there
 * is room for. */
static void test_limits(void)
{
    struct host_count before = host_count();
    unsigned opened = 0;
    int handles[128];
    for (unsigned i = 0; i < 10; i++)
        flood();
    for (unsigned i = 0; i < 300; i++) {
        host_fail(1);
        CHECK(open_disk(FS_OPEN, "0", FS_O_READ) < 0 && host_fail(0));
    }
    int reader = open_disk(FS_OPEN, "0", FS_O_READ);
    struct message m = {.type = FS_WRITE, .len = 17, .words = {0, 1}};
    CHECK_IS(host_result(client, reader, &m, NULL), -EBADF);
    host_close(client, reader);
    while (opened < 128 && (handles[opened] = open_disk(FS_OPEN, "0", FS_O_READ)) >= 0)
        opened++;
    CHECK(opened < 64 && handles[opened] == -EMFILE);
    while (opened > 0)
        host_close(client, handles[--opened]);
    host_idle();
    check_kept(&before, "limits");
    for (unsigned n = 1;; n++) {
        host_fail(n);
        int handle = open_disk(BLK_CHANNEL, "0", 0);
        bool failed = host_fail(0);
        CHECK((handle < 0) == failed);
        if (!failed) {
            host_close(client, handle);
            break;
        }
    }
    host_idle();
    check_kept(&before, "failed opens");
}

static void test(void)
{
    static const uint32_t more[] = {BLK_CHANNEL, 100, 400, 499};
    client = host_process("client");
    root = host_hold(client, host_registered("block:virtio"), RIGHT_SEND | RIGHT_DUP);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    file = open_disk(FS_OPEN, "0", FS_O_READ | FS_O_WRITE);
    directory = open_disk(FS_OPEN, "", FS_O_READ);
    block = open_disk(BLK_CHANNEL, "0", 0);
    small_block = open_disk(BLK_CHANNEL, "1", 0);
    CHECK(file >= 0 && directory >= 0 && block >= 0 && small_block >= 0);
    CHECK(serve_bytes[0] == 0);
    ROWS_RUN(client, root, gift, root_rows);
    ROWS_RUN(client, file, gift, file_rows);
    ROWS_RUN(client, block, gift, block_rows);
    ROWS_RUN(client, directory, gift, directory_rows);
    ROWS_RUN(client, small_block, gift, small_rows);
    test_attach();
    test_close_in_flight();
    test_limits();
    rows_sweep(client, root, gift, 30, more, 4, NULL);
    rows_sweep(client, directory, gift, 30, more, 4, NULL);
    rows_sweep(client, block, gift, 30, more, 4, NULL);
    file = open_disk(FS_OPEN, "0", FS_O_READ | FS_O_WRITE);
    rows_sweep(client, file, gift, 30, more, 4, NULL);
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_blkd, test);
    host_leave(client);
    return check_end();
}
