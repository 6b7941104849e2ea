/* Fuzzes init with messages of children of a service, which start processes themselves. After each
 * input all these are gone, and so must be their places in init's table. */
#include "cairn/spawn.h"
#include "fuzz.h"
#include "init/init.h"
#include "proto/fs.h"
#include "serve.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The numbers of a client's handles, as welcome and birth give them. */
enum { OWN = 0, IMAGE = 3, SPARSE = 4 };
#define BLOCK_ROOM 4096

static const uint32_t types[] = {
    PROC_SPAWN, PROC_PREPARE, PROC_GIVE,   PROC_START,    PROC_WAIT,       PROC_SIGNAL,
    PROC_JOB,   PROC_PARENT,  PROC_SIGACTION, PROC_SHUTDOWN, PROC_JOB_SIGNAL, PROC_JOIN_JOB,
    FS_UNLINK,  FS_RENAME,    FS_LINK,     FS_TRUNCATE,   FS_SYNC,         FS_READLINK,
    FS_STATFS,  FS_POLL,      PROC_SPAWN,  PROC_PREPARE,  PROC_WAIT,       FS_OPEN,
};
static const char *const names[] = {"list", "self", "state", "memory", "prog", "services.conf",
                                    "log",  "1",    "12",    "",       ":",    "devices"};

static uint8_t block[BLOCK_ROOM];
static size_t block_len;

static struct host_process *birth(void)
{
    const char *const argv[] = {"prog", NULL};
    const struct spawn_options options = {.argv = argv};
    struct host_process *parent = serve_names();
    struct host_object *memory = serve_image(true);
    struct message m = {.type = PROC_SPAWN, .len = sizeof(struct spawn_request),
                        .handle_count = 1, .window_count = 1};
    m.handles[0] = host_hold(parent, memory, RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_X);
    int image = m.handles[0];
    size_t len = serve_block(&options, block, sizeof block);
    struct host_window window = {block, len, len, WINDOW_READ, false};
    *(struct spawn_request *)m.data = (struct spawn_request){
        .block_len = (uint32_t)len, .flags = SPAWN_DETACHED, .name = "client"};
    int64_t pid = host_result(parent, serve_own(parent), &m, &window);
    if (pid <= 0)
        host_bug("a client cannot be started: %ld", (long)pid);
    host_close(parent, image);
    host_release(memory);
    return host_keep(host_process_of((uint32_t)pid));
}

static void hold(struct host_process *process, struct host_object *memory)
{
    host_hold(process, memory,
              RIGHT_TRANSFER | RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_MAP_X | RIGHT_DUP);
    host_release(memory);
}

static void welcome(struct host_process *process)
{
    hold(process, serve_image(true));
    hold(process, serve_image(false));
    serve_root(process, "proc:");
    serve_root(process, "sys:process");
    serve_root(process, "boot:");
    serve_root(process, "sys:");
    serve_root(process, "time:");
}

/* A pid that means something, or a job, or anything. */
static uint64_t some_pid(struct fuzz_input *in)
{
    uint8_t kind = fuzz_byte(in);
    if (kind >= 240)
        return fuzz_number(in);
    uint32_t newest = 0;
    for (struct host_process *p = host_process_next(0); p; p = host_process_next(newest + 1))
        newest = host_pid(p);
    uint64_t pid = kind % 8 == 0 ? 0 : newest + 1 - kind % 8;
    return kind & 64 ? 0 - pid : pid;
}

static void shape_spawn(struct fuzz_input *in, struct message *m)
{
    static const char *const argv[] = {"prog", "x", NULL};
    struct spawn_handle handles[8];
    uint8_t kind = fuzz_byte(in);
    unsigned entries = kind % 4;
    for (unsigned i = 0; i < entries; i++)
        handles[i] = (struct spawn_handle){.id = fuzz_byte(in) % 2 ? SPAWN_FD(i) : 1 + i,
                                           .handle = 1,
                                           .name = "n"};
    const struct spawn_options options = {
        .argv = argv, .handles = handles, .handle_count = entries};
    block_len = serve_block(&options, block, sizeof block);
    for (unsigned i = kind >> 6; i < 3 && kind & 32; i++)
        block[fuzz_byte(in) * 4u % block_len] = fuzz_byte(in);
    struct spawn_request *r = (struct spawn_request *)m->data;
    *r = (struct spawn_request){.block_len = (uint32_t)block_len, .name = "child"};
    r->flags = kind & 4 ? SPAWN_DETACHED : 0;
    r->stack_size = kind & 8 ? (uint32_t)fuzz_number(in) : 0;
    r->quota.pages = kind & 16 ? (uint32_t)fuzz_number(in) : 0;
    m->len = sizeof *r;
    m->window_count = 1;
    m->handle_count = (uint8_t)(1 + (m->type == PROC_SPAWN ? entries : fuzz_byte(in) % 4));
    m->handles[0] = kind & 128 ? SPARSE : IMAGE;
    for (unsigned i = 1; i < m->handle_count; i++)
        m->handles[i] = fuzz_byte(in) % 16;
}

static bool shape(struct fuzz_input *in, struct message *m)
{
    block_len = 0;
    if (m->type > PROC_JOIN_JOB || fuzz_byte(in) % 4 == 0)
        return fuzz_file_message(in, m);
    if (m->type == PROC_SPAWN || m->type == PROC_PREPARE) {
        shape_spawn(in, m);
        return true;
    }
    m->words[0] = m->type == PROC_JOB_SIGNAL ? fuzz_byte(in) % 70 : some_pid(in);
    m->words[1] = m->type == PROC_SIGNAL ? fuzz_byte(in) % 70u
                  : m->type == PROC_WAIT ? fuzz_byte(in) % 2
                                         : some_pid(in);
    m->len = 16;
    return true;
}

static void lend(struct fuzz_input *in, const struct message *m, struct host_window *window)
{
    (void)in, (void)m;
    if (block_len == 0)
        return;
    free(window->bytes);
    window->bytes = malloc(block_len);
    memcpy(window->bytes, block, block_len);
    window->mapped = window->length = block_len;
    window->access |= WINDOW_READ;
}

/* Everybody who runs but those whom init has started itself. */
static struct host_process *other(uint32_t pid)
{
    struct host_process *process = host_process_next(pid);
    while (process != NULL &&
           (process == serve_names() || process == serve_shell() || !host_started(process)))
        process = host_process_next(host_pid(process) + 1);
    return process;
}

static void event(struct fuzz_input *in)
{
    uint8_t kind = fuzz_byte(in);
    struct host_process *process = other((uint32_t)some_pid(in));
    if (process != NULL)
        host_exit(process, EXIT_NORMAL, kind);
    if (kind & 1)
        host_idle();
}

static void settle(void)
{
    static size_t used;
    for (struct host_process *process; (process = other(0)) != NULL; host_idle())
        host_exit(process, EXIT_KILLED, 9);
    host_idle();
    if (used == 0)
        used = init.table.used;
    if (init.table.used != used)
        host_bug("%zu places of the process table are taken, %zu at first", init.table.used, used);
    for (unsigned i = 0; i < WAITERS_MAX; i++)
        if (init.table.waiters[i].token != 0)
            host_bug("somebody who is gone still waits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = shape,
        .lend = lend,
        .birth = birth,
        .welcome = welcome,
        .event = event,
        .settle = settle,
    };
    if (!started) {
        started = true;
        serve_init();
    }
    fuzz_messages(&server, data, size);
    return 0;
}
