/* Channels: where callers and servers meet, and the sessions that badged handles refer to.
 *
 * A caller waits in exactly one place: on the channel (THREAD_CALLING), or on the list of the
 * process that received it (THREAD_SERVED). It is its own queue node. */
#pragma once

#include "abi/kernel_services.h"
#include "abi/message.h"
#include "lib/list.h"
#include "mm/account.h"
#include "mm/object.h"
#include "proc/thread.h"

struct kernel_message;
/* A channel that the kernel serves: fills reply from request; the result is its word 0. */
typedef int64_t kernel_service(const struct kernel_message *request, struct kernel_message *reply);

struct channel {
    struct object object;
    uint32_t id;
    uint32_t flags;           /* CHANNEL_* */
    uint32_t receive_handles; /* handles with RECV; 0 = nobody will ever receive again */
    struct list link;         /* all channels, by id */
    struct list callers;      /* threads CALLING, highest priority first, then oldest */
    struct list receivers;    /* threads RECEIVING, latest first */
    struct list closed;       /* sessions whose last handle is gone */
    uint64_t pulses;
    struct thread *server;   /* the one thread that receives here, if it is only one */
    struct list server_link; /* in server->bound */
    bool shared;             /* more than one has */
    kernel_service *serve;
    struct account *payer; /* referenced; charged for the channel */
    struct ipc_stats stats;
};

/* A send handle with a badge refers to one of these; it is its own CLOSED notification. */
struct session {
    struct object object;
    struct channel *channel; /* referenced */
    uint64_t badge;
    struct account *payer; /* referenced; charged */
    struct list link;      /* in channel->closed */
};

struct kernel_message {
    uint32_t type, len;
    uint32_t sender;
    union {
        uint64_t words[MESSAGE_DATA_MAX / 8];
        uint8_t data[MESSAGE_DATA_MAX];
    };
};

extern const struct object_class channel_class, session_class;

/* channel_new: charged to payer, whose quota the caller has looked at; NULL: no memory. serve: NULL
 * for user servers. */
struct channel *channel_new(struct account *payer, uint32_t flags, kernel_service *serve);
struct channel *channel_find(uint32_t id_at_least);

/* channel_pulse: ORs bits in and wakes a receiver. */
void channel_pulse(struct channel *channel, uint64_t bits);

struct session *session_new(struct channel *channel, uint64_t badge, struct account *payer);

/* channel_of: the channel behind a channel or session object (else NULL), and the badge. */
static inline struct channel *channel_of(struct object *object, uint64_t *badge)
{
    *badge = 0;
    if (object->class == &channel_class)
        return container_of(object, struct channel, object);
    if (object->class != &session_class)
        return NULL;
    struct session *session = container_of(object, struct session, object);
    *badge = session->badge;
    return session->channel;
}

/* channel_handle: the channel that a caller names through a handle with these rights, one that a
 * process serves; else NULL and *error. */
struct channel *channel_handle(const struct thread *caller, uint64_t handle, uint32_t rights,
                               int64_t *error);

/* channels_total: the sum over all channels that are and were. */
struct ipc_stats channels_total(void);

/* call_finish: ends a thread's call with an error (0 only for a reply already delivered). */
void call_finish(struct thread *caller, int64_t error);

/* call_start: caller's call on channel begins: rendezvous or queue. The system call's result. */
int64_t call_start(struct thread *caller, struct channel *channel, uint64_t badge,
                   enum call_kind kind, uint64_t deadline);

/* transfer.c: call_deliver writes a caller's message into a receiver: 0 or the caller's error.
 * reply_deliver: a server's reply into the caller. reply_drop_handles: those that a reply names
 * leave the server, whether it could be sent or not. */
int64_t message_check(struct thread *sender, uint64_t tag);
int64_t call_deliver(struct thread *caller, struct thread *receiver);
void reply_drop_handles(struct thread *server, uint64_t tag);
int64_t reply_deliver(struct thread *server, struct thread *caller, uint64_t tag);
void notify_deliver(struct thread *receiver, uint32_t type, uint64_t word, uint64_t badge);

/* The part of a message that travels in registers. */
static inline void message_copy_words(const struct thread *from, struct thread *to)
{
    for (unsigned i = REG_A2; i <= REG_A5; i++) /* memcpy would be a call */
        to->regs[i] = from->regs[i];
}

/* A short message: in registers only. */
static inline bool tag_is_short(uint64_t tag) { return tag >> 32 <= MESSAGE_REGISTER_BYTES; }

/* donation.c: priorities along chains of calls. */
void donate(struct channel *channel, unsigned priority);
void donation_recompute(struct thread *server);
bool would_deadlock(const struct thread *caller, const struct channel *channel);

/* trace.c */
extern bool trace_on;
void trace_event(enum ipc_event event, uint32_t from, uint32_t to, const struct channel *channel,
                 uint64_t tag, int64_t result);
void trace_switch(bool on);
size_t trace_read(uint64_t *sequence, struct ipc_trace *out, size_t most);

/* call.c: caller_insert puts a caller into channel->callers by priority; caller_enqueue also
 * sets its state, wakes a receiver that waits, and donates its priority. */
void caller_insert(struct thread *caller);
void caller_enqueue(struct thread *caller, struct channel *channel);

/* take_receiver: the receiver that waits and is to be served first, waiting no more; or NULL. */
struct thread *take_receiver(struct channel *channel);

/* channel_notification: pulses or a closed session, if the channel holds any, to the receiver. */
bool channel_notification(struct channel *channel, struct thread *receiver);
