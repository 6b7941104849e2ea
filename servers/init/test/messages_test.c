/* Sends init malformed messages: on sys:process, on spawn sessions, on job handles, and to its text
 * files. Each gets its error, and no handle, session, mapping or process is left behind. */
#include "cairn/spawn.h"
#include "init/init.h"
#include "proto/fs.h"
#include "rows.h"
#include "serve.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROOM 16384

static struct host_process *client; /* a child of the service */
static int own, gift, image, sparse, broken;

/* ---- Spawning --------------------------------------------------------------------------------- */

/* One request to start something, with all that may be wrong with it. */
struct attempt {
    const char *what;
    int64_t expected; /* 0: a pid, or a session */
    uint32_t flags, priority, stack_size;
    uint32_t block_len; /* 0: as it is */
    void (*spoil)(struct spawn_block *block);
    size_t mapped; /* bytes of the window that are there; 0: all */
    unsigned name_len; /* bytes of the name without a NUL */
    unsigned handles;  /* that travel, the executable included; 0: all that the block lists */
    unsigned entries;  /* in the block */
    int *executable;   /* NULL: image */
    bool no_window, restless, write_only;
};

static void spoil_magic(struct spawn_block *b) { b->magic++; }
static void spoil_length(struct spawn_block *b) { b->length++; }
static void spoil_argc(struct spawn_block *b) { b->argc = UINT32_MAX; }
static void spoil_args(struct spawn_block *b) { b->argc = SPAWN_BLOCK_MAX; }
static void spoil_envc(struct spawn_block *b) { b->envc = UINT32_MAX; }
static void spoil_count(struct spawn_block *b) { b->handle_count = SPAWN_HANDLES_MAX + 1; }
static void spoil_huge_count(struct spawn_block *b) { b->handle_count = UINT32_MAX; }
static void spoil_cwd(struct spawn_block *b) { b->cwd = b->length; }
static void spoil_string(struct spawn_block *b) { b->strings[0] = 4; }
static void spoil_end(struct spawn_block *b) { ((char *)b)[b->length - 1] = 'x'; }
static void spoil_entry(struct spawn_block *b) { b->handles[0].id = 7777; }

static const struct attempt attempts[] = {
    {"as it should be", 0, .entries = 2},
    {"detached", 0, .flags = SPAWN_DETACHED},
    {"flags that do not exist", -EINVAL, .flags = 2},
    {"a priority too high", -EINVAL, .priority = PRIORITIES},
    {"a priority far too high", -EINVAL, .priority = UINT32_MAX},
    {"a stack too large", -EINVAL, .stack_size = UINT32_MAX},
    {"a name without an end", -EINVAL, .name_len = PROCESS_NAME_MAX},
    {"a block without its length", -EINVAL, .block_len = 1},
    {"a block of hardly any bytes", -EINVAL, .block_len = sizeof(struct spawn_block) - 1},
    {"a block too long", -E2BIG, .block_len = SPAWN_BLOCK_MAX + 1},
    {"a block far too long", -E2BIG, .block_len = UINT32_MAX},
    {"a block longer than the window", -EFAULT, .block_len = SPAWN_BLOCK_MAX},
    {"a block that is not there", -EFAULT, .mapped = 1},
    {"no window", -EINVAL, .no_window = true},
    {"a window for writing", -EACCES, .write_only = true},
    {"a wrong magic", -EINVAL, .spoil = spoil_magic},
    {"a wrong length inside", -EINVAL, .spoil = spoil_length},
    {"arguments without end", -EINVAL, .spoil = spoil_argc},
    {"more arguments than fit", -EINVAL, .spoil = spoil_args},
    {"variables without end", -EINVAL, .spoil = spoil_envc},
    {"an entry too many", -E2BIG, .spoil = spoil_count},
    {"entries without end", -E2BIG, .spoil = spoil_huge_count},
    {"a directory behind the end", -EINVAL, .spoil = spoil_cwd},
    {"an argument before the strings", -EINVAL, .spoil = spoil_string},
    {"strings that do not end", -EINVAL, .spoil = spoil_end},
    {"an entry for nothing", -EINVAL, .spoil = spoil_entry, .entries = 1},
    {"entries without handles", -EINVAL, .handles = 1, .entries = 2},
    {"handles without entries", -EINVAL, .handles = 3, .entries = 1},
    {"no executable", -EBADF, .executable = &gift},
    {"an executable with holes", 0, .executable = &sparse},
    {"a broken executable", -ENOEXEC, .executable = &broken},
    {"a handle that may not be passed on", -EACCES, .executable = &own},
};

