/* Processes: clients of the server, and (for init) what it makes. */
#include "internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_PID 1
#define FIRST_PID  10

static struct host_process *processes;
static uint32_t last_pid = FIRST_PID;

static struct host_process *process_new(const char *name, size_t len)
{
    struct host_process *process = calloc(1, sizeof *process);
    if (process == NULL)
        abort();
    process->object.type = OBJECT_PROCESS;
    process->object.refs = 1;
    process->pid = ++last_pid;
    process->status = (struct process_status){.pid = process->pid, .reason = EXIT_RUNNING};
    memcpy(process->name, name, len < sizeof process->name ? len : sizeof process->name - 1);
    process->next = processes;
    processes = process;
    return process;
}

void process_free(struct host_process *process)
{
    struct host_process **at = &processes;
    while (*at != process)
        at = &(*at)->next;
    *at = process->next;
    for (unsigned i = 0; i < HOST_REFS_MAX; i++)
        if (process->refs[i].object != NULL)
            object_release(process->refs[i].object);
    mappings_release(process);
    if (process->watcher != NULL)
        object_release(process->watcher);
    free(process);
}

struct host_process *host_process(const char *name)
{
    struct host_process *process = process_new(name, strlen(name));
    process->started = true;
    return process;
}

uint32_t host_pid(const struct host_process *process)
{
    return process->pid;
}

bool host_alive(const struct host_process *process)
{
    return !process->ended;
}

bool host_started(const struct host_process *process)
{
    return process->started;
}

struct host_process *host_process_of(uint32_t pid)
{
    struct host_process *process = processes;
    while (process != NULL && (process->pid != pid || process->ended))
        process = process->next;
    return process;
}

struct host_process *host_process_next(uint32_t pid)
{
    struct host_process *found = NULL;
    for (struct host_process *process = processes; process != NULL; process = process->next)
        if (!process->ended && process->pid >= pid && (!found || process->pid < found->pid))
            found = process;
    return found;
}

const char *host_process_name(const struct host_process *process)
{
    return process->name;
}

struct host_process *host_keep(struct host_process *process)
{
    object_retain(&process->object);
    return process;
}

void host_leave(struct host_process *process)
{
    object_release(&process->object);
}

static void tell_watcher(struct host_process *process)
{
    if (process->watcher == NULL)
        return;
    process->watcher->pulses |= 1ul << process->watch_bit;
    object_release(process->watcher);
    process->watcher = NULL;
}

static void process_end(struct host_process *process, unsigned reason, int64_t value)
{
    if (process->ended)
        return;
    object_retain(&process->object);
    process->ended = true;
    process->status.reason = reason;
    process->status.value = value;
    calls_cancel(process);
    for (unsigned i = 0; i < HOST_REFS_MAX; i++) {
        struct host_object *object = process->refs[i].object;
        process->refs[i].object = NULL;
        if (object != NULL)
            object_release(object);
    }
    mappings_release(process);
    tell_watcher(process);
    object_release(&process->object);
}

void host_exit(struct host_process *process, unsigned reason, int64_t value)
{
    process_end(process, reason, value);
}

/* ---- A client's handles ----------------------------------------------------------------------- */

int ref_insert(struct host_process *process, struct host_object *object, uint32_t rights)
{
    for (int i = 0; i < HOST_REFS_MAX; i++) {
        if (process->refs[i].object != NULL)
            continue;
        process->refs[i].object = object_retain(object);
        process->refs[i].rights = rights;
        return i;
    }
    return -EMFILE;
}

int host_hold(struct host_process *process, struct host_object *object, uint32_t rights)
{
    int handle = ref_insert(process, object, rights);
    if (handle < 0)
        host_bug("the test gives a client too many handles");
    return handle;
}

