/* Sends fsd malformed messages: each gets its error, and leaves no handle and no session behind.
 * In the end e2fsck finds the disk in order. */
#include "fsd/ext2/test/image.h"
#include "proto/fs.h"
#include "proto/process.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern unsigned check_failed; /* of image.c */

static struct host_process *client;
static struct image image;
static int root, gift, file, directory;

/* Opens a path and returns the client's handle. */
static int open_path(int base, const char *path, uint32_t flags)
{
    struct message m = {.type = FS_OPEN, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *r = (struct fs_path_request *)m.data;
    r->flags = flags;
    r->mode = 0644;
    r->path_len = (uint32_t)strlen(path);
    memcpy(r->path, path, r->path_len);
    int64_t result = host_result(client, base, &m, NULL);
    return result < 0 ? (int)result : m.handles[0];
}

static int64_t simple(int handle, uint32_t type, uint64_t w0, uint64_t w1)
{
    struct message m = {.type = type, .len = 16, .words = {w0, w1}};
    return host_result(client, handle, &m, NULL);
}

static int64_t path_call(uint32_t type, const char *path)
{
    struct message m = {.type = type, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *r = (struct fs_path_request *)m.data;
    r->mode = 0755;
    r->path_len = (uint32_t)strlen(path);
    memcpy(r->path, path, r->path_len);
    return host_result(client, root, &m, NULL);
}

/* ---- Paths ------------------------------------------------------------------------------------ */

static const struct row path_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 100, .len = 48},
    {"open without a byte", -EINVAL, FS_OPEN},
    {"open cut in its head", -EINVAL, FS_OPEN, 23, PATH_WORDS(FS_O_READ, 0, 0)},
    {"a path longer than the message", -EINVAL, FS_OPEN, 27, PATH_WORDS(FS_O_READ, 0, 4), "file", 24},
    {"a path as long as a field allows", -EINVAL, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 200), "file",
     24},
    {"a long path without a window", -EINVAL, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 201)},
    {"a path too long", -ENAMETOOLONG, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, FS_PATH_MAX)},
    {"a huge path", -ENAMETOOLONG, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, UINT32_MAX)},
    {"a NUL in the path", -EINVAL, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 4), "f\0le", 24, 4},
    {"a path in a window that is shorter", -EFAULT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 900),
     .windows = 1, .window = {{500, WINDOW_READ, 500}}},
    {"a path in memory that is not there", -EFAULT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 900),
     .windows = 1, .window = {{1000, WINDOW_READ, 0}}},
    {"a path in a window for writing", -EACCES, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 900),
     .windows = 1, .window = {{1000, WINDOW_WRITE, 1000}}},
    {"zeros as a long path", -EINVAL, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 900), .windows = 1,
     .window = {{1000, WINDOW_READ, 1000}}},
    {"no such file", -ENOENT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 4), "none", 24},
    {"create under a file", -ENOTDIR, FS_OPEN, 224, PATH_WORDS(FS_O_CREATE, 0, 6), "file/x", 24},
    {"create the root", -EISDIR, FS_OPEN, 224, PATH_WORDS(FS_O_CREATE | FS_O_WRITE, 0, 0)},
    {"create exclusively what is there", -EEXIST, FS_OPEN, 224,
     PATH_WORDS(FS_O_CREATE | FS_O_EXCLUSIVE, 0, 4), "file", 24},
    {"a file as a directory", -ENOTDIR, FS_OPEN, 224, PATH_WORDS(FS_O_DIRECTORY, 0, 4), "file", 24},
    {"a directory for writing", -EISDIR, FS_OPEN, 224, PATH_WORDS(FS_O_WRITE, 0, 3), "dir", 24},
    {"handles that nobody wants", 0, FS_STAT, 224, PATH_WORDS(0, 0, 4), "file", 24, .handles = 4},
    {"mkdir without a name", -EINVAL, FS_MKDIR, 24, PATH_WORDS(0, 0755, 0)},
    {"unlink a directory", -EISDIR, FS_UNLINK, 224, PATH_WORDS(0, 0, 3), "dir", 24},
    {"rmdir a file", -ENOTDIR, FS_RMDIR, 224, PATH_WORDS(0, 0, 4), "file", 24},
    {"truncate beyond all bounds", -EFBIG, FS_TRUNCATE, 224, {0, UINT64_MAX, 4}, "file", 24},
    {"truncate a directory", -EISDIR, FS_TRUNCATE, 224, {0, 0, 3}, "dir", 24},
    {"readlink without a window", -EINVAL, FS_READLINK, 224, PATH_WORDS(0, 0, 4), "link", 24},
    {"readlink into a window for reading", -EACCES, FS_READLINK, 224, PATH_WORDS(0, 0, 4), "link",
     24, .windows = 1, .window = {{64, WINDOW_READ, 64}}},
    {"readlink of a file", -EINVAL, FS_READLINK, 224, PATH_WORDS(0, 0, 4), "file", 24, .windows = 1,
     .window = {{64, WINDOW_WRITE, 64}}},
    {"read on the root handle", -EBADF, FS_READ, 16, {0, 16}},
    {"close the root handle", -EBADF, FS_CLOSE},
    {"seek on the root handle", -EBADF, FS_SEEK, 16},
    {"fsync on the root handle", -EBADF, FS_FSYNC},
};