static size_t make_block(const struct attempt *a, uint8_t *buffer)
{
    static const char *const argv[] = {"prog", "-x", NULL};
    static const char *const envp[] = {"A=1", NULL};
    struct spawn_handle handles[3];
    for (unsigned i = 0; i < a->entries; i++)
        handles[i] = (struct spawn_handle){.id = SPAWN_FD(i), .handle = 1, .name = "a:b"};
    const struct spawn_options options = {.argv = argv,
                                          .envp = envp,
                                          .cwd = "/",
                                          .handles = handles,
                                          .handle_count = a->entries};
    return serve_block(&options, buffer, BLOCK_ROOM);
}

/* Sends it as PROC_SPAWN or PROC_PREPARE. */
static int64_t spawn(uint32_t type, const struct attempt *a, struct message *m)
{
    uint8_t buffer[BLOCK_ROOM];
    struct host_process *process = client;
    size_t len = make_block(a, buffer);
    if (a->spoil)
        a->spoil((struct spawn_block *)buffer);
    struct host_window window = {.bytes = malloc(len),
                                 .mapped = a->mapped ? a->mapped : len,
                                 .length = len > a->block_len ? len : a->block_len,
                                 .access = a->write_only ? WINDOW_WRITE : WINDOW_READ,
                                 .restless = a->restless};
    memcpy(window.bytes, buffer, len);
    *m = (struct message){.type = type, .len = sizeof(struct spawn_request)};
    struct spawn_request *r = (struct spawn_request *)m->data;
    *r = (struct spawn_request){.block_len = a->block_len ? a->block_len : (uint32_t)len,
                                .stack_size = a->stack_size,
                                .priority = a->priority,
                                .flags = a->flags,
                                .name = "child"};
    memset(r->name, 'n', a->name_len);
    m->handle_count = (uint8_t)(a->handles ? a->handles : 1 + a->entries);
    m->handles[0] = a->executable ? *a->executable : image;
    for (unsigned i = 1; i < m->handle_count; i++)
        m->handles[i] = gift;
    m->window_count = !a->no_window;
    int64_t result = host_result(process, own, m, &window);
    free(window.bytes);
    return result;
}

/* Ends a process, and waits for it where that is called for. */
static void end(int64_t pid)
{
    struct message m = {.type = PROC_WAIT, .len = 16, .words = {(uint64_t)pid, PROC_NOHANG}};
    host_exit(host_process_of((uint32_t)pid), EXIT_NORMAL, 3);
    host_idle();
    int64_t waited = host_result(client, own, &m, NULL);
    CHECK(waited == pid || waited == -ECHILD);
}

static void test_spawn(void)
{
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const struct attempt *a = &attempts[i];
        struct host_count before = host_count();
        struct message m;
        int64_t result = spawn(PROC_SPAWN, a, &m);
        check(a->expected ? result == a->expected : result > 0, __FILE__, __LINE__, "%s: %ld",
              a->what, (long)result);
        if (result > 0)
            end(result);
        check_kept(&before, a->what);
        result = spawn(PROC_PREPARE, a, &m);
        bool incomplete = a->entries && a->handles == 1;
        check(result == (incomplete ? 0 : a->expected), __FILE__, __LINE__, "prepare %s: %ld",
              a->what, (long)result);
        if (m.handle_count)
            host_close(client, m.handles[0]);
        host_idle();
        check_kept(&before, a->what);
    }
}

/* Each allocation on the way fails once. */
static void test_spawn_failures(void)
{
    static const struct attempt whole = {.entries = 2}, holes = {.executable = &sparse};
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned n = 1;; n++) {
            struct host_count before = host_count();
            struct message m;
            host_fail(n);
            int64_t result = spawn(round % 2 ? PROC_PREPARE : PROC_SPAWN,
                                   round / 2 ? &holes : &whole, &m);
            bool failed = host_fail(0);
            CHECK((result < 0) == failed);
            if (m.handle_count)
                host_close(client, m.handles[0]);
            if (result > 0)
                end(result);
            host_idle();
            check_kept(&before, "a failed spawn");
            if (!failed || n > 100)
                break;
        }
    }
}

