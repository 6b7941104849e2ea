/* Programs and their event loop. */
#include "program.h"
#include "../../test/check.h"
#include <errno.h>

#define PORT 80

static void notify(struct socket *socket, unsigned events)
{
    struct program *program = socket->owner;
    (void)events;
    program->woken = true;
}

static void own(struct program *program, struct socket *socket)
{
    program->socket = socket;
    socket->owner = program;
    socket->notify = notify;
    program->woken = true;
}

static size_t chunk_of(struct program *program, uint64_t left)
{
    const uint32_t limit = program->chunk ? program->chunk : UINT32_MAX;
    const uint32_t size = program->chunk ? 1 + random_below(&program->random, limit) : limit;
    return left < size ? (size_t)left : size;
}

static void fail(struct program *program, int64_t error)
{
    program->error = (int)error;
    socket_close(program->socket);
    program->socket = NULL;
    program->closed = true;
}

static void write_all(struct program *program)
{
    while (program->sent < program->to_send) {
        struct stream stream = stream_source(program->sent);
        struct socket_message message = {0};
        const int64_t moved =
            socket_send(program->socket, &stream.transfer,
                        chunk_of(program, program->to_send - program->sent), &message);
        if (moved == -EAGAIN)
            return;
        if (moved < 0) {
            fail(program, moved);
            return;
        }
        program->sent += (uint64_t)moved;
    }
    if (!program->done_sending && socket_ready(program->socket) & SOCKET_WRITABLE)
        program->done_sending = socket_shutdown(program->socket, false, true) == 0;
}

/* read_some: false: nothing more can be read now. */
static bool read_some(struct conversation *conversation, struct program *program)
{
    struct stream stream = stream_sink(program->received);
    struct socket_message message = {0};
    const int64_t moved =
        socket_receive(program->socket, &stream.transfer, chunk_of(program, UINT64_MAX), &message);
    CHECK(stream.wrong == 0, "octets at %llu are wrong", (unsigned long long)program->received);
    if (moved == -EAGAIN)
        return false;
    if (moved < 0) {
        fail(program, moved);
        return false;
    }
    program->end_seen |= moved == 0;
    program->received += (uint64_t)moved;
    program->read_at = conversation->progress_at = conversation->wire.now;
    if (program->pause && random_below(&program->random, 20) == 0) {
        program->wake_at =
            conversation->wire.now + random_below(&program->random, (uint32_t)program->pause);
        return false;
    }
    return !program->end_seen;
}

static void act(struct conversation *conversation, struct program *program)
{
    program->woken = false;
    if (!program->socket)
        return;
    write_all(program);
    while (program->socket && !program->wake_at && !program->end_seen &&
           read_some(conversation, program))
        ;
    if (program->socket && program->end_seen && program->done_sending) {
        socket_close(program->socket);
        program->socket = NULL;
        program->closed = true;
    }
}

static void accept_one(struct conversation *conversation)
{
    struct socket *socket;
    if (!conversation->server.socket && !conversation->server.closed &&
        socket_accept(conversation->listener, &socket) == 0)
        own(&conversation->server, socket);
}

static void run_programs(struct conversation *conversation)
{
    struct program *programs[] = {&conversation->client, &conversation->server};
    accept_one(conversation);
    for (int i = 0; i < 2; i++) {
        struct program *program = programs[i];
        if (program->wake_at && program->wake_at <= conversation->wire.now) {
            program->wake_at = 0;
            program->woken = true;
        }
        if (program->woken)
            act(conversation, program);
    }
}

void conversation_start(struct conversation *conversation, const struct wire_quality *quality,
                        uint64_t seed, const struct host_limits *limits,
                        void (*prepare)(struct conversation *conversation, struct socket *socket))
{
    struct wire *wire = &conversation->wire;
    wire_start(wire, quality, seed, limits);
    const struct endpoint local = {.address = ip_any(IP_V4), .port = PORT};
    const struct endpoint peer = {wire->host[1].address, PORT, 0};
    struct socket *client;
    CHECK(socket_create(&wire->host[1].stack, IP_V4, SOCKET_STREAM, 0, &conversation->listener) ==
          0);
    CHECK(socket_create(&wire->host[0].stack, IP_V4, SOCKET_STREAM, 0, &client) == 0);
    conversation->server.closed = conversation->client.closed = false;
    if (prepare) {
        prepare(conversation, conversation->listener);
        prepare(conversation, client);
    }
    CHECK(socket_bind(conversation->listener, &local) == 0);
    CHECK(socket_listen(conversation->listener, 4) == 0);
    CHECK(socket_connect(client, &peer) == -EINPROGRESS);
    own(&conversation->client, client);
    conversation->client.read_at = conversation->server.read_at = wire->now;
    conversation->progress_at = conversation->begun = wire->now;
}

static uint64_t next_wake(const struct conversation *conversation, uint64_t until)
{
    const uint64_t wakes[] = {conversation->client.wake_at, conversation->server.wake_at};
    for (int i = 0; i < 2; i++)
        if (wakes[i] && wakes[i] < until)
            until = wakes[i];
    return until;
}

bool conversation_run(struct conversation *conversation, uint64_t patience,
                      void (*check)(struct conversation *conversation))
{
    while (!conversation->client.closed || !conversation->server.closed) {
        const uint64_t limit = conversation->progress_at + patience;
        run_programs(conversation);
        if (check)
            check(conversation);
        if (conversation->client.error || conversation->wire.now >= limit)
            return false;
        wire_step(&conversation->wire, next_wake(conversation, limit));
    }
    return true;
}

void conversation_stop(struct conversation *conversation)
{
    const uint64_t end = conversation->wire.now + 2 * TCP_MSL + TCP_R2 + 100 * NS_PER_S;
    struct program *programs[] = {&conversation->client, &conversation->server};
    for (int i = 0; i < 2; i++)
        if (programs[i]->socket)
            socket_close(programs[i]->socket);
    socket_close(conversation->listener);
    while (wire_step(&conversation->wire, end))
        ;
    for (int i = 0; i < 2; i++)
        CHECK(conversation->wire.host[i].stack.tcp->connections == 0, "%u connections remain",
              conversation->wire.host[i].stack.tcp->connections);
    wire_stop(&conversation->wire);
}
