/* Sends consoled malformed messages, to the terminal and to a serial port: each gets its error and
 * leaves nothing behind. */
#include "proto/console.h"
#include "proto/fs.h"
#include "proto/process.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <string.h>

static struct host_process *client;
static int terminal, serial, nonblocking, gift;
static unsigned signals;

static const struct row both_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 102, .len = 48},
    {"read cut in its head", -EINVAL, FS_READ, 15, {0, 1}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read more than the window takes", -EINVAL, FS_READ, 16, {0, 11}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"read into a window for reading", -EINVAL, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"write cut in its head", -EINVAL, FS_WRITE, 15, {0, 1}},
    {"write more than came", -EINVAL, FS_WRITE, 20, {0, 5}, "abcd", 16},
    {"write more than can come", -EINVAL, FS_WRITE, 216, {0, 201}},
    {"write a wrapping length", -EINVAL, FS_WRITE, 216, {0, UINT64_MAX}},
    {"write more than the window holds", -EINVAL, FS_WRITE, 16, {0, 11}, .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"write from a window for writing", -EINVAL, FS_WRITE, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"write from memory that is not there", -EFAULT, FS_WRITE, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_READ, 0}}},
    {"write from memory of which half is there", 4096, FS_WRITE, 16, {0, 8192}, .windows = 1,
     .window = {{8192, WINDOW_READ, 4096}}},
    {"open cut in its head", -EINVAL, FS_OPEN, 23},
    {"open with a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(0, 0, 1)},
    {"open something below", -ENOENT, FS_OPEN, 25, PATH_WORDS(0, 0, 1), "x", 24},
    {"open with a huge path", -ENOENT, FS_OPEN, 24, PATH_WORDS(0, 0, UINT32_MAX)},
    {"open as a directory", -ENOTDIR, FS_OPEN, 24, PATH_WORDS(FS_O_DIRECTORY, 0, 0)},
    {"make it anew", -EEXIST, FS_OPEN, 24, PATH_WORDS(FS_O_CREATE | FS_O_EXCLUSIVE, 0, 0)},
    {"open", 0, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 0)},
    {"stat cut", -EINVAL, FS_STAT, 23},
    {"seek", -ESPIPE, FS_SEEK},
    {"readdir", -ENOTDIR, FS_READDIR, 16},
    {"ftruncate", -EINVAL, FS_FTRUNCATE, 8},
    {"handles for nothing", 0, FS_FSYNC, .handles = 4},
};

static const struct row terminal_rows[] = {
    {"text cut in its head", -EINVAL, CON_WRITE, 7},
    {"text longer than the message", -EINVAL, CON_WRITE, 12, {5}, "abcd", 8},
    {"text of a wrapping length", -EINVAL, CON_WRITE, 248, {UINT32_MAX}},
    {"no text", 0, CON_WRITE, 8, {0}},
    {"cursor cut", -EINVAL, CON_SET_CURSOR, 15},
    {"cursor below the screen", -EINVAL, CON_SET_CURSOR, 16, {25, 0}},
    {"cursor right of the screen", -EINVAL, CON_SET_CURSOR, 16, {0, 80}},
    {"cursor far away", -EINVAL, CON_SET_CURSOR, 16, {UINT64_MAX, 1ul << 32}},
    {"colours cut", -EINVAL, CON_SET_COLORS, 15},
    {"a mode cut", -EINVAL, CON_SET_MODE, 7},
    {"a mode that does not exist", -EINVAL, CON_SET_MODE, 8, {16}},
    {"a mode that does not exist by far", -EINVAL, CON_SET_MODE, 8, {1ul << 32}},
    {"two jobs in the foreground", -EINVAL, CON_SET_FOREGROUND, .handles = 2},
    {"no job in the foreground", 0, CON_SET_FOREGROUND},
};

static const struct row serial_rows[] = {
    {"a terminal's operation", -ENOTTY, CON_WRITE, 12, {4}, "abcd", 8},
    {"another", -ENOTTY, CON_GET_SIZE},
    {"a job in the foreground", -ENOTTY, CON_SET_FOREGROUND, .handles = 1},
    {"a mode", -ENOTTY, CON_SET_MODE, 8, {0}},
};

static int64_t words(int handle, uint32_t type, uint64_t w0)
{
    struct message m = {.type = type, .len = 16, .words = {w0}};
    return host_result(client, handle, &m, NULL);
}

static int open_port(int handle, uint32_t flags)
{
    struct message m = {.type = FS_OPEN, .len = 24, .words = {flags}};
    int64_t result = host_result(client, handle, &m, NULL);
    return result < 0 ? (int)result : m.handles[0];
}

/* Puts back what a sweep has changed. */
static void after(void)
{
    char output[4096];
    words(terminal, CON_SET_MODE, CON_MODE_COOKED);
    words(terminal, CON_SET_FOREGROUND, 0);
    serve_drain(output, sizeof output);
}

static struct host_call *read_call(int handle, struct host_window *window)
{
    struct message m = {.type = FS_READ, .len = 16, .words = {0, window->length},
                        .window_count = 1};
    return host_send(client, handle, &m, window);
}

