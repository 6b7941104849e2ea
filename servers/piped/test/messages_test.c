/* Sends piped malformed messages, on pipe:, on both ends of a pipe, on the text of pipe: and on
 * null: each gets its error and leaves no handle, session or mapping behind. */
#include "proto/fs.h"
#include "proto/pipe.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <string.h>

#define CURRENT FS_OFFSET_CURRENT

static struct host_process *client;
static int root, null_root, zero_root, gift;

static const struct row root_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 100, .len = 48},
    {"a pipe", 0, PIPE_CREATE, 8},
    {"a pipe, with handles", 0, PIPE_CREATE, 8, .handles = 4},
    {"open a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(0, 0, 1)},
    {"open something below", -ENOENT, FS_OPEN, 25, PATH_WORDS(FS_O_READ, 0, 1), "x", 24},
    {"open a huge path", -ENAMETOOLONG, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, UINT32_MAX)},
    {"open for writing", -EACCES, FS_OPEN, 24, PATH_WORDS(FS_O_WRITE, 0, 0)},
    {"open", 0, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 0)},
    {"stat cut", -EINVAL, FS_STAT, 8},
    {"unlink", -EROFS, FS_UNLINK},
    {"read the root handle", -ENOSYS, FS_READ, 16, {CURRENT, 1}},
};

/* On either end. */
static const struct row end_rows[] = {
    {"seek", -ESPIPE, FS_SEEK, 16},
    {"fsync", -EINVAL, FS_FSYNC},
    {"ftruncate", -EINVAL, FS_FTRUNCATE, 8},
    {"open below a pipe", -ENOTDIR, FS_OPEN, 24},
    {"stat below a pipe", -ENOTDIR, FS_STAT},
    {"readdir", -ENOTDIR, FS_READDIR, 16},
    {"unlink", -ENOSYS, FS_UNLINK},
    {"flags cut", -EINVAL, FS_SET_FLAGS, 7},
    {"flags that do not exist", -EINVAL, FS_SET_FLAGS, 8, {1}},
    {"flags that do not exist by far", -EINVAL, FS_SET_FLAGS, 8, {1ul << 32}},
    {"poll cut", -EINVAL, FS_POLL, 7, {1}},
    {"handles for nothing", 0, FS_FSTAT, .handles = 4},
};

static const struct row reader_rows[] = {
    {"write to the read end", -EBADF, FS_WRITE, 17, {CURRENT, 1}, "a", 16},
    {"read cut", -EINVAL, FS_READ, 15, {CURRENT, 1}},
    {"read at an offset", -ESPIPE, FS_READ, 16, {0, 1}, .windows = 1,
     .window = {{1, WINDOW_WRITE, 1}}},
    {"read without a window", -EINVAL, FS_READ, 16, {CURRENT, 1}},
    {"read into the message", -EINVAL, FS_READ, 216, {CURRENT, 200}},
    {"read more than the window takes", -EINVAL, FS_READ, 16, {CURRENT, 2}, .windows = 1,
     .window = {{1, WINDOW_WRITE, 1}}},
    {"read into a window for reading", -EINVAL, FS_READ, 16, {CURRENT, 1}, .windows = 1,
     .window = {{1, WINDOW_READ, 1}}},
    {"read a wrapping length", -EINVAL, FS_READ, 16, {CURRENT, UINT64_MAX}, .windows = 1,
     .window = {{1, WINDOW_WRITE, 1}}},
};