static void test_sessions(void)
{
    static const struct attempt open = {.entries = 2, .handles = 1};
    struct host_count before = host_count();
    struct message m;
    int handles[8];
    unsigned count = 0;
    while (count < 8 && spawn(PROC_PREPARE, &open, &m) == 0)
        handles[count++] = m.handles[0];
    CHECK(count >= 1 && count < 8);
    m = (struct message){.type = PROC_START};
    CHECK_IS(host_result(client, handles[0], &m, NULL), -EINVAL); /* not all was given: it is over */
    m = (struct message){.type = PROC_START};
    CHECK_IS(host_result(client, handles[0], &m, NULL), -EINVAL);
    CHECK_IS(spawn(PROC_PREPARE, &open, &m), 0);
    int session = m.handles[0];
    m = (struct message){.type = PROC_GIVE, .handle_count = 2, .handles = {gift, gift}};
    CHECK_IS(host_result(client, session, &m, NULL), 0);
    m = (struct message){.type = PROC_START};
    int64_t pid = host_result(client, session, &m, NULL);
    CHECK(pid > 0);
    m = (struct message){.type = PROC_GIVE, .handle_count = 1, .handles = {gift}};
    CHECK_IS(host_result(client, session, &m, NULL), -EINVAL);
    end(pid);
    host_close(client, session);
    for (unsigned i = 0; i < count; i++)
        host_close(client, handles[i]);
    host_idle();
    check_kept(&before, "spawn sessions");
}

/* A session whose own handle was given to the process that it prepares never closes by itself: it
 * ends with its owner. */
static void test_session_cycle(void)
{
    static const struct attempt plain = {.flags = SPAWN_DETACHED}, open = {.entries = 2, .handles = 1};
    struct host_count before = host_count();
    struct host_process *mine = client;
    int mine_own = own, mine_image = image;
    struct message m;
    int64_t pid = spawn(PROC_SPAWN, &plain, &m);
    CHECK(pid > 0);
    struct host_object *memory = host_object(client, image);
    client = host_keep(host_process_of((uint32_t)pid));
    own = serve_own(client);
    image = host_hold(client, memory, RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_X | RIGHT_DUP);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_IS(spawn(PROC_PREPARE, &open, &m), 0);
        int session = m.handles[0];
        m = (struct message){.type = PROC_GIVE, .handle_count = 1, .handles = {session}};
        CHECK_IS(host_result(client, session, &m, NULL), 0);
        host_close(client, session);
    }
    host_exit(client, EXIT_NORMAL, 0);
    host_leave(client);
    host_idle();
    client = mine;
    own = mine_own;
    image = mine_image;
    check_kept(&before, "sessions that hold themselves");
}

/* ---- Everything else on sys:process ----------------------------------------------------------- */