/* Two strings: old_len is the upper half of the first word, new_len the lower of the second. */
#define TWO(old_len, new_len) {(uint64_t)(old_len) << 32, new_len}
static const struct row two_path_rows[] = {
    {"rename cut in its head", -EINVAL, FS_RENAME, 15, TWO(1, 1)},
    {"names longer than the message", -EINVAL, FS_RENAME, 20, TWO(3, 2), "fil", 16},
    {"names that wrap", -ENAMETOOLONG, FS_RENAME, 216, TWO(UINT32_MAX, 2), "ab", 16},
    {"names that wrap the other way", -ENAMETOOLONG, FS_LINK, 216, TWO(2, UINT32_MAX), "ab", 16},
    {"names as long as a path may be", -EINVAL, FS_RENAME, 216, TWO(1023, 1023)},
    {"one window for two names", -EINVAL, FS_RENAME, 216, TWO(400, 4), .windows = 1,
     .window = {{400, WINDOW_READ, 400}}},
    {"windows shorter than the names", -EFAULT, FS_RENAME, 216, TWO(400, 400), .windows = 2,
     .window = {{400, WINDOW_READ, 400}, {300, WINDOW_READ, 300}}},
    {"windows for writing", -EACCES, FS_SYMLINK, 216, TWO(400, 400), .windows = 2,
     .window = {{400, WINDOW_WRITE, 400}, {400, WINDOW_WRITE, 400}}},
    {"NULs as names", -EINVAL, FS_RENAME, 216, TWO(200, 200), .windows = 2,
     .window = {{200, WINDOW_READ, 200}, {200, WINDOW_READ, 200}}},
    {"segments too long", -ENAMETOOLONG, FS_RENAME, 216, TWO(400, 400), .windows = 2,
     .window = {{400, WINDOW_READ, 400}, {400, WINDOW_READ, 400}}},
    {"a new name with a NUL", -EINVAL, FS_RENAME, 216, TWO(4, 3), "filea\0b", 16, 7},
    {"a link with a NUL in its name", -EINVAL, FS_LINK, 216, TWO(4, 3), "filea\0b", 16, 7},
    {"a symbolic link with a NUL in its text", -EINVAL, FS_SYMLINK, 216, TWO(3, 1), "a\0bx", 16, 4},
    {"a symbolic link to nothing", -ENOENT, FS_SYMLINK, 216, TWO(0, 1), "x", 16},
    {"rename to nothing", -EINVAL, FS_RENAME, 216, TWO(4, 0), "file", 16},
    {"rename nothing", -EINVAL, FS_RENAME, 216, TWO(0, 4), "file", 16},
    {"rename into itself", -EINVAL, FS_RENAME, 216, TWO(3, 5), "dirdir/x", 16},
    {"link a directory", -EPERM, FS_LINK, 216, TWO(3, 1), "dirx", 16},
};

/* ---- Open files ------------------------------------------------------------------------------- */