static const struct row writer_rows[] = {
    {"read from the write end", -EBADF, FS_READ, 16, {CURRENT, 1}, .windows = 1,
     .window = {{1, WINDOW_WRITE, 1}}},
    {"write cut", -EINVAL, FS_WRITE, 15, {CURRENT, 1}},
    {"write nothing", 0, FS_WRITE, 16, {CURRENT, 0}},
    {"write at an offset", -ESPIPE, FS_WRITE, 17, {0, 1}, "a", 16},
    {"write more than came", -EINVAL, FS_WRITE, 20, {CURRENT, 5}, "abcd", 16},
    {"write more than can come", -EINVAL, FS_WRITE, 216, {CURRENT, 201}},
    {"write more than there is room for", -EINVAL, FS_WRITE, 256, {CURRENT, 240}},
    {"write a wrapping length", -EINVAL, FS_WRITE, 216, {CURRENT, UINT64_MAX}},
    {"write more than the window holds", -EINVAL, FS_WRITE, 16, {CURRENT, 11}, .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"write from a window for writing", -EINVAL, FS_WRITE, 16, {CURRENT, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"write from memory that is not there", -EFAULT, FS_WRITE, 16, {CURRENT, 10}, .windows = 1,
     .window = {{10, WINDOW_READ, 0}}},
};

static const struct row text_rows[] = {
    {"read cut", -EINVAL, FS_READ, 15, {0, 1}, .windows = 1, .window = {{1, WINDOW_WRITE, 1}}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read into memory that is not there", -EFAULT, FS_READ, 16, {0, 9}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 0}}},
    {"read into a window for reading", -EACCES, FS_READ, 16, {0, 9}, .windows = 1,
     .window = {{9, WINDOW_READ, 9}}},
    {"read far behind the end", 0, FS_READ, 16, {UINT64_MAX - 1, 9}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 9}}},
    {"readdir", -ENOTDIR, FS_READDIR, 16, {0, 9}, .windows = 1, .window = {{9, WINDOW_WRITE, 9}}},
    {"seek cut", -EINVAL, FS_SEEK, 8},
    {"seek in no direction", -EINVAL, FS_SEEK, 16, {0, 3}},
    {"seek over the top", -EINVAL, FS_SEEK, 16, {INT64_MAX, FS_SEEK_END}},
    {"write", -EBADF, FS_WRITE, 17},
};

static const struct row null_rows[] = {
    {"open cut", -EINVAL, FS_OPEN, 23},
    {"open something below", -ENOTDIR, FS_OPEN, 25, PATH_WORDS(0, 0, 1), "x", 24},
    {"open", 0, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 0)},
    {"write cut", -EINVAL, FS_WRITE, 8},
    {"write a wrapping length", -EINVAL, FS_WRITE, 16, {0, UINT64_MAX}},
    {"no operation of its own", -ENOSYS, FS_UNLINK},
};

static const struct row zero_rows[] = {
    {"open", 0, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 0)},
    {"read cut", -EINVAL, FS_READ, 15, {0, 1}, .windows = 1, .window = {{1, WINDOW_WRITE, 1}}},
    {"read nowhere", -EINVAL, FS_READ, 16, {0, 9}},
    {"read into a window for writing from", -EINVAL, FS_READ, 16, {0, 9}, .windows = 1,
     .window = {{9, WINDOW_READ, 9}}},
    {"read more than the window takes", -EINVAL, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 9}}},
    {"read into what is not there", -EFAULT, FS_READ, 16, {0, 9}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 0}}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"write", 9, FS_WRITE, 25, {0, 9}},
};

struct ends {
    int reader, writer;
};

static int64_t make_pipe(struct ends *ends)
{
    struct message m = {.type = PIPE_CREATE, .len = 8};
    int64_t result = host_result(client, root, &m, NULL);
    CHECK_IS(m.handle_count, result == 0 ? 2 : 0);
    *ends = (struct ends){m.handles[0], m.handles[1]};
    return result;
}

static void close_pipe(const struct ends *ends)
{
    host_close(client, ends->reader);
    host_close(client, ends->writer);
    host_idle();
}

static int64_t words(int handle, uint32_t type, uint64_t w0, uint64_t w1)
{
    struct message m = {.type = type, .len = 16, .words = {w0, w1}};
    return host_result(client, handle, &m, NULL);
}

static struct host_call *read_call(int handle, struct host_window *window)
{
    struct message m = {.type = FS_READ, .len = 16, .words = {CURRENT, window->length},
                        .window_count = 1};
    return host_send(client, handle, &m, window);
}

static void test_tables(void)
{
    struct ends ends;
    CHECK_IS(make_pipe(&ends), 0);
    struct message m = {.type = FS_OPEN, .len = 24, .words = {FS_O_READ}};
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    int text = m.handles[0];
    ROWS_RUN(client, root, gift, root_rows);
    ROWS_RUN(client, ends.reader, gift, end_rows);
    ROWS_RUN(client, ends.writer, gift, end_rows);
    ROWS_RUN(client, ends.reader, gift, reader_rows);
    ROWS_RUN(client, ends.writer, gift, writer_rows);
    ROWS_RUN(client, text, gift, text_rows);
    ROWS_RUN(client, null_root, gift, null_rows);
    ROWS_RUN(client, zero_root, gift, zero_rows);
    CHECK_IS(words(ends.reader, FS_POLL, FS_POLL_IN, 0), 0); /* nothing was written */
    host_close(client, text);
    close_pipe(&ends);
}

