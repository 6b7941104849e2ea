/* Starting processes for clients, waiting for them, and noticing their ends. */

#include "process_service.h"
#include "keeper.h"
#include "shutdown.h"
#include "spawn.h"
#include "supervisor.h"
#include <string.h>

#define SESSIONS_MAX    16
#define SESSIONS_OF_ONE 2
#define WATCH_BITS      62 /* as in spawn.c: slot n pulses bit n % WATCH_BITS */

/* A spawn session: prepared, and waiting for more handles. */
struct session {
    uint64_t serial; /* 0 = free */
    uint32_t owner;  /* pid */
    struct creation creation;
};
static struct session sessions[SESSIONS_MAX];
static uint64_t last_serial;

/* ---- Spawn ---- */

/* What a child may use at most: what was asked for, within its creator's own. */
static uint32_t within(uint32_t wanted, uint32_t creators)
{
    return wanted != 0 && (creators == 0 || wanted < creators) ? wanted : creators;
}

static struct process_quota child_quota(const struct process_quota *wanted,
                                        const struct process *creator)
{
    const struct process_quota *own = &creator->quota;
    return (struct process_quota){
        .pages = within(wanted->pages, own->pages),
        .handles = within(wanted->handles, own->handles),
        .threads = within(wanted->threads, own->threads),
        .channels = within(wanted->channels, own->channels),
    };
}

static uint32_t child_priority(uint32_t wanted, const struct process *creator)
{
    uint32_t priority = wanted != 0 ? wanted : PRIORITY_DEFAULT;
    return priority < creator->priority ? priority : creator->priority;
}

static int make(struct creation *c, const struct spawn_request *spawn,
                const struct process_quota *quota, const struct process *creator)
{
    struct process *slot =
        process_admit(&init.table, creator, KIND_ORDINARY, (spawn->flags & SPAWN_DETACHED) != 0);
    if (slot == NULL) {
        creation_abandon(c);
        return -EAGAIN;
    }
    memcpy(slot->name, spawn->name, sizeof slot->name);
    slot->name[sizeof slot->name - 1] = '\0';
    slot->quota = *quota;
    slot->priority = child_priority(spawn->priority, creator);
    return creation_make(c, slot);
}

/* The part that PROC_SPAWN and PROC_PREPARE share. After an error nothing is left of *c. */
static int prepare(struct creation *c, struct request *request, const struct process *creator)
{
    struct message *m = request->message;
    const struct spawn_request *spawn = (const struct spawn_request *)m->data;

    if (m->handle_count < 1 || m->window_count < 1 || (spawn->flags & ~(uint32_t)SPAWN_DETACHED) ||
        spawn->priority >= PRIORITIES || memchr(spawn->name, '\0', sizeof spawn->name) == NULL)
        return -EINVAL;
    if (shutdown_running())
        return -ESHUTDOWN;
    struct process_quota quota = child_quota(&spawn->quota, creator);
    uint64_t limit = quota.pages != 0 ? (uint64_t)quota.pages * PAGE_SIZE : MEMORY_SIZE_MAX;

    int error = creation_open(c, m->handles[0], spawn->block_len, spawn->stack_size, limit);
    if (error < 0)
        return error;
    error = request_copy_in(request, 0, 0, c->block, spawn->block_len);
    if (error < 0) {
        creation_abandon(c);
        return error;
    }
    error = make(c, spawn, &quota, creator);
    for (unsigned i = 1; i < m->handle_count && error == 0; i++) {
        error = creation_give(c, m->handles[i], RIGHTS_ALL);
        if (error < 0)
            creation_abandon(c);
    }
    return error;
}

static int64_t spawn_request(struct request *request, struct process *caller)
{
    struct creation c;

    int result = prepare(&c, request, caller);
    if (result < 0)
        return result;
    result = creation_run(&c);
    if (result < 0)
        creation_abandon(&c);
    return result;
}

static struct session *session_find(uint64_t serial)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions[i].serial == serial && serial != 0)
            return &sessions[i];
    return NULL;
}

static struct session *session_new(uint32_t owner)
{
    struct session *free_session = NULL;
    size_t owned = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].serial == 0)
            free_session = &sessions[i];
        else
            owned += sessions[i].owner == owner;
    }
    return owned < SESSIONS_OF_ONE ? free_session : NULL;
}

static int64_t prepare_request(struct request *request, struct process *caller)
{
    struct session *session = session_new(caller->pid);
    if (session == NULL)
        return -EAGAIN;
    uint64_t serial = last_serial + 1;
    int64_t handle =
        handle_mint(init.server.channel, RIGHT_SEND | RIGHT_TRANSFER, BADGE(BADGE_SPAWN, serial));
    if (handle < 0)
        return handle;
    int error = prepare(&session->creation, request, caller);
    if (error < 0) {
        handle_close((handle_t)handle);
        return error;
    }
    last_serial = serial;
    session->serial = serial;
    session->owner = caller->pid;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

int64_t spawn_session_request(struct request *request)
{
    struct message *m = request->message;
    struct session *session = session_find(BADGE_NUMBER(m->badge));

    if (session == NULL || (m->type != PROC_GIVE && m->type != PROC_START))
        return -EINVAL;
    int result = 0;
    if (m->type == PROC_START)
        result = shutdown_running() ? -ESHUTDOWN : creation_run(&session->creation);
    for (unsigned i = 0; m->type == PROC_GIVE && i < m->handle_count && result == 0; i++)
        result = creation_give(&session->creation, m->handles[i], RIGHTS_ALL);
    if (result < 0)
        creation_abandon(&session->creation);
    if (result < 0 || m->type == PROC_START)
        session->serial = 0;
    return result;
}

void spawn_session_closed(uint64_t serial)
{
    struct session *session = session_find(serial);

    if (session == NULL)
        return;
    creation_abandon(&session->creation);
    session->serial = 0;
}

/* Sessions do not outlive their owner: one whose handle was given to the very process that it
 * prepares would never close. */
static void sessions_end(uint32_t owner)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].serial == 0 || sessions[i].owner != owner)
            continue;
        creation_abandon(&sessions[i].creation);
        sessions[i].serial = 0;
    }
}

