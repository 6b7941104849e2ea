/* The server loop: receives, dispatches by type through a table, answers, all in one trap a
 * message. Every received handle is either taken by its handler or closed here. */
#include "cairn/server.h"

#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "internal.h"
#include <string.h>

/* While messages keep coming, the clock is only read every so many of them. */
#define MESSAGES_BETWEEN_TICKS 8
#define PAST                   1 /* a deadline: what is not there already is not waited for */

static const struct server_operation *find_operation(const struct server *server, uint32_t type)
{
    for (size_t i = 0; i < server->operation_count; i++)
        if (server->operations[i].type == type)
            return &server->operations[i];
    return NULL;
}

static int64_t dispatch(struct request *request)
{
    struct message *m = request->message;
    const struct server_operation *operation = find_operation(request->server, m->type);
    int64_t result;

    if (!operation)
        result = -ENOSYS;
    else if (m->len < operation->min_len)
        result = -EINVAL;
    else
        result = operation->handle(request);

    for (unsigned i = 0; i < m->handle_count; i++)
        handle_close(m->handles[i]);
    return result;
}

static void run_tick(struct server *server)
{
    server->deadline = server->tick ? server->tick(server) : NO_DEADLINE;
}

/* The words that travel in registers travel always, so what they held for the caller before must
 * not be left in them. */
static void header_clear(struct message *reply, uint32_t type)
{
    for (unsigned i = 0; i < MESSAGE_REGISTER_BYTES / sizeof reply->words[0]; i++)
        reply->words[i] = 0;
    reply->type = REPLY_TYPE(type);
    reply->len = 0;
    reply->handle_count = reply->window_count = 0;
    reply->flags = 0;
    reply->request_id = 0;
}

static void show_life(void)
{
    const struct spawn_block *block = start_block();
    if (block)
        call_words(block->process_service, PROC_ALIVE, 0, 0, 0);
}

static void take_pulse(struct server *server, uint64_t bits)
{
    const uint64_t names = 1ul << SERVER_PULSE_NAMES, alive = 1ul << SERVER_PULSE_ALIVE;
    if (bits & alive)
        show_life();
    if (bits & names && names_register_again) /* it is there if name_register is */
        names_register_again();
    if (bits & ~(names | alive) && server->pulse)
        server->pulse(server, bits & ~(names | alive));
}

static void settle(struct server *server)
{
    void (*settled)(struct server *) = server->settled;
    server->settled = NULL;
    settled(server);
}

/* One received message; true if *reply is to be sent. */
static bool serve(struct server *server, uint64_t token, struct message *m, struct message *reply)
{
    if (token == 0) {
        if (m->type == MESSAGE_PULSE)
            take_pulse(server, m->words[0]);
        else if (m->type == MESSAGE_CLOSED && server->closed)
            server->closed(server, m->badge);
        return false;
    }
    struct request request = {server, token, m, reply};
    header_clear(reply, m->type);
    int64_t result = dispatch(&request);
    if (result == SERVER_DEFERRED)
        return false;
    reply->words[0] = (uint64_t)result;
    if (reply->len < sizeof(int64_t))
        reply->len = sizeof(int64_t);
    return true;
}

/* A reply that may fail for its own sake (handles that cannot be passed on, a length that cannot
 * be) is sent apart from the next receive, so that the caller gets an error instead of silence. */
static void answer(uint64_t token, const struct message *reply)
{
    int error = channel_reply(token, reply);
    if (error && error != -ESTALE)
        server_reply(token, error, NULL, 0);
}

static bool is_plain(const struct message *reply)
{
    return reply->len <= MESSAGE_DATA_MAX && reply->handle_count == 0 && reply->window_count == 0;
}

int server_run(struct server *server)
{
    struct message m, reply;
    uint64_t answer_to = 0; /* token that reply answers, 0 = none */
    unsigned since_tick = 0;

    run_tick(server);
    while (!server->stop) {
        uint64_t deadline = server->settled ? PAST : server->deadline;
        int64_t token = answer_to
                            ? ipc_reply_recv(answer_to, &reply, &m, server->channel, deadline)
                            : channel_recv(server->channel, &m, deadline);
        answer_to = 0;
        if (token == -ETIMEDOUT && server->settled) {
            settle(server);
            continue;
        }
        if (token == -ETIMEDOUT) {
            run_tick(server);
            since_tick = 0;
            continue;
        }
        if (token < 0)
            return (int)token;
        if (serve(server, (uint64_t)token, &m, &reply)) {
            if (is_plain(&reply))
                answer_to = (uint64_t)token;
            else
                answer((uint64_t)token, &reply);
        }
        if (server->deadline && ++since_tick >= MESSAGES_BETWEEN_TICKS) {
            since_tick = 0;
            if ((uint64_t)clock_now() >= server->deadline)
                run_tick(server);
        }
    }
    if (answer_to)
        channel_reply(answer_to, &reply);
    return 0;
}

int server_reply(uint64_t token, int64_t result, const void *data, size_t len)
{
    struct message reply;
    if (len > MESSAGE_DATA_MAX)
        return -E2BIG;
    header_clear(&reply, 0);
    if (len > sizeof result)
        memcpy(reply.data, data, len);
    reply.words[0] = (uint64_t)result;
    reply.len = (uint16_t)(len > sizeof result ? len : sizeof result);
    return channel_reply(token, &reply);
}
