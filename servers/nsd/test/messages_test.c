/* Sends nsd malformed messages, on views, on ns: and on what is opened there: each gets its error
 * and leaves no handle, session or name behind. */
#include "proto/fs.h"
#include "proto/ns.h"
#include "rows.h"
#include "serve.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct host_process *client;
static int root, gift;

static int64_t ns(int view, uint32_t type, const char *text, size_t len, int handle,
                  struct message *m)
{
    *m = (struct message){.type = type, .len = (uint16_t)(8 + len)};
    struct ns_request *r = (struct ns_request *)m->data;
    r->len = (uint32_t)len;
    memcpy(r->text, text, len);
    m->handle_count = handle >= 0;
    m->handles[0] = handle;
    return host_result(client, view, m, NULL);
}

static int64_t text(int view, uint32_t type, const char *name, int handle)
{
    struct message m;
    int64_t result = ns(view, type, name, strlen(name), handle, &m);
    for (unsigned i = 0; i < m.handle_count; i++)
        host_close(client, m.handles[i]);
    host_idle();
    return result;
}

/* A new view, or the handle behind a name. */
static int get(int view, uint32_t type, const char *name)
{
    struct message m;
    int64_t result = ns(view, type, name, strlen(name), -1, &m);
    return result < 0 ? (int)result : m.handles[0];
}

static int open_path(int face, const char *path, uint32_t flags)
{
    struct message m = {.type = FS_OPEN, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *r = (struct fs_path_request *)m.data;
    r->flags = flags;
    r->path_len = (uint32_t)strlen(path);
    memcpy(r->path, path, r->path_len);
    int64_t result = host_result(client, face, &m, NULL);
    return result < 0 ? (int)result : m.handles[0];
}

/* flags and len of a struct ns_request; its text is at byte 8. */
#define NS(flags, len) {(flags) | (uint64_t)(len) << 32}
static const struct row view_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation of files", -ENOSYS, FS_RMDIR, 8},
    {"an operation from outside", -ENOSYS, .type = 100, .len = 48},
    {"resolve cut in its head", -EINVAL, NS_RESOLVE, 7},
    {"resolve nothing", -ENOENT, NS_RESOLVE, 8, NS(0, 0)},
    {"resolve more than came", -EINVAL, NS_RESOLVE, 16, NS(0, 9), "sys:clock", 8, 8},
    {"resolve more than can come", -EINVAL, NS_RESOLVE, 248, NS(0, 241)},
    {"resolve a wrapping length", -EINVAL, NS_RESOLVE, 248, NS(0, UINT32_MAX)},
    {"resolve what is not there", -ENOENT, NS_RESOLVE, 12, NS(0, 4), "none", 8},
    {"resolve control characters", -ENOENT, NS_RESOLVE, 12, NS(0, 4), "a\nbc", 8},
    {"resolve NULs", -EINVAL, NS_RESOLVE, 12, NS(0, 4)},
    {"resolve separators", -ENOENT, NS_RESOLVE, 11, NS(0, 3), ":/:", 8},
    {"resolve", 0, NS_RESOLVE, 17, NS(0, 9), "sys:clock", 8},
    {"resolve with a rest too long", -ENAMETOOLONG, NS_RESOLVE, 247, NS(0, 239),
     "sys:clock/"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     8},
    {"register without a handle", -EINVAL, NS_REGISTER, 10, NS(0, 2), "a:", 8},
    {"register two handles", -EINVAL, NS_REGISTER, 10, NS(0, 2), "a:", 8, .handles = 2},
    {"register what is taken", -EEXIST, NS_REGISTER, 17, NS(0, 9), "sys:clock", 8, .handles = 1},
    {"register nothing", -EINVAL, NS_REGISTER, 8, NS(0, 0), .handles = 1},
    {"register a name too long", -ENAMETOOLONG, NS_REGISTER, 208, NS(0, 200),
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     8, .handles = 1},
    {"unregister another's", -EPERM, NS_UNREGISTER, 17, NS(0, 9), "sys:clock", 8},
    {"unregister what is not there", -ENOENT, NS_UNREGISTER, 10, NS(0, 2), "q:", 8},
    {"alias without a target", -EINVAL, NS_ALIAS, 10, NS(0, 2), "a:", 8},
    {"alias to nothing", -EINVAL, NS_ALIAS, 11, NS(0, 3), "a:\0", 8, 3},
    {"alias of nothing", -EINVAL, NS_ALIAS, 11, NS(0, 3), "\0a:", 8, 3},
    {"list", 0, NS_LIST, 8, NS(0, 0)},
    {"list behind the end", -ENOENT, NS_LIST, 8, NS(1000, 0)},
    {"list far behind the end", -ENOENT, NS_LIST, 8, NS(UINT32_MAX, 0)},
    {"a view with flags that do not exist", -EINVAL, NS_VIEW, 8, NS(4, 0)},
    {"a view", 0, NS_VIEW, 8, NS(0, 0)},
    {"handles for nothing", -ENOENT, NS_RESOLVE, 12, NS(0, 4), "none", 8, .handles = 4},
};