/* ---- Wait ---- */

static int64_t wait_request(struct request *request, struct process *caller)
{
    const uint64_t *words = request->message->words;
    int64_t target = (int64_t)words[0];
    struct process *ended;

    if (words[1] & ~(uint64_t)PROC_NOHANG)
        return -EINVAL;
    int result = process_wait_check(&init.table, caller, target, &ended);
    if (result < 0)
        return result;
    if (result == 1) {
        uint32_t pid = ended->pid;
        memcpy(&request->reply->words[1], &ended->status, sizeof ended->status);
        request->reply->len = sizeof(int64_t) + sizeof ended->status;
        process_collected(&init.table, ended);
        return pid;
    }
    if (words[1] & PROC_NOHANG)
        return 0;
    uint64_t displaced = waiter_add(&init.table, caller, target, request->token);
    if (displaced == request->token)
        return -EAGAIN;
    if (displaced != 0)
        server_reply(displaced, -EAGAIN, NULL, 0);
    return SERVER_DEFERRED;
}

/* Gives an ended child to whoever waits for it; true if somebody took it. */
static bool deliver(const struct process *child)
{
    struct {
        int64_t result;
        struct process_status status;
    } answer = {child->pid, child->status};
    uint64_t token;

    /* A waiter that was killed or gave up leaves a stale token: the next one gets the child. */
    while ((token = waiter_take(&init.table, child)) != 0)
        if (server_reply(token, answer.result, &answer, sizeof answer) == 0)
            return true;
    return false;
}

static void answer_hopeless_waiters(uint32_t parent_pid)
{
    uint64_t token;
    const struct process *parent = process_find(&init.table, parent_pid);

    while (parent != NULL && (token = waiter_hopeless(&init.table, parent)) != 0)
        server_reply(token, -ECHILD, NULL, 0);
}

static void finish(struct process *process, const struct process_status *status)
{
    uint32_t parent_pid = process->parent;

    handle_close(process->process);
    handle_close(process->channel);
    process->process = process->channel = 0;
    waiter_drop(&init.table, process->pid);
    sessions_end(process->pid);
    bool keep = process_ended(&init.table, process, status);
    if (process->kind != KIND_ORDINARY)
        service_ended(process, status);

    struct process *parent = process_find(&init.table, parent_pid);
    if (parent != NULL)
        signal_send(parent, SIGNAL_CHLD);
    if (!keep)
        process_release(&init.table, process);
    else if (deliver(process))
        process_collected(&init.table, process);
    answer_hopeless_waiters(parent_pid);
    shutdown_process_ended();
}

void processes_poll(uint64_t bits)
{
    struct process_status status;

    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = &init.table.slots[i];
        if (!(bits >> (i % WATCH_BITS) & 1) || process->stage != SLOT_RUNNING)
            continue;
        if (process_status(process->process, &status) == 0 && status.reason != EXIT_RUNNING)
            finish(process, &status);
    }
}

/* ---- Dispatch ---- */

static int64_t parent_request(struct request *request, struct process *caller)
{
    (void)request;
    return caller->parent;
}

static int64_t shutdown_request(struct request *request, struct process *caller)
{
    if (request->message->words[0] > 1)
        return -EINVAL;
    if (!caller->administrator)
        return -EPERM;
    shutdown_begin(request->message->words[0] == 1, 0);
    return 0;
}

static const struct {
    uint16_t min_len;
    int64_t (*handle)(struct request *request, struct process *caller);
} operations[] = {
    [PROC_SPAWN] = {sizeof(struct spawn_request), spawn_request},
    [PROC_PREPARE] = {sizeof(struct spawn_request), prepare_request},
    [PROC_WAIT] = {16, wait_request},
    [PROC_SIGNAL] = {16, signal_request},
    [PROC_SIGACTION] = {16, sigaction_request},
    [PROC_JOB] = {8, job_handle_request},
    [PROC_PARENT] = {0, parent_request},
    [PROC_SHUTDOWN] = {8, shutdown_request},
    [PROC_JOIN_JOB] = {16, join_job_request},
    [PROC_KEEP] = {8, keep_request},
    [PROC_KEPT] = {8, kept_request},
    [PROC_ALIVE] = {0, heartbeat_request},
};

int64_t process_request(struct request *request)
{
    const struct message *m = request->message;

    if (m->type >= sizeof operations / sizeof operations[0] || operations[m->type].handle == NULL)
        return -ENOSYS;
    if (m->len < operations[m->type].min_len)
        return -EINVAL;
    /* The badge says who asks; on the bare name sys:process the kernel does. */
    uint32_t pid =
        BADGE_CLASS(m->badge) == BADGE_PROCESS ? (uint32_t)BADGE_NUMBER(m->badge) : m->sender;
    struct process *caller = process_find(&init.table, pid);
    if (caller == NULL || caller->stage != SLOT_RUNNING)
        return -ESRCH;
    return operations[m->type].handle(request, caller);
}
