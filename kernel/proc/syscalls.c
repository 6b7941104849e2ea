/* System calls on processes, threads and handles: look up with rights, check, call the object. */
#include "dev/timer.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "trap/syscall.h"

SYSCALL(debug_write)
{
    char text[256];
    size_t len = a1 < sizeof(text) ? a1 : sizeof(text);
    int64_t error = copy_from_user(&caller->process->space, text, a0, len);
    if (error)
        return error;
    log_write(text, len);
    return (int64_t)len;
}

SYSCALL(clock_now) { return (int64_t)time_now(); }

SYSCALL(process_self) { return caller->process->pid; }

SYSCALL(thread_yield)
{
    this_hart()->slice_over = true;
    return 0;
}

SYSCALL(thread_exit)
{
    struct process *process = caller->process;
    if (process->threads_used == 1)
        process_end(process, EXIT_NORMAL, 0);
    else
        thread_end(caller);
    return SYSCALL_DONE;
}

SYSCALL(process_exit)
{
    process_end(caller->process, EXIT_NORMAL, (int64_t)a0);
    return SYSCALL_DONE;
}

SYSCALL(thread_create)
{
    uint64_t priority = a3 ? a3 : caller->base_priority;
    if (priority > caller->base_priority)
        return -EINVAL;
    if (caller->process->threads_used >= caller->process->account->limit.threads)
        return -EDQUOT;
    struct thread *thread = thread_new(caller->process, (uint32_t)priority);
    if (!thread)
        return -ENOMEM;
    thread_start(thread, a0, a1, a2);
    return thread->slot;
}

SYSCALL(process_create)
{
    char name[PROCESS_NAME_MAX] = "";
    struct process_quota quota;
    struct address_space *space = &caller->process->space;
    if (a1 >= sizeof(name))
        return -EINVAL;
    int64_t error = copy_from_user(space, name, a0, a1);
    if (!error && a2)
        error = copy_from_user(space, &quota, a2, sizeof(quota));
    if (error)
        return error;
    if (!handle_room(caller->process, 1))
        return -EMFILE;
    struct process *process = process_new(name, caller->process, a2 ? &quota : NULL);
    if (!process)
        return -ENOMEM;
    object_retain(&process->object);
    return handle_insert(caller->process, &process->object, RIGHTS_ALL & ~(uint32_t)RIGHT_RECV);
}

SYSCALL(process_start)
{
    int64_t error;
    struct process *process = process_of(caller, a0, RIGHT_MANAGE, &error);
    if (!process)
        return error;
    if (process->started || process->dead)
        return -EBUSY;
    if (a4 >= PRIORITIES)
        return -EINVAL;
    struct thread *thread = thread_new(process, a4 ? (uint32_t)a4 : process->default_priority);
    if (!thread)
        return -ENOMEM;
    process->started = true;
    thread_start(thread, a1, a2, a3);
    return 0;
}

SYSCALL(process_kill)
{
    int64_t error;
    struct process *process = process_of(caller, a0, RIGHT_MANAGE, &error);
    if (!process)
        return error;
    bool self = process == caller->process;
    process_end(process, EXIT_KILLED, (int64_t)a1);
    return self ? SYSCALL_DONE : 0;
}

SYSCALL(process_grant)
{
    int64_t error;
    struct process *process = process_of(caller, a0, RIGHT_MANAGE, &error);
    if (!process)
        return error;
    struct handle_entry *entry =
        handle_find(caller->process, (handle_t)a1, RIGHT_TRANSFER, &error);
    if (!entry)
        return error;
    if (a3 >= HANDLE_FIRST_FREE)
        return -EINVAL;
    if (process->dead)
        return -ESRCH;
    struct object *object = entry->object;
    uint32_t rights = entry->rights & (uint32_t)a2;
    object_retain(object);
    handle_t handle = a3 ? handle_insert_at(process, (uint32_t)a3, object, rights)
                         : handle_insert(process, object, rights);
    if (handle < 0)
        object_release(object);
    return handle;
}

SYSCALL(process_status)
{
    int64_t error;
    struct process *process = process_of(caller, a0, 0, &error);
    if (!process)
        return error;
    process->status.cpu_time = ticks_to_ns(process->cpu_ticks);
    return copy_to_user(&caller->process->space, a1, &process->status, sizeof(process->status));
}

SYSCALL(process_set_priority)
{
    int64_t error;
    struct process *process = process_of(caller, a0, RIGHT_MANAGE, &error);
    if (!process)
        return error;
    if (a1 >= PRIORITIES)
        return -EINVAL;
    process->default_priority = (uint32_t)a1;
    list_for_each(link, &process->threads)
    {
        struct thread *thread = container_of(link, struct thread, process_link);
        bool donated = thread->priority > thread->base_priority;
        thread->base_priority = (uint8_t)a1;
        if (!donated || a1 > thread->priority)
            thread_set_priority(thread, (unsigned)a1);
        donation_base_changed(thread);
    }
    return 0;
}

SYSCALL(handle_close) { return handle_drop(caller->process, (handle_t)a0); }

SYSCALL(handle_dup)
{
    int64_t error;
    struct handle_entry *entry = handle_find(caller->process, (handle_t)a0, RIGHT_DUP, &error);
    if (!entry)
        return error;
    struct object *object = entry->object;
    object_retain(object);
    handle_t handle = handle_insert(caller->process, object, entry->rights & (uint32_t)a1);
    if (handle < 0)
        object_release(object);
    return handle;
}

SYSCALL(handle_info)
{
    int64_t error;
    struct handle_entry *entry = handle_find(caller->process, (handle_t)a0, 0, &error);
    if (!entry)
        return error;
    struct handle_info info = {.type = entry->object->class->type, .rights = entry->rights};
    if (entry->object->class->id)
        info.id = entry->object->class->id(entry->object);
    return copy_to_user(&caller->process->space, a1, &info, sizeof(info));
}