static const struct row root_rows[] = {
    {"hide in the root view", -EPERM, NS_HIDE, 11, NS(0, 3), "sys", 8},
    {"restrict the root view", -EPERM, NS_RESTRICT, 11, NS(0, 3), "sys", 8},
    {"bind in the root view", -EPERM, NS_BIND, 11, NS(0, 3), "sys", 8, .handles = 1},
    {"rebind in the root view", -EPERM, NS_REBIND, 13, NS(0, 5), "sys\0a", 8, 5},
};

/* On a view of the client's own. */
static const struct row own_rows[] = {
    {"bind without a handle", -EINVAL, NS_BIND, 10, NS(0, 2), "a:", 8},
    {"bind two handles", -EINVAL, NS_BIND, 10, NS(0, 2), "a:", 8, .handles = 2},
    {"bind nothing", -EINVAL, NS_BIND, 8, NS(0, 0), .handles = 1},
    {"rebind without a target", -EINVAL, NS_REBIND, 10, NS(0, 2), "a:", 8},
    {"rebind to nothing", -EINVAL, NS_REBIND, 11, NS(0, 3), "a:\0", 8, 3},
    {"hide nothing", -EINVAL, NS_HIDE, 8, NS(0, 0)},
    {"restrict to more than came", -EINVAL, NS_RESTRICT, 10, NS(0, 3), "sy", 8},
};

static const struct row face_rows[] = {
    {"open cut in its head", -EINVAL, FS_OPEN, 23},
    {"a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(0, 0, 3)},
    {"a path too long", -ENAMETOOLONG, FS_OPEN, 24, PATH_WORDS(0, 0, UINT32_MAX)},
    {"a NUL in the path", -EINVAL, FS_OPEN, 27, PATH_WORDS(0, 0, 3), "a\0b", 24, 3},
    {"a path in memory that is not there", -EFAULT, FS_OPEN, 24, PATH_WORDS(0, 0, 300),
     .windows = 1, .window = {{300, WINDOW_READ, 0}}},
    {"no such name", -ENOENT, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 4), "none", 24},
    {"a name as a directory", -ENOTDIR, FS_OPEN, 33, PATH_WORDS(FS_O_DIRECTORY, 0, 9), "sys:clock",
     24},
    {"a name for writing", -EROFS, FS_OPEN, 33, PATH_WORDS(FS_O_WRITE, 0, 9), "sys:clock", 24},
    {"a new name", -EROFS, FS_OPEN, 28, PATH_WORDS(FS_O_CREATE, 0, 4), "none", 24},
    {"open", 0, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 0)},
    {"stat cut", -EINVAL, FS_STAT, 8},
    {"stat", 0, FS_STAT, 33, PATH_WORDS(0, 0, 9), "sys:clock", 24},
    {"unlink", -EROFS, FS_UNLINK},
    {"read the root handle", -ENOSYS, FS_READ, 16},
};