/* Pollers: each end keeps a few, tells those it sends away, and lets go of all with the pipe. */
static void test_pollers(void)
{
    struct host_count before = host_count();
    struct host_object *channel = host_object(client, gift);
    struct ends ends;
    CHECK_IS(make_pipe(&ends), 0);
    struct host_count open = host_count();
    host_pulses(channel);
    for (unsigned i = 0; i < 20; i++) {
        struct message m = {.type = FS_POLL, .len = 16, .handle_count = 1,
                            .words = {FS_POLL_IN, 1ul << i}, .handles = {gift}};
        CHECK_IS(host_result(client, ends.reader, &m, NULL), 0);
        CHECK_IS(m.words[1], 1);
    }
    CHECK(host_count().handles > open.handles && host_count().handles <= open.handles + 8);
    uint64_t sent_away = host_pulses(channel);
    struct message m = {.type = FS_WRITE, .len = 17, .words = {CURRENT, 1}};
    CHECK_IS(host_result(client, ends.writer, &m, NULL), 1);
    CHECK_IS(sent_away | host_pulses(channel), (1ul << 20) - 1);
    CHECK_IS(host_count().handles, open.handles);
    m = (struct message){.type = FS_READ, .len = 16, .words = {CURRENT, 1}, .window_count = 1};
    uint8_t byte;
    struct host_window window = {&byte, 1, 1, WINDOW_WRITE, false};
    CHECK_IS(host_result(client, ends.reader, &m, &window), 1);
    m = (struct message){.type = FS_POLL, .len = 16, .handle_count = 1, .words = {FS_POLL_IN, 1}};
    m.handles[0] = ends.writer; /* it cannot be pulsed */
    CHECK_IS(host_result(client, ends.reader, &m, NULL), -EINVAL);
    m = (struct message){.type = FS_POLL, .len = 16, .handle_count = 1, .words = {FS_POLL_IN, 1}};
    m.handles[0] = gift;
    CHECK_IS(host_result(client, ends.reader, &m, NULL), 0);
    close_pipe(&ends);
    check_kept(&before, "pollers");
}

/* Those that gave up waiting take no room from others, and no bytes. */
static void test_waiting(void)
{
    struct host_count before = host_count();
    uint8_t bytes[2][4] = {{0}};
    struct host_window first = {bytes[0], 4, 4, WINDOW_WRITE, false};
    struct host_window second = {bytes[1], 4, 4, WINDOW_WRITE, false};
    struct ends ends;
    CHECK_IS(make_pipe(&ends), 0);
    for (unsigned i = 0; i < 700; i++) {
        struct host_call *call = read_call(ends.reader, &first);
        CHECK(call->state == HOST_WAITING);
        host_cancel(call);
        host_done(call);
    }
    struct host_call *waiting = read_call(ends.reader, &second);
    struct message m = {.type = FS_WRITE, .len = 20, .words = {CURRENT, 4}};
    memcpy(m.data + 16, "data", 4);
    CHECK_IS(host_result(client, ends.writer, &m, NULL), 4);
    CHECK(waiting->state == HOST_ANSWERED && (int64_t)waiting->reply.words[0] == 4);
    CHECK(memcmp(bytes[1], "data", 4) == 0 && bytes[0][0] == 0);
    host_done(waiting);
    waiting = read_call(ends.reader, &second);
    CHECK_IS(words(ends.reader, FS_CLOSE, 0, 0), 0); /* closed under a reader that waits */
    CHECK(waiting->state == HOST_ANSWERED && (int64_t)waiting->reply.words[0] == -EBADF);
    host_done(waiting);
    CHECK_IS(words(ends.reader, FS_CLOSE, 0, 0), -EBADF);
    m = (struct message){.type = FS_WRITE, .len = 17, .words = {CURRENT, 1}};
    CHECK_IS(host_result(client, ends.writer, &m, NULL), -EPIPE);
    CHECK_IS(words(ends.writer, FS_CLOSE, 0, 0), 0);
    CHECK_IS(words(ends.writer, FS_FSTAT, 0, 0), -EBADF);
    close_pipe(&ends);
    check_kept(&before, "waiting");
}

