/* System calls on channels, and on processes through channels. */
#include "ipc/channel.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "trap/syscall.h"

struct channel *channel_handle(const struct thread *caller, uint64_t handle, uint32_t rights,
                               int64_t *error)
{
    uint64_t badge;
    struct handle_entry *entry = handle_find(caller->process, (handle_t)handle, rights, error);
    struct channel *channel = entry ? channel_of(entry->object, &badge) : NULL;
    if (entry && (!channel || channel->serve))
        *error = -EBADF;
    return channel && !channel->serve ? channel : NULL;
}

/* May the caller make one more channel or session? 0, or the error. */
static int64_t room_for_channel(const struct thread *caller)
{
    const struct account *account = caller->process->account;
    if (!handle_room(caller->process, 1))
        return -EMFILE;
    return account->channels < account->limit.channels ? 0 : -EDQUOT;
}

SYSCALL(process_watch)
{
    int64_t error;
    struct process *process = process_of(caller, a0, 0, &error);
    if (!process)
        return error;
    struct channel *channel = a1 ? channel_handle(caller, a1, RIGHT_PULSE, &error) : NULL;
    if (a1 && !channel)
        return error;
    if (a1 && process->watcher)
        return -EBUSY;
    if (a2 >= 64)
        return -EINVAL;
    if (channel && process_table[process->slot] != process) { /* it is gone already */
        channel_pulse(channel, 1ul << a2);
        return 0;
    }
    struct channel *before = process->watcher;
    if (channel)
        object_retain(&channel->object);
    process->watcher = channel;
    process->watcher_bit = (uint32_t)a2;
    if (before)
        object_release(&before->object);
    return 0;
}

void watcher_notify(struct process *process)
{
    if (!process->watcher)
        return;
    channel_pulse(process->watcher, 1ul << process->watcher_bit);
    object_release(&process->watcher->object);
    process->watcher = NULL;
}

SYSCALL(process_set_personality)
{
    int64_t error;
    struct process *process = process_of(caller, a0, RIGHT_MANAGE, &error);
    if (!process)
        return error;
    struct object *object = NULL;
    if (a1) {
        if (!channel_handle(caller, a1, RIGHT_SEND, &error))
            return error;
        /* Perhaps a session: it lives as long as calls with its badge can come. */
        object = handle_find(caller->process, (handle_t)a1, RIGHT_SEND, &error)->object;
        object_retain(object);
    }
    struct object *before = process->personality;
    process->personality = object;
    if (before)
        object_release(before);
    return 0;
}

SYSCALL(handle_mint)
{
    int64_t error;
    struct object *object =
        handle_object(caller->process, (handle_t)a0, OBJECT_CHANNEL, RIGHT_MINT, &error);
    if (!object)
        return error;
    error = room_for_channel(caller);
    if (error)
        return error;
    struct session *session =
        session_new(container_of(object, struct channel, object), a2, caller->process->account);
    if (!session)
        return -ENOMEM;
    return handle_insert(caller->process, &session->object,
                         (uint32_t)a1 & (RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER));
}

SYSCALL(channel_create)
{
    if (a0 & ~(uint64_t)CHANNEL_NO_RESEND)
        return -EINVAL;
    int64_t error = room_for_channel(caller);
    if (error)
        return error;
    struct channel *channel = channel_new(caller->process->account, (uint32_t)a0, NULL);
    if (!channel)
        return -ENOMEM;
    return handle_insert(caller->process, &channel->object,
                         RIGHT_SEND | RIGHT_RECV | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER |
                             RIGHT_MINT);
}