/* Readers and writers who gave up take no room from others, and no input. */
static void test_waiting(void)
{
    uint8_t bytes[2][8] = {{0}};
    char output[512];
    struct host_window first = {bytes[0], 8, 8, WINDOW_WRITE, false};
    struct host_window second = {bytes[1], 8, 8, WINDOW_WRITE, false};
    struct message m;
    for (unsigned i = 0; i < 200; i++) {
        struct host_call *gone = read_call(terminal, &first);
        CHECK(gone->state == HOST_WAITING);
        host_cancel(gone);
        host_done(gone);
    }
    struct host_call *waiting = read_call(terminal, &second);
    CHECK(waiting->state == HOST_WAITING);
    CHECK_IS(words(nonblocking, FS_POLL, 5), FS_POLL_OUT);
    serve_type(0, "hi\r", 3);
    CHECK(waiting->state == HOST_ANSWERED && (int64_t)waiting->reply.words[0] == 3);
    CHECK(memcmp(bytes[1], "hi\n", 3) == 0 && bytes[0][0] == 0);
    host_done(waiting);
    serve_stopped = true;
    for (unsigned i = 0; i < 200; i++) {
        m = (struct message){.type = FS_WRITE, .len = 20, .words = {0, 4}};
        int64_t result = host_result(client, serial, &m, NULL);
        CHECK(result == 4 || result == HOST_WOULD_WAIT);
    }
    serve_stopped = false;
    CHECK(serve_drain(output, sizeof output) > 0);
    m = (struct message){.type = FS_WRITE, .len = 20, .words = {0, 4}};
    CHECK_IS(host_result(client, serial, &m, NULL), 4);
    serve_drain(output, sizeof output);
}

static int job(void *context, struct message *m)
{
    (void)context;
    signals += m->type == PROC_JOB_SIGNAL && m->words[0] == SIGNAL_INT;
    m->words[0] = 0;
    m->len = 8;
    return 0;
}

/* ^C goes to the foreground job, once; a job's handle is kept until the next replaces it. */
static void test_foreground(void)
{
    struct host_count before = host_count();
    struct host_object *channel = host_channel(job, NULL);
    int handle = host_hold(client, channel, RIGHT_SEND | RIGHT_TRANSFER);
    for (unsigned i = 0; i < 3; i++) {
        struct message m = {.type = CON_SET_FOREGROUND, .handle_count = 1};
        m.handles[0] = handle;
        CHECK_IS(host_result(client, terminal, &m, NULL), 0);
        CHECK_IS(host_count().handles, before.handles + 1);
    }
    serve_type(0, "\003", 1);
    CHECK_IS(signals, 1);
    struct message m = {.type = CON_SET_FOREGROUND, .handle_count = 1};
    m.handles[0] = gift; /* a channel that nobody serves: ^C must not wait for it */
    CHECK_IS(host_result(client, terminal, &m, NULL), 0);
    serve_type(0, "\003", 1);
    m = (struct message){.type = CON_SET_FOREGROUND, .handle_count = 1};
    m.handles[0] = terminal; /* consoled itself: the call would wait for itself */
    CHECK_IS(host_result(client, terminal, &m, NULL), 0);
    serve_type(0, "\003", 1);
    CHECK_IS(words(terminal, CON_SET_FOREGROUND, 0), 0);
    host_close(client, handle);
    host_release(channel);
    after();
    check_kept(&before, "foreground jobs");
}

static void test_failures(void)
{
    struct host_count before = host_count();
    for (unsigned i = 0; i < 300; i++) {
        host_fail(1);
        CHECK(open_port(serial, FS_O_NONBLOCK) < 0 && host_fail(0));
    }
    host_idle();
    check_kept(&before, "failed opens");
    serve_open(false);
    uint8_t byte;
    struct host_window window = {&byte, 1, 1, WINDOW_WRITE, false};
    struct host_call *end = read_call(serial, &window);
    CHECK(end->state == HOST_ANSWERED && end->reply.words[0] == 0);
    host_done(end);
    serve_open(true);
}

static void test(void)
{
    static const uint32_t more[] = {CON_WRITE,      CON_CLEAR,      CON_SET_CURSOR, CON_GET_CURSOR,
                                    CON_SET_COLORS, CON_GET_SIZE,   CON_SHOW_CURSOR,
                                    CON_HIDE_CURSOR, CON_SET_MODE,  CON_GET_MODE,
                                    CON_SET_FOREGROUND, 0x1009,     100};
    host_idle(); /* the device tells of its ports */
    client = host_process("client");
    const uint32_t rights = RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER;
    CHECK(host_registered("console:") != NULL && host_registered("serial:line") != NULL);
    terminal = host_hold(client, host_registered("console:"), rights);
    serial = host_hold(client, host_registered("serial:line"), rights);
    nonblocking = open_port(terminal, FS_O_NONBLOCK);
    CHECK(nonblocking >= 0);
    CHECK(open_port(serial, FS_O_NONBLOCK) >= 0);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    ROWS_RUN(client, terminal, gift, both_rows);
    ROWS_RUN(client, serial, gift, both_rows);
    ROWS_RUN(client, terminal, gift, terminal_rows);
    ROWS_RUN(client, serial, gift, serial_rows);
    test_waiting();
    test_foreground();
    test_failures();
    rows_sweep(client, terminal, gift, 30, more, sizeof more / sizeof more[0], after);
    rows_sweep(client, nonblocking, gift, 30, more, sizeof more / sizeof more[0], after);
    rows_sweep(client, serial, gift, 30, more, sizeof more / sizeof more[0], after);
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_consoled, test);
    host_leave(client);
    return check_end();
}