#define CURRENT FS_OFFSET_CURRENT
static const struct row file_rows[] = {
    {"read cut in its head", -EINVAL, FS_READ, 15, {0, 1}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"read far behind the end", 0, FS_READ, 16, {INT64_MAX, 100}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"read at a negative offset", -EINVAL, FS_READ, 16, {UINT64_MAX - 1, 100}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"read more than the window takes", 5, FS_READ, 16, {0, UINT64_MAX}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"read into a window for reading", -EACCES, FS_READ, 16, {0, 5}, .windows = 1,
     .window = {{100, WINDOW_READ, 100}}},
    {"read into memory that is not there", -EFAULT, FS_READ, 16, {0, 5}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 0}}},
    {"write more than came", -EINVAL, FS_WRITE, 20, {0, 5}, "abcd", 16},
    {"write a wrapping length", -EINVAL, FS_WRITE, 216, {0, UINT64_MAX}},
    {"write more than the window holds", -EINVAL, FS_WRITE, 16, {0, 101}, .windows = 1,
     .window = {{100, WINDOW_READ, 100}}},
    {"write from a window for writing", -EACCES, FS_WRITE, 16, {0, 5}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"write from memory that is not there", -EFAULT, FS_WRITE, 16, {0, 5}, .windows = 1,
     .window = {{100, WINDOW_READ, 0}}},
    {"write at a negative offset", -EINVAL, FS_WRITE, 17, {UINT64_MAX - 1, 1}, "a", 16},
    {"write beyond the largest file", -EFBIG, FS_WRITE, 17, {INT64_MAX, 1}, "a", 16},
    {"write across the end of all offsets", -EFBIG, FS_WRITE, 24, {INT64_MAX - 2, 8}, "abcdefgh", 16},
    {"seek cut", -EINVAL, FS_SEEK, 15},
    {"seek in no direction", -EINVAL, FS_SEEK, 16, {0, 3}},
    {"seek below 0", -EINVAL, FS_SEEK, 16, {UINT64_MAX, FS_SEEK_SET}},
    {"seek over the top", -EINVAL, FS_SEEK, 16, {INT64_MAX, FS_SEEK_END}},
    {"ftruncate cut", -EINVAL, FS_FTRUNCATE, 7},
    {"ftruncate beyond the largest file", -EFBIG, FS_FTRUNCATE, 8, {UINT64_MAX}},
    {"readdir of a file", -ENOTDIR, FS_READDIR, 16, {0, 100}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"open below a file", -ENOTDIR, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 1), "x", 24},
    {"a job without a channel", -EINVAL, FS_SYNC_ASYNC, 8, {1}},
    {"a job with a bit too high", -EINVAL, FS_SYNC_ASYNC, 8, {64}, .handles = 1},
    {"a job with two channels", -EINVAL, FS_SYNC_ASYNC, 8, {1}, .handles = 2},
    {"the state of no job", -ESRCH, FS_JOB_STATUS, 8, {0}},
    {"the state of another job", -ESRCH, FS_JOB_STATUS, 8, {77}},
    {"the state of a job, cut", -EINVAL, FS_JOB_STATUS, 7},
};

static const struct row directory_rows[] = {
    {"read a directory", -EISDIR, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"write a directory", -EBADF, FS_WRITE, 17, {0, 1}, "a", 16},
    {"ftruncate a directory", -EINVAL, FS_FTRUNCATE, 8, {0}},
    {"readdir without a window", -EINVAL, FS_READDIR, 16, {0, 100}},
    {"readdir into too little", -EINVAL, FS_READDIR, 16, {0, 8}, .windows = 1,
     .window = {{8, WINDOW_WRITE, 8}}},
    {"readdir into nothing", -EINVAL, FS_READDIR, 16, {0, 0}, .windows = 1,
     .window = {{0, WINDOW_WRITE, 0}}},
    {"readdir into memory that is not there", -EFAULT, FS_READDIR, 16, {0, 4096}, .windows = 1,
     .window = {{4096, WINDOW_WRITE, 0}}},
    {"readdir from behind the end", 0, FS_READDIR, 16, {INT64_MAX, 4096}, .windows = 1,
     .window = {{4096, WINDOW_WRITE, 4096}}},
    {"readdir from the last cookie of all", 0, FS_READDIR, 16, {UINT64_MAX - 1, 4096}, .windows = 1,
     .window = {{4096, WINDOW_WRITE, 4096}}},
    {"up and out", -ENOENT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 13), "../../../none", 24},
};

