/* Calls from clients to the server, and from the server to others. Invariant: a token is good from
 * delivery to the reply or the caller's end, and never again. */
#include "internal.h"
#include "../../internal.h"
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <string.h>

#define CALLS_MAX  512
#define CLOSED_MAX 4096
#define COPY_MAX   65536
#define NOBODY_WROTE 0xaaaaaaaau /* what -ftrivial-auto-var-init=pattern leaves */

static struct host_call calls[CALLS_MAX];
static uint64_t generation;
static struct host_call *pending;
static struct message pending_message;
static struct {
    uint64_t badges[CLOSED_MAX];
    unsigned head, count;
} closed;
static uint64_t now = 1000000000;

/* ---- Time ------------------------------------------------------------------------------------- */

int64_t clock_now(void)
{
    now += 100;
    return (int64_t)now;
}

uint64_t host_time(void)
{
    return now;
}

void host_advance(uint64_t nanoseconds)
{
    now += nanoseconds;
    host_turn();
}

void sleep_until(uint64_t deadline)
{
    now = now > deadline ? now : deadline;
}

/* ---- Receiving -------------------------------------------------------------------------------- */

void closed_push(struct host_object *channel, uint64_t badge)
{
    if (channel != host_service())
        return;
    if (closed.count == CLOSED_MAX)
        host_bug("too many closed sessions at once");
    closed.badges[(closed.head + closed.count++) % CLOSED_MAX] = badge;
}

/* What did not come with the message may not be looked at. */
static void guard(struct message *m)
{
    ASAN_POISON_MEMORY_REGION(m->data + m->len, sizeof m->data - m->len);
    ASAN_POISON_MEMORY_REGION(m->handles + m->handle_count,
                              sizeof m->handles - m->handle_count * sizeof m->handles[0]);
    ASAN_POISON_MEMORY_REGION(m->windows + m->window_count,
                              sizeof m->windows - m->window_count * sizeof m->windows[0]);
}

static int64_t deliver_call(struct message *m)
{
    struct host_call *call = pending;
    pending = NULL;
    memcpy(m, &pending_message, sizeof *m);
    for (unsigned i = 0; i < m->handle_count; i++) {
        const struct host_entry *ref = &call->process->refs[m->handles[i]];
        m->handles[i] = entry_insert(ref->object, ref->rights);
    }
    for (unsigned i = 0; i < m->window_count; i++)
        m->windows[i] = (struct window){0, call->windows[i].length, call->windows[i].access};
    call->state = HOST_WAITING;
    guard(m);
    return (int64_t)call->token;
}

int64_t channel_recv(handle_t channel, struct message *m, uint64_t deadline)
{
    int64_t error;
    ASAN_UNPOISON_MEMORY_REGION(m, sizeof *m);
    if (channel == 0) {
        sleep_until(deadline);
        return -ETIMEDOUT;
    }
    struct host_entry *entry = entry_find(channel, RIGHT_RECV, &error);
    if (entry == NULL)
        return error;
    memset(m, 0xee, sizeof *m);
    m->len = m->handle_count = m->window_count = 0;
    m->flags = m->sender = m->request_id = 0;
    m->badge = 0;
    if (entry->object->pulses) {
        m->type = MESSAGE_PULSE;
        m->len = 8;
        m->words[0] = host_pulses(entry->object);
        return 0;
    }
    if (closed.count > 0) {
        m->type = MESSAGE_CLOSED;
        m->badge = closed.badges[closed.head];
        closed.head = (closed.head + 1) % CLOSED_MAX;
        closed.count--;
        return 0;
    }
    return pending ? deliver_call(m) : -EPEER;
}

/* ---- Replies ---------------------------------------------------------------------------------- */

static struct host_call *call_of(uint64_t token)
{
    struct host_call *call = &calls[token % CALLS_MAX];
    return token != 0 && call->token == token && call->state == HOST_WAITING ? call : NULL;
}