static const struct row process_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation of sessions", -ENOSYS, PROC_GIVE, 8},
    {"another", -ENOSYS, PROC_START, 8},
    {"an operation of jobs", -ENOSYS, PROC_JOB_SIGNAL, 8, {9}},
    {"an operation from outside", -ENOSYS, .type = 300, .len = 48},
    {"spawn cut", -EINVAL, PROC_SPAWN, sizeof(struct spawn_request) - 1, .handles = 1},
    {"spawn with nothing", -EINVAL, PROC_SPAWN, sizeof(struct spawn_request)},
    {"wait cut", -EINVAL, PROC_WAIT, 15, {1}},
    {"wait with flags that do not exist", -EINVAL, PROC_WAIT, 16, {UINT64_MAX, 2}},
    {"wait for no child", -ECHILD, PROC_WAIT, 16, {UINT64_MAX, 0}},
    {"wait for init", -ECHILD, PROC_WAIT, 16, {1, 0}},
    {"wait for a number that is no pid", -EINVAL, PROC_WAIT, 16, {INT64_MAX, 0}},
    {"wait for another", -EINVAL, PROC_WAIT, 16, {(uint64_t)INT64_MAX + 1, 0}},
    {"signal cut", -EINVAL, PROC_SIGNAL, 15, {1}},
    {"signal init", -ESRCH, PROC_SIGNAL, 16, {1, 9}},
    {"signal what is no pid", -EINVAL, PROC_SIGNAL, 16, {INT64_MAX, 9}},
    {"signal the smallest number", -EINVAL, PROC_SIGNAL, 16, {(uint64_t)INT64_MAX + 1, 9}},
    {"signal a job that is none", -ESRCH, PROC_SIGNAL, 16, {(uint64_t)-7777, 9}},
    {"a signal that is none", -EINVAL, PROC_SIGNAL, 16, {1, 64}},
    {"a signal that is none by far", -EINVAL, PROC_SIGNAL, 16, {1, UINT64_MAX}},
    {"sigaction cut", -EINVAL, PROC_SIGACTION, 15},
    {"a job of nobody", -ESRCH, PROC_JOB, 8, {7777}},
    {"a job of no number", -ESRCH, PROC_JOB, 8, {UINT64_MAX}},
    {"a job of 0", -ESRCH, PROC_JOB, 8, {0}},
    {"join cut", -EINVAL, PROC_JOIN_JOB, 15},
    {"join nobody", -ESRCH, PROC_JOIN_JOB, 16, {7777, 0}},
    {"join no number", -ESRCH, PROC_JOIN_JOB, 16, {UINT64_MAX, UINT64_MAX}},
    {"join a job of nobody", -ESRCH, PROC_JOIN_JOB, 16, {0, 7777}},
    {"shutdown cut", -EINVAL, PROC_SHUTDOWN, 7},
    {"a shutdown of a kind that is none", -EINVAL, PROC_SHUTDOWN, 8, {2}},
};

static const struct row job_rows[] = {
    {"signal cut", -EINVAL, PROC_JOB_SIGNAL, 7, {0}},
    {"a signal that is none", -EINVAL, PROC_JOB_SIGNAL, 8, {64}},
    {"another", -EINVAL, PROC_JOB_SIGNAL, 8, {UINT64_MAX}},
    {"only a question", 0, PROC_JOB_SIGNAL, 8, {0}},
    {"an operation of processes", -ENOSYS, PROC_SPAWN, 200, .handles = 1},
};

static int64_t call(int handle, uint32_t type, uint64_t w0, uint64_t w1, struct message *m)
{
    *m = (struct message){.type = type, .len = 16, .words = {w0, w1}};
    return host_result(client, handle, m, NULL);
}

/* Somebody who is no process of init's, on the name that all may resolve. */
static void test_stranger(void)
{
    struct host_process *stranger = host_process("stranger");
    int handle = serve_root(stranger, "sys:process");
    struct message m = {.type = PROC_PARENT};
    CHECK_IS(host_result(stranger, handle, &m, NULL), -ESRCH);
    m = (struct message){.type = PROC_SPAWN, .len = 200};
    CHECK_IS(host_result(stranger, handle, &m, NULL), -ESRCH);
    host_exit(stranger, EXIT_NORMAL, 0);
    host_leave(stranger);
    m = (struct message){.type = PROC_PARENT};
    CHECK_IS(host_result(client, serve_root(client, "sys:process"), &m, NULL),
             host_pid(serve_names()));
}

/* It is in the job of the service that started it, but may not touch the service. */
static void test_rights(void)
{
    struct message m;
    CHECK_IS(call(own, PROC_SHUTDOWN, 0, 0, &m), -EPERM);
    CHECK_IS(call(own, PROC_SIGNAL, host_pid(serve_shell()), 9, &m), -EPERM);
    CHECK_IS(call(own, PROC_SIGNAL, host_pid(serve_names()), 9, &m), -EPERM);
    CHECK_IS(call(own, PROC_JOB, host_pid(serve_names()), 0, &m), -EPERM);
    CHECK_IS(call(own, PROC_JOIN_JOB, host_pid(serve_shell()), 0, &m), -EPERM);
    CHECK(host_alive(serve_shell()) && host_alive(serve_names()));
    CHECK_IS(call(own, PROC_JOIN_JOB, 0, 0, &m), 0); /* a job of its own */
    CHECK_IS(call(own, PROC_JOB, host_pid(client), 0, &m), 0);
    host_close(client, m.handles[0]);
}