static void test_tables(void)
{
    ROWS_RUN(client, root, gift, path_rows);
    ROWS_RUN(client, root, gift, two_path_rows);
    ROWS_RUN(client, file, gift, file_rows);
    ROWS_RUN(client, directory, gift, directory_rows);
    CHECK_IS(simple(file, FS_SEEK, 0, FS_SEEK_END), 5);
}

static void test_closed(void)
{
    struct host_count before = host_count();
    int once = open_path(root, "file", FS_O_READ | FS_O_WRITE);
    CHECK(once >= 0);
    CHECK_IS(simple(once, FS_CLOSE, 0, 0), 0);
    CHECK_IS(simple(once, FS_CLOSE, 0, 0), -EBADF);
    CHECK_IS(simple(once, FS_FSYNC, 0, 0), -EBADF);
    CHECK_IS(simple(once, FS_SEEK, 0, 0), -EBADF);
    CHECK_IS(simple(once, FS_FSTAT, 0, 0), -EBADF);
    CHECK_IS(open_path(once, "x", FS_O_READ), -EBADF);
    host_close(client, once);
    host_idle();
    check_kept(&before, "closed early");
}

/* Sessions are limited, and come back when they close. */
static void test_exhaustion(void)
{
    struct host_process *hog = host_process("hog"), *other = host_process("other");
    struct host_count before = host_count();
    int own = host_root(hog), others = host_root(other), opened = 0;
    struct host_process *mine = client;
    client = hog;
    while (opened < HOST_REFS_MAX && open_path(own, "file", FS_O_READ) >= 0)
        opened++;
    CHECK(opened > 100 && opened <= 256);
    host_exit(hog, EXIT_KILLED, 9);
    client = other;
    host_idle();
    int again = open_path(others, "file", FS_O_READ);
    CHECK(again >= 0);
    host_exit(other, EXIT_NORMAL, 0);
    host_idle();
    check_kept(&before, "exhaustion");
    client = mine;
    host_leave(hog);
    host_leave(other);
}

static uint64_t blocks_free(void)
{
    struct message m = {.type = FS_STATFS};
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    return ((const struct fs_statfs_reply *)m.data)->blocks_free;
}

/* Each allocation on the way of an open fails once; and one fails more often than there are
 * sessions. */
static void test_failures(void)
{
    struct host_count before = host_count();
    for (unsigned i = 0; i < 1100; i++) {
        host_fail(1);
        CHECK(open_path(root, "file", FS_O_READ) < 0 && host_fail(0));
    }
    for (unsigned n = 1;; n++) {
        host_fail(n);
        int handle = open_path(root, "file", FS_O_READ);
        if (!host_fail(0)) {
            CHECK(handle >= 0);
            host_close(client, handle);
            break;
        }
        CHECK(handle < 0);
        check_kept(&before, "a failed open");
    }
    host_handle_limit(host_count().handles);
    CHECK_IS(open_path(root, "file", FS_O_READ), -EMFILE);
    CHECK_IS(simple(root, FS_FSTAT, 0, 0), 0);
    host_handle_limit(HANDLES_MAX);
    host_idle();
    check_kept(&before, "failed opens");
}

/* A file that is unlinked while it is open stays until it is closed, and not a moment longer; an
 * open that failed does not hold it. */
static void test_unlinked(void)
{
    struct message m = {.type = FS_WRITE, .len = 16, .words = {0, 8192}, .window_count = 1};
    uint64_t free_before = blocks_free();
    int held = open_path(root, "gone", FS_O_READ | FS_O_WRITE | FS_O_CREATE);
    struct host_window window = {calloc(1, 8192), 8192, 8192, WINDOW_READ | WINDOW_WRITE, false};
    memset(window.bytes, 'Z', 8192);
    CHECK_IS(host_result(client, held, &m, &window), 8192);
    host_fail(1);
    CHECK(open_path(root, "gone", FS_O_READ) < 0 && host_fail(0));
    CHECK_IS(path_call(FS_UNLINK, "gone"), 0);
    CHECK(blocks_free() < free_before);
    m = (struct message){.type = FS_READ, .len = 16, .words = {8191, 5}, .window_count = 1};
    CHECK_IS(host_result(client, held, &m, &window), 1);
    CHECK(window.bytes[0] == 'Z');
    host_close(client, held);
    host_idle();
    CHECK_IS(blocks_free(), free_before);
    free(window.bytes);
}