/* The first words travel in registers, whatever the length says. */
static void check_written(const struct message *reply)
{
    const unsigned end =
        reply->len > MESSAGE_REGISTER_BYTES ? reply->len : MESSAGE_REGISTER_BYTES;
    for (unsigned at = 0; at + 4 <= end; at += 4) {
        uint32_t word;
        memcpy(&word, reply->data + at, 4);
        if (word == NOBODY_WROTE)
            host_bug("reply %#x: nobody wrote the bytes from %u on", reply->type, at);
    }
}

static void drop_all(const struct message *reply)
{
    for (unsigned i = 0; i < reply->handle_count; i++)
        entry_drop(reply->handles[i]);
}

static unsigned free_refs(const struct host_process *process)
{
    unsigned count = 0;
    for (unsigned i = 0; i < HOST_REFS_MAX; i++)
        count += process->refs[i].object == NULL;
    return count;
}

static int move_handles(struct host_call *call, const struct message *reply)
{
    int64_t error;
    for (unsigned i = 0; i < reply->handle_count; i++)
        if (entry_find(reply->handles[i], RIGHT_TRANSFER, &error) == NULL)
            return (int)error;
    if (reply->handle_count > free_refs(call->process)) {
        call->state = HOST_FAILED;
        call->error = -EMFILE;
        return -EMFILE;
    }
    for (unsigned i = 0; i < reply->handle_count; i++) {
        const struct host_entry *entry = entry_find(reply->handles[i], 0, &error);
        call->reply.handles[i] = ref_insert(call->process, entry->object, entry->rights);
    }
    return 0;
}

int channel_reply(uint64_t token, const struct message *reply)
{
    struct host_call *call = call_of(token);
    if (reply->len > MESSAGE_DATA_MAX || reply->handle_count > MESSAGE_HANDLES_MAX ||
        reply->window_count != 0 || reply->len < sizeof(int64_t))
        host_bug("a reply of %u bytes, %u handles, %u windows", reply->len, reply->handle_count,
                 reply->window_count);
    if (call == NULL) {
        drop_all(reply);
        return -ESTALE;
    }
    check_written(reply);
    memset(&call->reply, 0, sizeof call->reply);
    call->reply.type = reply->type;
    call->reply.len = reply->len;
    call->reply.handle_count = reply->handle_count;
    memcpy(call->reply.data, reply->data, reply->len);
    int error = move_handles(call, reply);
    drop_all(reply);
    if (!error)
        call->state = HOST_ANSWERED;
    return error;
}

int64_t ipc_reply_recv(uint64_t token, const struct message *reply, struct message *m,
                       handle_t channel, uint64_t deadline)
{
    channel_reply(token, reply);
    return channel_recv(channel, m, deadline);
}

/* ---- Windows ---------------------------------------------------------------------------------- */

static int64_t window_copy(uint64_t token, uint32_t index, uint64_t offset, uint8_t *to,
                           const uint8_t *from, size_t len)
{
    struct host_call *call = call_of(token);
    if (call == NULL)
        return -ESTALE;
    if (index >= call->window_count)
        return -EINVAL;
    struct host_window *window = &call->windows[index];
    if (!(window->access & (to ? WINDOW_READ : WINDOW_WRITE)))
        return -EACCES;
    if (offset > window->length)
        return -EINVAL;
    len = len < window->length - offset ? len : window->length - offset;
    len = len < COPY_MAX ? len : COPY_MAX;
    if (len == 0)
        return 0;
    if (offset >= window->mapped)
        return -EFAULT;
    len = len < window->mapped - offset ? len : window->mapped - offset;
    if (to)
        memcpy(to, window->bytes + offset, len);
    else
        memcpy(window->bytes + offset, from, len);
    for (size_t i = 0; window->restless && i < len; i += 7)
        window->bytes[offset + i] ^= 0x35;
    return (int64_t)len;
}

int64_t copy_in(uint64_t token, uint32_t window, uint64_t offset, void *buffer, size_t len)
{
    return window_copy(token, window, offset, buffer, NULL, len);
}

int64_t copy_out(uint64_t token, uint32_t window, uint64_t offset, const void *buffer, size_t len)
{
    return window_copy(token, window, offset, NULL, buffer, len);
}

/* ---- Clients' calls --------------------------------------------------------------------------- */