/* Waiters: one process has only so many, those that gave up count for nothing, and a child goes to
 * somebody who is still there. */
static void test_wait(void)
{
    static const struct attempt plain = {0};
    struct host_count before = host_count();
    struct message m;
    int64_t pid = spawn(PROC_SPAWN, &plain, &m);
    CHECK(pid > 0);
    for (unsigned i = 0; i < 300; i++) {
        m = (struct message){.type = PROC_WAIT, .len = 16, .words = {UINT64_MAX, 0}};
        CHECK_IS(host_result(client, own, &m, NULL), HOST_WOULD_WAIT);
    }
    m = (struct message){.type = PROC_WAIT, .len = 16, .words = {UINT64_MAX, 0}};
    struct host_call *waiting = host_send(client, own, &m, NULL);
    CHECK(waiting->state == HOST_WAITING);
    host_exit(host_process_of((uint32_t)pid), EXIT_FAULT, 13);
    host_idle();
    CHECK(waiting->state == HOST_ANSWERED && (int64_t)waiting->reply.words[0] == pid);
    CHECK(((const struct process_status *)&waiting->reply.words[1])->reason == EXIT_FAULT);
    host_done(waiting);
    check_kept(&before, "waiting");
}

/* ---- Text files ------------------------------------------------------------------------------- */

static const struct row root_rows[] = {
    {"open cut in its head", -EINVAL, FS_OPEN, 23},
    {"a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 4)},
    {"a huge path", -ENOENT, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, UINT32_MAX)},
    {"a NUL in the path", -EINVAL, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 4), "li\0t", 24, 4},
    {"no such name", -ENOENT, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 4), "none", 24},
    {"a number too large", -ENOENT, FS_OPEN, 35, PATH_WORDS(FS_O_READ, 0, 11), "99999999999", 24},
    {"a process that is not there", -ENOENT, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 4), "7777", 24},
    {"below a file", -ENOTDIR, FS_OPEN, 30, PATH_WORDS(FS_O_READ, 0, 6), "list:x", 24},
    {"zeros", -EINVAL, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 200)},
    {"a segment too long", -ENOENT, FS_OPEN, 224, PATH_WORDS(FS_O_READ, 0, 130),
     "----------------------------------------------------------------------------------------"
     "------------------------------------------", 24},
    {"a file for writing", -EROFS, FS_OPEN, 28, PATH_WORDS(FS_O_WRITE, 0, 4), "list", 24},
    {"a file, made anew", -EEXIST, FS_OPEN, 28, PATH_WORDS(FS_O_CREATE | FS_O_EXCLUSIVE, 0, 4),
     "list", 24},
    {"a new file", -EROFS, FS_OPEN, 28, PATH_WORDS(FS_O_CREATE, 0, 4), "none", 24},
    {"a file as a directory", -ENOTDIR, FS_OPEN, 28, PATH_WORDS(FS_O_DIRECTORY, 0, 4), "list", 24},
    {"open", 0, FS_OPEN, 28, PATH_WORDS(FS_O_READ, 0, 4), "list", 24},
    {"stat cut", -EINVAL, FS_STAT, 8},
    {"unlink", -EROFS, FS_UNLINK},
    {"readlink", -EINVAL, FS_READLINK},
    {"read the root handle", -ENOSYS, FS_READ, 16},
};