/* More waiting reads than one client may have, and more pipes. */
static void test_limits(void)
{
    struct host_count before = host_count();
    uint8_t byte;
    struct host_window window = {&byte, 1, 1, WINDOW_WRITE, false};
    struct host_call *calls[200];
    struct ends ends[100];
    unsigned waiting = 0, count = 0;
    CHECK_IS(make_pipe(&ends[0]), 0);
    for (unsigned i = 0; i < 200; i++) {
        calls[i] = read_call(ends[0].reader, &window);
        waiting += calls[i]->state == HOST_WAITING;
    }
    CHECK(waiting >= 16 && waiting <= 64);
    close_pipe(&ends[0]);
    for (unsigned i = 0; i < 200; i++) {
        CHECK(calls[i]->state == HOST_ANSWERED);
        host_done(calls[i]);
    }
    while (count < 100 && make_pipe(&ends[count]) == 0)
        count++;
    CHECK(count >= 16 && count <= 64);
    while (count > 0)
        close_pipe(&ends[--count]);
    check_kept(&before, "limits");
    for (unsigned i = 0; i < 300; i++) {
        host_fail(1 + i % 5);
        struct ends failed;
        if (make_pipe(&failed) == 0)
            close_pipe(&failed);
    }
    host_fail(0);
    host_idle();
    check_kept(&before, "failed pipes");
}

/* The text of pipe:, whose sessions are libcairn's. */
static void test_text(void)
{
    struct host_count before = host_count();
    struct message m;
    for (unsigned i = 0; i < 200; i++) {
        m = (struct message){.type = FS_OPEN, .len = 24, .words = {FS_O_READ}};
        host_fail(1);
        CHECK(host_result(client, root, &m, NULL) < 0 && host_fail(0));
    }
    m = (struct message){.type = FS_OPEN, .len = 24, .words = {FS_O_READ}};
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    int text = m.handles[0];
    uint8_t bytes[9] = {0};
    struct host_window gone = {bytes, 0, 9, WINDOW_WRITE, false};
    struct host_window there = {bytes, 9, 9, WINDOW_WRITE, false};
    m = (struct message){.type = FS_READ, .len = 16, .words = {CURRENT, 9}, .window_count = 1};
    CHECK_IS(host_result(client, text, &m, &gone), -EFAULT);
    m = (struct message){.type = FS_READ, .len = 16, .words = {CURRENT, 9}, .window_count = 1};
    CHECK_IS(host_result(client, text, &m, &there), 9);
    CHECK(memcmp(bytes, "pipe  mak", 9) == 0); /* what did not arrive was not read */
    CHECK_IS(words(text, FS_CLOSE, 0, 0), 0);
    CHECK_IS(words(text, FS_FSTAT, 0, 0), -EBADF);
    host_close(client, text);
    host_idle();
    check_kept(&before, "texts");
}

static void sweep(void)
{
    struct ends ends;
    struct message m = {.type = FS_OPEN, .len = 24, .words = {FS_O_READ}};
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    int text = m.handles[0];
    rows_sweep(client, root, gift, 34, NULL, 0, NULL);
    rows_sweep(client, null_root, gift, 34, NULL, 0, NULL);
    rows_sweep(client, zero_root, gift, 34, NULL, 0, NULL);
    rows_sweep(client, text, gift, 34, NULL, 0, NULL);
    host_close(client, text);
    host_idle();
    struct host_count before = host_count();
    for (unsigned end = 0; end < 2; end++) {
        CHECK_IS(make_pipe(&ends), 0);
        struct host_count open = host_count();
        rows_sweep(client, end ? ends.writer : ends.reader, gift, 34, NULL, 0, NULL);
        CHECK(host_count().handles <= open.handles + 8); /* pollers */
        close_pipe(&ends);
    }
    check_kept(&before, "swept ends");
}

static void test(void)
{
    const uint32_t rights = RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER;
    client = host_process("client");
    root = host_hold(client, host_registered("pipe:"), rights);
    null_root = host_hold(client, host_registered("null:"), rights);
    zero_root = host_hold(client, host_registered("zero:"), rights);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, rights | RIGHT_PULSE);
    host_release(channel);
    test_tables();
    test_pollers();
    test_waiting();
    test_limits();
    test_text();
    sweep();
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_piped, test);
    host_leave(client);
    return check_end();
}