/* More entries than fsd packs at a time, into a window that would take them all; and no byte of
 * what its buffer held before is among them. */
static void test_large_directory(void)
{
    const size_t size = 128 << 10;
    struct host_window lent = {calloc(1, size), size, size, WINDOW_READ | WINDOW_WRITE, false};
    struct message m = {.type = FS_WRITE, .len = 16, .words = {0, size / 2}, .window_count = 1};
    memset(lent.bytes, 'Z', size);
    CHECK_IS(host_result(client, file, &m, &lent), size / 2);
    for (unsigned i = 0; i < 300; i++) {
        m = (struct message){.type = FS_LINK, .len = 16, .words = {4ul << 32, 254},
                             .window_count = 2};
        struct host_window names[2] = {{calloc(1, 4), 4, 4, WINDOW_READ, false},
                                       {calloc(1, 255), 254, 254, WINDOW_READ, false}};
        memcpy(names[0].bytes, "file", 4);
        snprintf((char *)names[1].bytes, 255, "dir/%0250u", i);
        CHECK_IS(host_result(client, root, &m, names), 0);
        free(names[0].bytes);
        free(names[1].bytes);
    }
    m = (struct message){.type = FS_READDIR, .len = 16, .words = {0, size}, .window_count = 1};
    int64_t packed = host_result(client, directory, &m, &lent);
    CHECK(packed > 60000 && packed <= 65536);
    for (int64_t at = 0; at < packed;) {
        const struct fs_dirent *entry = (const struct fs_dirent *)(lent.bytes + at);
        const char *end = (const char *)entry + entry->record_len;
        for (const char *pad = entry->name + entry->name_len; pad < end; pad++)
            CHECK_IS(*pad, 0);
        at += entry->record_len;
    }
    for (unsigned i = 0; i < 300; i++) {
        m = (struct message){.type = FS_UNLINK, .len = 24, .words = {0, 0, 254}, .window_count = 1};
        struct host_window name = {calloc(1, 255), 254, 254, WINDOW_READ, false};
        snprintf((char *)name.bytes, 255, "dir/%0250u", i);
        CHECK_IS(host_result(client, root, &m, &name), 0);
        free(name.bytes);
    }
    free(lent.bytes);
}

static void test_job(void)
{
    struct host_count before = host_count();
    struct message m = {.type = FS_SYNC_ASYNC, .len = 8, .handle_count = 1, .words = {5}};
    m.handles[0] = gift;
    int64_t id = host_result(client, root, &m, NULL);
    CHECK(id > 0);
    host_idle();
    CHECK_IS(simple(root, FS_JOB_STATUS, (uint64_t)id, 0), 0);
    CHECK_IS(host_pulses(host_object(client, gift)), 1 << 5);
    check_kept(&before, "a job");
}

static void test(void)
{
    static const uint32_t more[] = {100, 199, 499, 0x1001};
    client = host_process("client");
    root = host_root(client);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    CHECK(path_call(FS_MKDIR, "dir") == 0);
    file = open_path(root, "file", FS_O_READ | FS_O_WRITE | FS_O_CREATE);
    struct message m = {.type = FS_WRITE, .len = 21, .words = {0, 5}};
    memcpy(m.data + 16, "hello", 5);
    CHECK_IS(host_result(client, file, &m, NULL), 5);
    m = (struct message){.type = FS_SYMLINK, .len = 24, .words = {4ul << 32, 4}};
    memcpy(m.data + 16, "filelink", 8);
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    directory = open_path(root, "dir", FS_O_READ | FS_O_DIRECTORY);
    CHECK(file >= 0 && directory >= 0);
    test_tables();
    test_closed();
    test_exhaustion();
    test_failures();
    test_unlinked();
    test_large_directory();
    test_job();
    rows_sweep(client, root, gift, 30, more, 4, NULL);
    rows_sweep(client, directory, gift, 30, more, 4, NULL);
    rows_sweep(client, file, gift, 30, more, 4, NULL);
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_fsd, test);
    image_empty(&image, SERVE_KIB);
    memcpy(image.bytes, host_memory_bytes(host_mapped(1)), image.size);
    image_fsck(&image, "after all that");
    image_free(&image);
    host_leave(client);
    CHECK_IS(check_failed, 0);
    return check_end();
}