static struct host_call *call_new(struct host_process *process)
{
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        if (calls[i].state != HOST_FREE)
            continue;
        calls[i] = (struct host_call){.state = HOST_QUEUED,
                                      .process = process,
                                      .token = ++generation * CALLS_MAX + i};
        return &calls[i];
    }
    return NULL;
}

static struct host_call *fail(struct host_call *call, int error)
{
    call->state = HOST_FAILED;
    call->error = error;
    return call;
}

struct host_call *host_send(struct host_process *process, int handle, const struct message *m,
                            const struct host_window *windows)
{
    struct host_call *call = call_new(process);
    if (call == NULL)
        return NULL;
    struct host_object *object = host_object(process, handle);
    if (object == NULL || !(process->refs[handle].rights & RIGHT_SEND))
        return fail(call, object ? -EACCES : -EBADF);
    pending_message = *m;
    pending_message.sender = process->pid;
    pending_message.badge = object->type == OBJECT_SESSION ? object->badge : 0;
    if ((object->type == OBJECT_SESSION ? object->channel : object) != host_service())
        return fail(call, -EPEER);
    for (unsigned i = 0; i < m->handle_count; i++)
        if (host_object(process, m->handles[i]) == NULL ||
            !(process->refs[m->handles[i]].rights & RIGHT_TRANSFER))
            return fail(call, -EACCES);
    if (!entry_room(m->handle_count))
        return fail(call, -EMFILE);
    call->window_count = m->window_count;
    for (unsigned i = 0; i < m->window_count; i++)
        call->windows[i] = windows[i];
    pending = call;
    host_turn();
    if (call->state == HOST_QUEUED) {
        pending = NULL;
        return fail(call, -EPEER);
    }
    return call;
}

void host_cancel(struct host_call *call)
{
    if (call->state == HOST_WAITING)
        call->state = HOST_CANCELLED;
}

void host_done(struct host_call *call)
{
    if (call->state == HOST_WAITING)
        host_bug("the test forgets a call that waits");
    call->state = HOST_FREE;
}

void calls_cancel(struct host_process *process)
{
    for (unsigned i = 0; i < CALLS_MAX; i++)
        if (calls[i].process == process)
            host_cancel(&calls[i]);
}

int64_t host_result(struct host_process *process, int handle, struct message *m,
                    const struct host_window *windows)
{
    struct host_call *call = host_send(process, handle, m, windows);
    if (call == NULL)
        host_bug("the test makes too many calls at once");
    host_cancel(call);
    int64_t result = call->state == HOST_ANSWERED ? (int64_t)call->reply.words[0]
                     : call->state == HOST_FAILED ? call->error
                                                  : HOST_WOULD_WAIT;
    *m = call->reply;
    host_done(call);
    return result;
}

void host_idle(void)
{
    host_turn();
}

/* ---- The server's calls ----------------------------------------------------------------------- */

int channel_call_deadline(handle_t handle, struct message *m, uint64_t deadline)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, RIGHT_SEND, &error);
    if (entry == NULL)
        return (int)error;
    struct host_object *object = entry->object;
    for (unsigned i = 0; i < m->handle_count; i++)
        if (entry_find(m->handles[i], RIGHT_TRANSFER, &error) == NULL)
            return (int)error;
    m->badge = object->type == OBJECT_SESSION ? object->badge : 0;
    object = object->type == OBJECT_SESSION ? object->channel : object;
    if (object->type != OBJECT_CHANNEL)
        return -EBADF;
    if (object->dead)
        return -EPEER;
    if (object == host_service())
        return -EDEADLK;
    if (object->serve != NULL)
        return object->serve(object->context, m);
    if (deadline == NO_DEADLINE)
        host_bug("the server calls somebody who may never answer");
    sleep_until(deadline);
    return -ETIMEDOUT;
}

int channel_call(handle_t channel, struct message *m)
{
    return channel_call_deadline(channel, m, NO_DEADLINE);
}

int64_t call_words(handle_t channel, uint32_t type, uint64_t w0, uint64_t w1, uint64_t w2)
{
    struct message m = {.type = type, .len = 24, .words = {w0, w1, w2}};
    int error = channel_call(channel, &m);
    return error ? error : (int64_t)m.words[0];
}