static const struct row text_rows[] = {
    {"read cut", -EINVAL, FS_READ, 15, {0, 1}, .windows = 1, .window = {{10, WINDOW_WRITE, 10}}},
    {"read without a window", -EINVAL, FS_READ, 16, {0, 1}},
    {"read far behind the end", 0, FS_READ, 16, {INT64_MAX, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"read at a negative offset", -EINVAL, FS_READ, 16, {UINT64_MAX - 1, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"read more than the window takes", 10, FS_READ, 16, {0, UINT64_MAX}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
    {"read into a window for reading", -EACCES, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_READ, 10}}},
    {"read into memory that is not there", -EFAULT, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 0}}},
    {"readdir", -ENOTDIR, FS_READDIR, 16, {0, 100}, .windows = 1,
     .window = {{100, WINDOW_WRITE, 100}}},
    {"write", -EBADF, FS_WRITE, 17, {0, 1}},
    {"seek cut", -EINVAL, FS_SEEK, 15},
    {"seek in no direction", -EINVAL, FS_SEEK, 16, {0, 3}},
    {"seek below 0", -EINVAL, FS_SEEK, 16, {UINT64_MAX, FS_SEEK_SET}},
    {"seek over the top", -EINVAL, FS_SEEK, 16, {INT64_MAX, FS_SEEK_END}},
    {"open below a file", -ENOTDIR, FS_OPEN, 25, PATH_WORDS(0, 0, 1), "x", 24},
};

static const struct row directory_rows[] = {
    {"readdir without a window", -EINVAL, FS_READDIR, 16, {0, 100}},
    {"readdir into too little", -EINVAL, FS_READDIR, 16, {0, 20}, .windows = 1,
     .window = {{20, WINDOW_WRITE, 20}}},
    {"readdir into memory that is not there", -EFAULT, FS_READDIR, 16, {0, 1000}, .windows = 1,
     .window = {{1000, WINDOW_WRITE, 0}}},
    {"readdir from behind the end", 0, FS_READDIR, 16, {INT64_MAX, 1000}, .windows = 1,
     .window = {{1000, WINDOW_WRITE, 1000}}},
    {"read a directory", -EISDIR, FS_READ, 16, {0, 10}, .windows = 1,
     .window = {{10, WINDOW_WRITE, 10}}},
};

static int open_text(int root, const char *path)
{
    struct message m = {.type = FS_OPEN, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *r = (struct fs_path_request *)m.data;
    r->flags = FS_O_READ;
    r->path_len = (uint32_t)strlen(path);
    memcpy(r->path, path, r->path_len);
    int64_t result = host_result(client, root, &m, NULL);
    return result < 0 ? (int)result : m.handles[0];
}

/* Every file of every root, read to its end in small pieces. */
static void test_all_files(void)
{
    static const struct {
        const char *root, *path;
        int64_t at_least;
    } files[] = {
        {"proc:", "list", 60},      {"proc:", "self:state", 60}, {"proc:", "self/memory", 20},
        {"time:", "", 30},          {"boot:", "services.conf", 100}, {"boot:", "empty", 0},
        {"boot:", "prog", 8192},    {"sys:", "version", 5},      {"sys:", "memory", 20},
        {"sys:", "scheduler", 20},  {"sys:", "devices", 60},     {"sys:", "services", 10},
        {"sys:", "ipc", 0},
        {"sys:", "commandline", 5}, {"sys:", "log", 8000},
    };
    uint8_t bytes[100];
    struct host_window window = {bytes, sizeof bytes, sizeof bytes, WINDOW_WRITE, false};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int root = serve_root(client, files[i].root), file = open_text(root, files[i].path);
        int64_t total = 0, n = 1;
        for (unsigned reads = 0; n > 0 && reads < 1000; reads++) {
            struct message m = {.type = FS_READ, .len = 16, .words = {FS_OFFSET_CURRENT, 100},
                                .window_count = 1};
            n = file < 0 ? file : host_result(client, file, &m, &window);
            total += n;
        }
        check(n == 0 && total >= files[i].at_least, __FILE__, __LINE__, "%s%s: %ld, %ld bytes",
              files[i].root, files[i].path, (long)n, (long)total);
        host_close(client, root);
        if (file >= 0)
            host_close(client, file);
    }
    host_idle();
}

