/* Moving a message: registers to registers, the rest from IPC page to IPC page, handles from
 * table to table. Everything is checked before anything is changed. */
#include "abi/errno.h"
#include "abi/delegation.h"
#include "ipc/channel.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "proc/process.h"

/* exercise 3.1 */
int64_t message_check(struct thread *sender, uint64_t tag)
{
    unsigned len = TAG_LEN(tag), handles = TAG_HANDLES(tag), windows = TAG_WINDOWS(tag);
    if (len > MESSAGE_DATA_MAX || handles > MESSAGE_HANDLES_MAX || windows > MESSAGE_WINDOWS_MAX)
        return -E2BIG;
    if (TAG_FLAGS(tag))
        return -EINVAL;
    for (unsigned i = 0; i < handles; i++) {
        int64_t error;
        if (!handle_find(sender->process, sender->ipc->handles[i], RIGHT_TRANSFER, &error))
            return error;
    }
    for (unsigned i = 0; i < windows; i++) {
        struct window window = sender->ipc->windows[i];
        if (!user_range(window.address, window.length) || window.access == 0 ||
            window.access & ~(uint64_t)(WINDOW_READ | WINDOW_WRITE))
            return -EFAULT;
        sender->windows[i] = window; /* from here on the sender cannot change it */
    }
    return 0;
}
/* end 3.1 */

/* Copies n handles named in from's IPC page into to's table and IPC page. */
static void copy_handles(struct thread *from, struct thread *to, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t error;
        struct handle_entry *entry =
            handle_find(from->process, from->ipc->handles[i], RIGHT_TRANSFER, &error);
        handle_t copy = -EBADF; /* a second thread may have closed it since the check */
        if (entry) {
            object_retain(entry->object);
            copy = handle_insert(to->process, entry->object, entry->rights);
            if (copy < 0)
                object_release(entry->object);
        }
        to->ipc->handles[i] = copy;
    }
}

static void copy_tail(const struct thread *from, struct thread *to, unsigned len)
{
    if (len > MESSAGE_REGISTER_BYTES)
        memcpy(to->ipc->data + MESSAGE_REGISTER_BYTES, from->ipc->data + MESSAGE_REGISTER_BYTES,
               len - MESSAGE_REGISTER_BYTES);
}

/* A system call or fault as a message: the registers that tell it, and all memory as window 0. */
static void deliver_delegated(struct thread *caller, struct thread *receiver)
{
    uint64_t words[8] = {0};
    unsigned len = 48;
    uint32_t type = (uint32_t)(caller->regs[REG_A7] - SYSCALL_DELEGATED);
    memcpy(words, &caller->regs[REG_A0], 6 * sizeof(uint64_t));
    if (caller->call_kind == CALL_PERSONALITY) {
        type = PERSONALITY_SYSCALL;
        words[6] = caller->regs[REG_A7];
        words[7] = caller->regs[REG_PC] - 4;
        len = 64;
    } else if (caller->call_kind == CALL_FAULT) {
        type = PERSONALITY_FAULT;
        words[0] = caller->fault_cause;
        words[1] = caller->fault_address;
        words[2] = caller->regs[REG_PC];
        len = 24;
    }
    caller->windows[0] = (struct window){0, USER_TOP, WINDOW_READ | WINDOW_WRITE};
    caller->window_count = 1;
    memcpy(&receiver->regs[REG_A2], words, MESSAGE_REGISTER_BYTES);
    memcpy(receiver->ipc->data + MESSAGE_REGISTER_BYTES, words + 4, 32);
    receiver->ipc->windows[0] = caller->windows[0];
    receiver->regs[REG_A1] =
        TAG(type, len, 0, 1, MESSAGE_DELEGATED | (caller->resent ? MESSAGE_RESENT : 0));
    receiver->regs[REG_A6] = 0;
}

/* exercise 3.2 */
int64_t call_deliver(struct thread *caller, struct thread *receiver)
{
    uint64_t tag = caller->regs[REG_A1];
    if (caller->call_kind != CALL_PLAIN) {
        deliver_delegated(caller, receiver);
    } else if (tag_is_short(tag) && !caller->resent) {
        receiver->regs[REG_A1] = tag;
        message_copy_words(caller, receiver);
        receiver->regs[REG_A6] = caller->regs[REG_A6];
    } else {
        unsigned handles = TAG_HANDLES(tag), windows = TAG_WINDOWS(tag);
        if (handles && !handle_room(receiver->process, handles))
            return -EMFILE;
        message_copy_words(caller, receiver);
        copy_tail(caller, receiver, TAG_LEN(tag));
        copy_handles(caller, receiver, handles);
        for (unsigned i = 0; i < windows; i++)
            receiver->ipc->windows[i] =
                (struct window){0, caller->windows[i].length, caller->windows[i].access};
        caller->window_count = (uint8_t)windows;
        receiver->regs[REG_A1] = tag | (caller->resent ? (uint64_t)MESSAGE_RESENT << 56 : 0);
        receiver->regs[REG_A6] = caller->regs[REG_A6];
    }
    if (!caller->resent) /* the token names the call, however often that is delivered */
        token_renew(caller);
    receiver->regs[REG_A0] = caller->token;
    receiver->regs[REG_A7] = caller->process->pid;
    receiver->regs[REG_T0] = caller->badge;
    return 0;
}
/* end 3.2 */

void reply_drop_handles(struct thread *server, uint64_t tag)
{
    unsigned handles = TAG_HANDLES(tag) <= MESSAGE_HANDLES_MAX ? TAG_HANDLES(tag) : 0;
    for (unsigned i = 0; i < handles; i++)
        handle_drop(server->process, server->ipc->handles[i]);
}

/* The reply to a system call or fault that the kernel passed on. */
static void reply_delegated(const struct thread *server, struct thread *caller)
{
    uint64_t result = server->regs[REG_A2];
    if (caller->call_kind == CALL_FAULT)
        caller->fault_result = result;
    else
        caller->regs[REG_A0] = result;
}

int64_t reply_deliver(struct thread *server, struct thread *caller, uint64_t tag)
{
    if (caller->call_kind != CALL_PLAIN) {
        reply_delegated(server, caller);
        reply_drop_handles(server, tag);
        return 0;
    }
    caller->regs[REG_A0] = 0;
    caller->regs[REG_A1] = tag;
    message_copy_words(server, caller);
    if (tag_is_short(tag))
        return 0;
    unsigned handles = TAG_HANDLES(tag);
    int64_t error = 0;
    if (handles && !handle_room(caller->process, handles)) {
        caller->regs[REG_A0] = (uint64_t)-EMFILE;
        error = -EMFILE;
    } else {
        copy_tail(server, caller, TAG_LEN(tag));
        copy_handles(server, caller, handles);
    }
    reply_drop_handles(server, tag);
    return error;
}

void notify_deliver(struct thread *receiver, uint32_t type, uint64_t word, uint64_t badge)
{
    receiver->regs[REG_A0] = 0;
    receiver->regs[REG_A1] = TAG(type, type == MESSAGE_PULSE ? 8 : 0, 0, 0, 0);
    receiver->regs[REG_A2] = word;
    receiver->regs[REG_A6] = 0;
    receiver->regs[REG_A7] = 0;
    receiver->regs[REG_T0] = badge;
    receiver->channel = NULL;
}