int host_root(struct host_process *process)
{
    return host_hold(process, host_service(), RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
}

int host_handle(const struct host_process *process, unsigned n)
{
    for (int i = 0; i < HOST_REFS_MAX; i++)
        if (process->refs[i].object != NULL && n-- == 0)
            return i;
    return -1;
}

struct host_object *host_object(const struct host_process *process, int handle)
{
    return handle >= 0 && handle < HOST_REFS_MAX ? process->refs[handle].object : NULL;
}

uint64_t host_badge(const struct host_process *process, int handle)
{
    const struct host_object *object = host_object(process, handle);
    return object != NULL && object->type == OBJECT_SESSION ? object->badge : 0;
}

void host_close(struct host_process *process, int handle)
{
    struct host_object *object = process->refs[handle].object;
    process->refs[handle].object = NULL;
    if (object != NULL)
        object_release(object);
}

/* ---- System calls ----------------------------------------------------------------------------- */

int64_t process_self(void)
{
    return SERVER_PID;
}

void process_exit(int64_t status)
{
    host_bug("the server ends itself with status %ld", (long)status);
}

int64_t process_create(const char *name, size_t len, const struct process_quota *quota)
{
    (void)quota;
    if (len >= PROCESS_NAME_MAX)
        return -EINVAL;
    if (host_fails())
        return -ENOMEM;
    struct host_process *process = process_new(name, len);
    handle_t handle = entry_insert(&process->object, RIGHTS_ALL);
    object_release(&process->object);
    return handle;
}

static struct host_process *process_of(handle_t handle, uint32_t rights, int64_t *error)
{
    struct host_entry *entry = entry_find(handle, rights, error);
    if (entry == NULL)
        return NULL;
    *error = -EBADF;
    return entry->object->type == OBJECT_PROCESS ? (struct host_process *)entry->object : NULL;
}

int64_t process_start(handle_t handle, uint64_t entry, uint64_t stack, uint64_t argument,
                      uint32_t priority)
{
    int64_t error;
    struct host_process *process = process_of(handle, RIGHT_MANAGE, &error);
    if (process == NULL)
        return error;
    if (process->started || process->ended)
        return -EBUSY;
    if (entry < USER_BASE || entry >= USER_TOP || stack >= USER_TOP || argument >= USER_TOP ||
        priority >= PRIORITIES)
        return -EINVAL;
    if (host_fails())
        return -ENOMEM;
    process->started = true;
    return 0;
}

int64_t process_kill(handle_t handle, int64_t status)
{
    int64_t error;
    struct host_process *process = process_of(handle, RIGHT_MANAGE, &error);
    if (process == NULL)
        return error;
    process_end(process, EXIT_KILLED, status);
    return 0;
}

int64_t process_grant(handle_t handle, handle_t object, uint32_t rights, uint32_t index)
{
    int64_t error;
    struct host_process *process = process_of(handle, RIGHT_MANAGE, &error);
    if (process == NULL)
        return error;
    struct host_entry *entry = entry_find(object, RIGHT_TRANSFER, &error);
    if (entry == NULL)
        return error;
    if (index > HANDLE_BLOCK)
        return -EINVAL;
    if (process->ended)
        return -ESRCH;
    if (host_fails())
        return -EMFILE;
    int ref = ref_insert(process, entry->object, entry->rights & rights);
    return ref < 0 ? ref : ref + HANDLE_FIRST_FREE;
}

int64_t process_watch(handle_t handle, handle_t channel, uint32_t bit)
{
    int64_t error;
    struct host_process *process = process_of(handle, 0, &error);
    if (process == NULL)
        return error;
    if (channel == 0) {
        if (process->watcher != NULL)
            object_release(process->watcher);
        process->watcher = NULL;
        return 0;
    }
    struct host_entry *entry = entry_find(channel, RIGHT_PULSE, &error);
    if (entry == NULL)
        return error;
    if (bit >= 64)
        return -EINVAL;
    if (process->watcher != NULL)
        return -EBUSY;
    process->watcher = object_retain(entry->object);
    process->watch_bit = bit;
    if (process->ended)
        tell_watcher(process);
    return 0;
}

int64_t process_status(handle_t handle, struct process_status *status)
{
    int64_t error;
    struct host_process *process = process_of(handle, 0, &error);
    if (process == NULL)
        return error;
    *status = process->status;
    return 0;
}