static void test_texts(void)
{
    struct host_count before = host_count();
    int proc = serve_root(client, "proc:"), list = open_text(proc, "list");
    int directory = open_text(proc, ""), opened = 0;
    CHECK(list >= 0 && directory >= 0);
    ROWS_RUN(client, proc, gift, root_rows);
    ROWS_RUN(client, list, gift, text_rows);
    ROWS_RUN(client, directory, gift, directory_rows);
    int handles[100];
    while (opened < 100 && (handles[opened] = open_text(proc, "list")) >= 0)
        opened++;
    CHECK(opened > 10 && opened < 100 && handles[opened] == -EMFILE);
    while (opened > 0)
        host_close(client, handles[--opened]);
    for (unsigned i = 0; i < 200; i++) {
        host_fail(1);
        CHECK(open_text(proc, "list") < 0 && host_fail(0));
    }
    rows_sweep(client, proc, gift, 34, NULL, 0, NULL);
    rows_sweep(client, list, gift, 34, NULL, 0, NULL);
    rows_sweep(client, directory, gift, 34, NULL, 0, NULL);
    host_close(client, proc);
    host_close(client, list);
    host_close(client, directory);
    host_idle();
    check_kept(&before, "texts");
    test_all_files();
    check_kept(&before, "all texts");
}

/* ---- The end ---------------------------------------------------------------------------------- */

static jmp_buf off;

static void power_off(uint64_t status)
{
    CHECK_IS(status, 0);
    longjmp(off, 1);
}

/* A shutdown ends everybody, refuses what is new, and turns the machine off. */
static void test_shutdown(void)
{
    static const struct attempt plain = {0};
    struct host_process *shell = host_keep(serve_shell());
    struct message m;
    client = shell;
    own = serve_own(shell);
    struct host_object *memory = serve_image(true);
    image = host_hold(shell, memory, RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_X | RIGHT_DUP);
    host_release(memory);
    CHECK_IS(call(own, PROC_SIGACTION, UINT64_MAX, 0, &m), 0); /* the shell handles everything */
    serve_power = power_off;
    if (setjmp(off) == 0) {
        CHECK_IS(call(own, PROC_SHUTDOWN, 0, 0, &m), 0);
        CHECK_IS(spawn(PROC_SPAWN, &plain, &m), -ESHUTDOWN);
        for (unsigned i = 0; i < 100; i++)
            host_advance(100000000);
        CHECK(false); /* it must be off by now */
    }
    CHECK(!host_alive(shell));
    host_leave(shell);
}

/* Not of the shell: its children are administrators. */
static struct host_process *child_of_service(void)
{
    static const struct attempt plain = {.entries = 0};
    struct host_process *names = serve_names();
    struct message m;
    client = names;
    own = serve_own(names);
    struct host_object *memory = serve_image(true);
    image = host_hold(names, memory, RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_X | RIGHT_DUP);
    host_release(memory);
    int64_t pid = spawn(PROC_SPAWN, &plain, &m);
    CHECK(pid > 0);
    host_close(names, image);
    return host_keep(host_process_of((uint32_t)pid));
}

static int hold(struct host_object *memory)
{
    int handle = host_hold(client, memory,
                           RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_X | RIGHT_MAP_W | RIGHT_DUP);
    host_release(memory);
    return handle;
}

int main(void)
{
    serve_init();
    struct host_count before = host_count();
    client = child_of_service();
    own = serve_own(client);
    CHECK(own >= 0);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    image = hold(serve_image(true));
    sparse = hold(serve_image(false));
    broken = hold(host_memory(8192, 0, 8192));
    ROWS_RUN(client, own, gift, process_rows);
    test_spawn();
    test_spawn_failures();
    test_sessions();
    test_session_cycle();
    test_stranger();
    test_rights();
    test_wait();
    struct message m;
    CHECK_IS(call(own, PROC_JOB, host_pid(client), 0, &m), 0);
    int job = m.handles[0];
    ROWS_RUN(client, job, gift, job_rows);
    rows_sweep(client, job, gift, 34, NULL, 0, NULL);
    host_close(client, job);
    CHECK_IS(call(own, PROC_SIGACTION, UINT64_MAX, 0, &m), 0); /* else a sweep kills it */
    test_texts();
    rows_sweep(client, own, gift, 34, NULL, 0, NULL);
    CHECK(host_alive(client));
    struct host_process *gone = client;
    host_exit(gone, EXIT_NORMAL, 0);
    host_idle();
    client = serve_names();
    own = serve_own(client);
    CHECK_IS(call(own, PROC_WAIT, UINT64_MAX, 0, &m), host_pid(gone));
    host_leave(gone);
    check_kept(&before, "all of it");
    test_shutdown();
    return check_end();
}