static const struct row file_rows[] = {
    {"read cut", -EINVAL, FS_READ, 15, {0, 1}, .windows = 1, .window = {{9, WINDOW_WRITE, 9}}},
    {"read nothing", 0, FS_READ, 16, {0, 0}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read more than the window takes", -EINVAL, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 9}}},
    {"read far behind the end", 0, FS_READ, 16, {UINT64_MAX - 1, 9}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 9}}},
    {"read into memory that is not there", -EFAULT, FS_READ, 16, {0, 9}, .windows = 1,
     .window = {{9, WINDOW_WRITE, 0}}},
    {"readdir", -ENOTDIR, FS_READDIR, 16, {0, 9}, .windows = 1, .window = {{9, WINDOW_WRITE, 9}}},
    {"seek cut", -EINVAL, FS_SEEK, 15},
    {"seek in no direction", -EINVAL, FS_SEEK, 16, {0, 3}},
    {"seek over the top", -EINVAL, FS_SEEK, 16, {INT64_MAX, FS_SEEK_END}},
    {"write", -EBADF, FS_WRITE, 17},
    {"open below a file", -ENOTDIR, FS_OPEN, 24},
};

/* Names go with the view that they were registered through, and with nothing else. */
static void test_registered(void)
{
    struct host_count before = host_count();
    int view = get(root, NS_VIEW, "");
    CHECK_IS(text(view, NS_REGISTER, "mine:", gift), 0);
    CHECK_IS(text(root, NS_RESOLVE, "mine:x", -1), 0);
    CHECK_IS(text(view, NS_REGISTER, "mine:", gift), 0); /* the same channel again */
    struct host_process *mine = client;
    struct host_object *channel = host_channel(NULL, NULL);
    client = host_process("other");
    int others_root = host_root(client);
    int others = host_hold(client, channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    int weak = host_hold(client, channel, RIGHT_SEND | RIGHT_TRANSFER);
    CHECK_IS(text(others_root, NS_REGISTER, "mine:", others), -EEXIST);
    CHECK_IS(text(others_root, NS_UNREGISTER, "mine:", -1), -EPERM);
    CHECK_IS(text(others_root, NS_REGISTER, "weak:", weak), -EACCES);
    struct host_object *memory = host_memory(4096, 0, 4096);
    CHECK_IS(text(others_root, NS_REGISTER, "memory:", host_hold(client, memory, RIGHTS_ALL)),
             -EINVAL);
    host_release(memory);
    int shared = host_hold(client, host_object(mine, view), RIGHT_SEND | RIGHT_DUP);
    CHECK_IS(text(shared, NS_RESOLVE, "mine:", -1), 0);
    CHECK_IS(text(shared, NS_HIDE, "mine:", -1), -EPERM); /* who made the view rules it */
    CHECK_IS(text(shared, NS_BIND, "own:", others), -EPERM);
    unsigned names = 0;
    char name[16] = "n00:";
    for (; names < 100; names++) {
        name[1] = (char)('0' + names / 10);
        name[2] = (char)('0' + names % 10);
        if (text(others_root, NS_REGISTER, name, others) < 0)
            break;
    }
    CHECK(names >= 16 && names < 100);
    while (names-- > 0) {
        name[1] = (char)('0' + names / 10);
        name[2] = (char)('0' + names % 10);
        CHECK_IS(text(others_root, NS_UNREGISTER, name, -1), 0);
    }
    CHECK_IS(text(others_root, NS_REGISTER, "dead:", others), 0);
    host_channel_dead(channel);
    host_exit(client, EXIT_NORMAL, 0);
    host_leave(client);
    client = mine;
    CHECK_IS(text(root, NS_REGISTER, "dead:", gift), 0); /* who was there is dead */
    CHECK_IS(text(root, NS_UNREGISTER, "dead:", -1), 0);
    host_release(channel);
    host_close(client, view);
    host_idle();
    CHECK_IS(text(root, NS_RESOLVE, "mine:x", -1), -ENOENT);
    check_kept(&before, "registered names");
}

/* What is opened of a view shows nothing any more once the view is gone, and nothing of the view
 * that has taken its place. */
static void test_stale_view(void)
{
    struct host_count before = host_count();
    int view = get(root, NS_VIEW, "");
    int face = get(view, NS_RESOLVE, "ns:");
    int directory = open_path(face, "", FS_O_DIRECTORY);
    CHECK(directory >= 0);
    int opened = open_path(directory, "sys:clock", FS_O_READ);
    CHECK(opened >= 0);
    host_close(client, opened);
    host_close(client, view);
    host_idle();
    CHECK_IS(open_path(face, "", FS_O_READ), -EBADF);
    CHECK(open_path(directory, "sys:clock", FS_O_READ) < 0);
    int secret = get(root, NS_VIEW, "");
    CHECK_IS(text(secret, NS_BIND, "secret:", gift), 0);
    CHECK(open_path(directory, "secret:", FS_O_READ) < 0);
    host_close(client, secret);
    host_close(client, directory);
    host_close(client, face);
    host_idle();
    check_kept(&before, "a view that is gone");
}

/* A view in which its own handle, or that of another in which its own is, has a name goes all the
 * same when its handles do. */
static void test_cycle(void)
{
    struct host_count before = host_count();
    int one = get(root, NS_VIEW, ""), two = get(root, NS_VIEW, "");
    CHECK(text(one, NS_REGISTER, "self:", one) < 0);
    CHECK(text(one, NS_REGISTER, "other:", two) < 0);
    CHECK(text(two, NS_BIND, "other:", one) < 0);
    int face = get(one, NS_RESOLVE, "ns:"), file = open_path(face, "", FS_O_READ);
    CHECK(text(one, NS_REGISTER, "face:", face) < 0);
    CHECK(text(one, NS_BIND, "file:", file) < 0);
    host_close(client, one);
    host_close(client, two);
    host_close(client, face);
    host_close(client, file);
    host_idle();
    check_kept(&before, "a view that holds itself");
    CHECK_IS(text(root, NS_RESOLVE, "self:", -1), -ENOENT);
}

/* Waiters: those that gave up take no room from others. */
static void test_wait(void)
{
    struct host_count before = host_count();
    struct message m;
    for (unsigned i = 0; i < 300; i++)
        CHECK_IS(text(root, NS_WAIT, "later:", -1), HOST_WOULD_WAIT);
    m = (struct message){.type = NS_WAIT, .len = 14, .words = {6ul << 32}};
    memcpy(m.data + 8, "later:", 6);
    struct host_call *waiting = host_send(client, root, &m, NULL);
    CHECK(waiting->state == HOST_WAITING);
    int view = get(root, NS_VIEW, "");
    struct host_call *of_view = host_send(client, view, &m, NULL);
    CHECK(of_view->state == HOST_WAITING);
    host_close(client, view);
    host_idle();
    CHECK(of_view->state == HOST_ANSWERED && (int64_t)of_view->reply.words[0] < 0);
    host_done(of_view);
    CHECK_IS(text(root, NS_REGISTER, "later:", gift), 0);
    CHECK(waiting->state == HOST_ANSWERED && waiting->reply.words[0] == 0);
    host_close(client, waiting->reply.handles[0]);
    host_done(waiting);
    CHECK_IS(text(root, NS_UNREGISTER, "later:", -1), 0);
    check_kept(&before, "waiting");
}

/* So many may wait, and no more. */
static void test_many_wait(void)
{
    struct host_call *calls[40];
    unsigned waiting = 0;
    for (unsigned i = 0; i < 40; i++) {
        struct message m = {.type = NS_WAIT, .len = 14, .words = {6ul << 32}};
        memcpy(m.data + 8, "later:", 6);
        calls[i] = host_send(client, root, &m, NULL);
        waiting += calls[i]->state == HOST_WAITING;
        CHECK(calls[i]->state == HOST_WAITING || (int64_t)calls[i]->reply.words[0] == -EAGAIN);
    }
    CHECK(waiting >= 4 && waiting <= 16);
    for (unsigned i = 0; i < 40; i++) {
        host_cancel(calls[i]);
        host_done(calls[i]);
    }
}

/* The names of the dead make way when the table is full. */
static void test_full_table(void)
{
    struct host_count before = host_count();
    struct host_process *mine = client;
    char name[16];
    unsigned registered = 0;
    for (unsigned p = 0; p < 6; p++) {
        struct host_object *channel = host_channel(NULL, NULL);
        client = host_process("short-lived");
        int own = host_root(client);
        int handle = host_hold(client, channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
        for (unsigned i = 0; i < 60; i++) {
            snprintf(name, sizeof name, "p%ui%u:", p, i);
            registered += text(own, NS_REGISTER, name, handle) == 0;
        }
        host_channel_dead(channel);
        host_exit(client, EXIT_KILLED, 9);
        host_leave(client);
        host_release(channel);
    }
    client = mine;
    CHECK_IS(registered, 360);
    CHECK_IS(text(root, NS_RESOLVE, "sys:clock", -1), 0);
    struct message m = {.type = NS_ALIAS, .len = 8 + 12, .words = {12ul << 32}};
    memcpy(m.data + 8, "q:\0sys:clock", 12);
    CHECK_IS(host_result(client, root, &m, NULL), 0);
    CHECK_IS(text(root, NS_UNREGISTER, "q:", -1), 0);
    for (unsigned p = 0; p < 6; p++) { /* whoever comes by those names takes them over */
        for (unsigned i = 0; i < 60; i++) {
            snprintf(name, sizeof name, "p%ui%u:", p, i);
            if (text(root, NS_RESOLVE, name, -1) == 0) {
                CHECK_IS(text(root, NS_REGISTER, name, gift), 0);
                CHECK_IS(text(root, NS_UNREGISTER, name, -1), 0);
            }
        }
    }
    check_kept(&before, "a full table");
}

/* Views and opened files are limited; what fails on the way leaves nothing. */
static void test_limits(void)
{
    struct host_count before = host_count();
    int handles[128], face = get(root, NS_RESOLVE, "ns:"), count = 0;
    while (count < 128 && (handles[count] = get(root, NS_VIEW, "")) >= 0)
        count++;
    CHECK(count >= 8 && count <= 16);
    while (count > 0)
        host_close(client, handles[--count]);
    while (count < 128 && (handles[count] = open_path(face, "", FS_O_READ)) >= 0)
        count++;
    CHECK(count >= 8 && count < 64);
    while (count > 0)
        host_close(client, handles[--count]);
    host_idle();
    for (unsigned i = 0; i < 200; i++) {
        host_fail(1);
        CHECK(get(root, NS_VIEW, "") < 0 && host_fail(0));
        host_fail(1);
        CHECK(open_path(face, "", FS_O_READ) < 0 && host_fail(0));
        host_fail(1);
        CHECK(text(root, NS_REGISTER, "f:", gift) < 0 && host_fail(0));
        host_fail(1);
        CHECK(text(root, NS_RESOLVE, "sys:clock", -1) < 0 && host_fail(0));
    }
    int view = get(root, NS_VIEW, "");
    host_fail(1);
    CHECK(text(view, NS_RESOLVE, "ns:", -1) < 0 && host_fail(0));
    host_close(client, view);
    host_close(client, face);
    host_idle();
    check_kept(&before, "limits");
}

static void test(void)
{
    client = host_process("client");
    root = host_root(client);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    int face = get(root, NS_RESOLVE, "ns:"), view = get(root, NS_VIEW, "");
    int file = open_path(face, "", FS_O_READ), directory = open_path(face, "", FS_O_DIRECTORY);
    CHECK(face >= 0 && view >= 0 && file >= 0 && directory >= 0);
    ROWS_RUN(client, root, gift, view_rows);
    ROWS_RUN(client, root, gift, root_rows);
    ROWS_RUN(client, view, gift, view_rows);
    ROWS_RUN(client, view, gift, own_rows);
    ROWS_RUN(client, face, gift, face_rows);
    ROWS_RUN(client, file, gift, file_rows);
    test_registered();
    test_stale_view();
    test_cycle();
    test_wait();
    test_many_wait();
    test_limits();
    test_full_table();
    rows_sweep(client, root, gift, 30, NULL, 0, NULL);
    rows_sweep(client, face, gift, 30, NULL, 0, NULL);
    rows_sweep(client, file, gift, 30, NULL, 0, NULL);
    rows_sweep(client, directory, gift, 30, NULL, 0, NULL);
    host_exit(client, EXIT_NORMAL, 0);
    host_idle();
}

int main(void)
{
    serve_prepare();
    host_run(serve_nsd, test);
    host_leave(client);
    return check_end();
}
