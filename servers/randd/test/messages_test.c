/* Sends randd malformed messages, before and after it has its seed. */
#include "proto/fs.h"
#include "proto/rand.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <string.h>

static struct host_process *client, *askers[10];
static int root, gift, asker_roots[10];

static const struct row rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 100, .len = 48},
    {"get cut", -EINVAL, RAND_GET, 7, {8}},
    {"get too much", -EINVAL, RAND_GET, 8, {241}},
    {"get a wrapping count", -EINVAL, RAND_GET, 8, {UINT64_MAX}},
    {"read cut in its head", -EINVAL, FS_READ, 15, {0, 1}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read more than the window takes",
     -EINVAL,
     FS_READ,
     16,
     {0, 11},
     .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"read into a window for reading",
     -EINVAL,
     FS_READ,
     16,
     {0, 10},
     .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"write cut in its head", -EINVAL, FS_WRITE, 15, {0, 1}},
    {"write more than came", -EINVAL, FS_WRITE, 20, {0, 5}, "abcd", 16},
    {"write a wrapping length", -EINVAL, FS_WRITE, 216, {0, UINT64_MAX}},
    {"write more than the window holds",
     -EINVAL,
     FS_WRITE,
     16,
     {0, 11},
     .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"write from a window for writing",
     -EINVAL,
     FS_WRITE,
     16,
     {0, 10},
     .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"write from memory that is not there",
     -EFAULT,
     FS_WRITE,
     16,
     {0, 10},
     .windows = 1,
     .window = {{10, WINDOW_READ, 0}}},
    {"open cut in its head", -EINVAL, FS_OPEN, 23},
    {"open with a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(0, 0, 1)},
    {"open something below", -ENOENT, FS_OPEN, 25, PATH_WORDS(0, 0, 1), "x", 24},
    {"open with a huge path", -ENOENT, FS_OPEN, 24, PATH_WORDS(0, 0, UINT32_MAX)},
    {"open as a directory", -ENOTDIR, FS_OPEN, 24, PATH_WORDS(FS_O_DIRECTORY, 0, 0)},
    {"stat cut", -EINVAL, FS_STAT, 23},
    {"stat something below", -ENOENT, FS_STAT, 25, PATH_WORDS(0, 0, 1), "x", 24},
    {"seek", -ESPIPE, FS_SEEK},
    {"handles for nothing", 0, FS_CLOSE, .handles = 4},
};

/* These need the seed. */
static const struct row seeded_rows[] = {
    {"get nothing", 0, RAND_GET, 8, {0}},
    {"get all", 240, RAND_GET, 8, {240}},
    {"read into memory that is not there",
     -EFAULT,
     FS_READ,
     16,
     {0, 10},
     .windows = 1,
     .window = {{10, WINDOW_WRITE, 0}}},
    {"read into memory of which half is there",
     5,
     FS_READ,
     16,
     {0, 10},
     .windows = 1,
     .window = {{10, WINDOW_WRITE, 5}}},
    {"read more than a read gives",
     65536,
     FS_READ,
     16,
     {0, 70000},
     .windows = 1,
     .window = {{70000, WINDOW_WRITE, 70000}}},
};

static int64_t get(uint64_t count, struct message *m)
{
    *m = (struct message){.type = RAND_GET, .len = 8, .words = {count}};
    return host_result(client, root, m, NULL);
}

/* Before the seed nobody gets a byte; those that wait get theirs with it, and those that gave up
 * take no room from others. A client has 16 places of 128, however often it asks. */
static void test_unseeded(void)
{
    enum { CLIENTS = 10, EACH = 20, CALLS = CLIENTS * EACH };
    static struct host_call *calls[CALLS];
    static unsigned waiting_of[CLIENTS];
    struct message m;
    unsigned waiting = 0;
    for (unsigned i = 0; i < 400; i++)
        CHECK_IS(get(8, &m), HOST_WOULD_WAIT);
    for (unsigned i = 0; i < CALLS; i++) {
        struct host_process *asker = i < EACH ? client : askers[i / EACH];
        int to = i < EACH ? root : asker_roots[i / EACH];
        m = (struct message){.type = RAND_GET, .len = 8, .words = {16}};
        calls[i] = host_send(asker, to, &m, NULL);
        waiting += calls[i]->state == HOST_WAITING;
        waiting_of[i / EACH] += calls[i]->state == HOST_WAITING;
        CHECK(calls[i]->state == HOST_WAITING || (int64_t)calls[i]->reply.words[0] == -EAGAIN);
    }
    CHECK_IS(waiting, 128);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_IS(waiting_of[i], i < 128 / 16 ? 16 : 0);
    CHECK(serve_entropy(40));
    CHECK(calls[0]->state == HOST_WAITING);
    CHECK(serve_entropy(64));
    const struct host_call *before = NULL;
    for (unsigned i = 0; i < CALLS; i++) {
        CHECK(calls[i]->state == HOST_ANSWERED);
        if ((int64_t)calls[i]->reply.words[0] != 16)
            continue;
        CHECK(!before || memcmp(&calls[i]->reply.words[1], &before->reply.words[1], 16) != 0);
        before = calls[i];
        waiting--;
    }
    CHECK_IS(waiting, 0);
    for (unsigned i = 0; i < CALLS; i++)
        host_done(calls[i]);
    CHECK(!serve_entropy(1)); /* it has asked for no more */
}

static void test_open(void)
{
    struct host_count before = host_count();
    for (unsigned n = 0; n < 3; n++) {
        struct message m = {.type = FS_OPEN, .len = 24};
        host_fail(n);
        int64_t result = host_result(client, root, &m, NULL);
        bool failed = host_fail(0);
        CHECK((result < 0) == failed && m.handle_count == !failed);
        if (!failed)
            host_close(client, m.handles[0]);
    }
    host_idle();
    check_kept(&before, "opens");
}

/* What one client got is in nobody else's answer. */
static void test_no_leftovers(void)
{
    struct message m, other = {.type = FS_POLL};
    CHECK_IS(get(24, &m), 24);
    CHECK(host_result(client, root, &other, NULL) >= 0);
    CHECK_IS(other.len, 8);
    for (unsigned i = 1; i < 4; i++)
        CHECK(m.words[i] != 0 && other.words[i] != m.words[i]);
}

static void test(void)
{
    static const uint32_t more[] = {RAND_GET, 100, 499};
    client = host_process("client");
    root = host_hold(client, host_registered("random:"), RIGHT_SEND | RIGHT_DUP);
    for (unsigned i = 1; i < 10; i++) {
        askers[i] = host_process("asker");
        asker_roots[i] = host_hold(askers[i], host_registered("random:"), RIGHT_SEND | RIGHT_DUP);
    }
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    ROWS_RUN(client, root, gift, rows);
    test_unseeded();
    ROWS_RUN(client, root, gift, rows);
    ROWS_RUN(client, root, gift, seeded_rows);
    test_open();
    test_no_leftovers();
    rows_sweep(client, root, gift, 30, more, 3, NULL);
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_randd, test);
    host_leave(client);
    return check_end();
}
