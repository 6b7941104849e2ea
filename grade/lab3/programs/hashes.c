/* Clients that have their data hashed by a server, in windows and in memory objects. The server
 * holds several calls at a time, stops in the middle, and is killed; its successor goes on. */
#include "../../lab2/programs/lib/work.h"
#include "abi/memory.h"
#include "cairn/ipc.h"
#include "lib/cpio.h"
#include <string.h>

#define CLIENTS     12
#define HELD_MAX    4
#define MILLISECOND 1000000ul

enum { IN_WINDOW = 1, IN_OBJECT = 2 };      /* requests: word 0 = start value, word 1 = size */
enum { PULSE_STOP = 1, PULSE_STUCK = 0x8 }; /* for the server; from it */

/* Words of a child's page: all have a channel; then what a client needs, and a server. */
enum { CHANNEL, ARCHIVE, ARCHIVE_SIZE, COUNT, REQUESTS };
enum { EVENTS = CHANNEL + 1, HOLD, STOP_AFTER, TOKEN, RECEIVED, UNANSWERED, RESENT, STALE, CLOSED };

static struct child servers[2], clients[CLIENTS];
static handle_t channel, events;

/* ---- The server ------------------------------------------------------------------------------ */

static uint64_t hash(uint64_t value, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        value = (value ^ bytes[i]) * 0x100000001b3ul;
    return value;
}

/* Window 0 has the data, window 1 room for the result. */
static int64_t hash_window(uint64_t token, uint64_t value)
{
    uint8_t piece[1000];
    int64_t size;
    for (uint64_t at = 0; (size = copy_in(token, 0, at, piece, sizeof(piece))) > 0;
         at += (uint64_t)size)
        value = hash(value, piece, (size_t)size);
    return size < 0 ? size : copy_out(token, 1, 0, &value, sizeof(value));
}

/* An object of this size, filled by the caller of this function through *here. */
static int64_t object_new(size_t size, void **here)
{
    int64_t object = memory_create((size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), 0);
    int64_t mapped =
        object > 0 ? memory_map(0, (handle_t)object, 0, 0, size, PROT_READ | PROT_WRITE) : object;
    *here = (void *)mapped;
    return mapped < 0 ? mapped : object;
}

/* The handle that came is an object with the data; one with the result goes back. */
static int64_t hash_object(const struct message *m, struct message *reply)
{
    void *result;
    int64_t data = memory_map(0, m->handles[0], 0, 0, m->words[1], PROT_READ);
    int64_t object = data < 0 ? data : object_new(PAGE_SIZE, &result);
    if (object > 0) {
        *(uint64_t *)result = hash(m->words[0], (const uint8_t *)data, m->words[1]);
        memory_unmap(0, (uint64_t)result, PAGE_SIZE);
        memory_unmap(0, (uint64_t)data, m->words[1]);
        reply->handle_count = 1;
        reply->handles[0] = (handle_t)object;
    }
    handle_close(m->handles[0]);
    return object;
}

static void answer(uint64_t token, const struct message *m)
{
    struct message reply = {.type = REPLY_TYPE(m->type), .len = 16};
    int64_t result =
        m->type == IN_WINDOW ? hash_window(token, m->words[0]) : hash_object(m, &reply);
    reply.words[0] = (uint64_t)result;
    reply.words[1] = m->badge;
    channel_reply(token, &reply);
}

static void stuck(volatile uint64_t *words, uint64_t token)
{
    words[TOKEN] = token;
    pulse((handle_t)words[EVENTS], PULSE_STUCK);
    for (;;)
        thread_yield();
}

static int64_t server(volatile uint64_t *words)
{
    static struct message held[HELD_MAX];
    static uint64_t tokens[HELD_MAX];
    unsigned closed = 0;
    bool stop = false;
    if (words[TOKEN])
        words[STALE] = (uint64_t)channel_reply(words[TOKEN], &held[0]);
    for (;;) {
        struct message m;
        uint64_t waiting = words[UNANSWERED];
        uint64_t deadline = waiting || stop ? (uint64_t)clock_now() + 2 * MILLISECOND : NO_DEADLINE;
        int64_t token = channel_recv((handle_t)words[CHANNEL], &m, deadline);
        if (token > 0) {
            tokens[waiting] = (uint64_t)token;
            held[waiting] = m;
            words[UNANSWERED] = ++waiting;
            words[RESENT] += m.flags & MESSAGE_RESENT;
            if (++words[RECEIVED] == words[STOP_AFTER])
                stuck(words, (uint64_t)token);
        } else if (token == 0 && m.type == MESSAGE_CLOSED) {
            words[CLOSED + closed++] = m.badge;
        } else if (token == 0) {
            stop = m.words[0] == PULSE_STOP;
        } else if (token != -ETIMEDOUT || (stop && !waiting)) {
            return token == -ETIMEDOUT ? 0 : token;
        }
        if (waiting == words[HOLD] || token == -ETIMEDOUT) {
            while (waiting--) /* the last one first */
                answer(tokens[waiting], &held[waiting]);
            words[UNANSWERED] = 0;
        }
    }
}

/* ---- A client -------------------------------------------------------------------------------- */

static int64_t ask_window(handle_t server_channel, const uint8_t *data, struct message *m,
                          uint64_t *result)
{
    m->type = IN_WINDOW;
    m->window_count = 2;
    m->windows[0] = (struct window){(uint64_t)data, m->words[1], WINDOW_READ};
    m->windows[1] = (struct window){(uint64_t)result, sizeof(*result), WINDOW_WRITE};
    return channel_call(server_channel, m);
}

static int64_t ask_object(handle_t server_channel, const uint8_t *data, struct message *m,
                          uint64_t *result)
{
    void *here;
    size_t size = m->words[1];
    int64_t object = object_new(size, &here);
    if (object < 0)
        return object;
    memcpy(here, data, size);
    memory_unmap(0, (uint64_t)here, size);
    m->type = IN_OBJECT;
    m->handle_count = 1;
    m->handles[0] = (handle_t)object;
    int64_t error = channel_call(server_channel, m);
    handle_close((handle_t)object);
    if (error || m->handle_count != 1)
        return error ? error : -EPROTO;
    int64_t mapped = memory_map(0, m->handles[0], 0, 0, PAGE_SIZE, PROT_READ);
    if (mapped > 0)
        *result = *(const uint64_t *)mapped;
    memory_unmap(0, (uint64_t)mapped, PAGE_SIZE);
    handle_close(m->handles[0]);
    return mapped < 0 ? mapped : 0;
}

static int64_t client(volatile uint64_t *words)
{
    struct cpio_file file;
    int64_t archive = memory_map(0, (handle_t)words[ARCHIVE], 0, 0, words[ARCHIVE_SIZE], PROT_READ);
    if (archive < 0 || cpio_find((const void *)archive, words[ARCHIVE_SIZE], "data", &file) != 0)
        return -ENOENT;
    for (uint64_t n = 0; n < words[COUNT]; n++) {
        volatile uint64_t *request = &words[REQUESTS + 4 * n]; /* kind, place, size, start value */
        const uint8_t *data = (const uint8_t *)file.data + request[1];
        struct message m = {.len = 16, .words = {request[3], request[2]}};
        uint64_t result = 0;
        int64_t error = (request[0] == IN_WINDOW ? ask_window : ask_object)(
            (handle_t)words[CHANNEL], data, &m, &result);
        if (error)
            return error;
        say("hash 0x%lx 0x%lx %ld 0x%lx\n", (unsigned long)request[3], (unsigned long)result,
            (long)m.words[0] < 0 ? (long)m.words[0] : 0, (unsigned long)m.words[1]);
    }
    return 0;
}

/* ---- The first process ----------------------------------------------------------------------- */

static uint64_t give(const struct child *child, handle_t handle, uint32_t rights)
{
    return (uint64_t)test_need(process_grant(child->process, handle, rights, 0), "process_grant");
}

static void make(struct child *child, const char *name, handle_t handle, uint32_t rights)
{
    test_need(child_new(child, name, NULL), name);
    child->words[CHANNEL] = give(child, handle, rights);
    test_need(process_watch(child->process, events, 0), "process_watch");
}

static void start_server(struct child *child, uint64_t hold, uint64_t stop_after, uint64_t token)
{
    make(child, "server", channel, RIGHT_RECV);
    child->words[EVENTS] = give(child, events, RIGHT_PULSE);
    child->words[HOLD] = hold;
    child->words[STOP_AFTER] = stop_after;
    child->words[TOKEN] = token;
    test_need(child_start(child, server, 0), "process_start");
}

static void make_client(struct child *child, const struct first_process_info *info)
{
    handle_t session = (handle_t)test_need(
        handle_mint(channel, RIGHT_SEND | RIGHT_TRANSFER, test_next()), "handle_mint");
    make(child, "client", session, RIGHT_SEND);
    handle_close(session);
    child->words[ARCHIVE] = give(child, info->archive, RIGHT_MAP_R);
    child->words[ARCHIVE_SIZE] = (info->archive_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    child->words[COUNT] = test_next();
    for (uint64_t n = 0; n < 4 * child->words[COUNT]; n++)
        child->words[REQUESTS + n] = test_next();
}

/* Sleeps until a child has ended; prints how. */
static void wait_for(const struct child *child, const char *name)
{
    struct process_status status;
    struct message m;
    while (process_status(child->process, &status) == 0 && status.reason == EXIT_RUNNING)
        channel_recv(events, &m, NO_DEADLINE);
    say("%s ended: %u %ld\n", name, (unsigned)status.reason, (long)status.value);
}

static void tell(const char *name, const struct child *child)
{
    const volatile uint64_t *words = child->words;
    say("%s %lu %lu %lu %ld\n", name, (unsigned long)words[RECEIVED],
        (unsigned long)words[UNANSWERED], (unsigned long)words[RESENT], (long)words[STALE]);
    for (unsigned i = 0; words[CLOSED + i]; i++)
        say("closed 0x%lx\n", (unsigned long)words[CLOSED + i]);
}

int64_t first_main(const void *argument, struct ipc_page *page)
{
    struct message m = {0};
    ipc_thread_init(page); /* for the children, too: their pages have the same address */
    test_begin(argument, "hashes");
    channel = (handle_t)test_need(channel_create(0), "channel_create");
    events = (handle_t)test_need(channel_create(0), "channel_create");
    uint64_t hold = test_next(), stop_after = test_next(), count = test_next();
    start_server(&servers[0], hold, stop_after, 0);
    for (unsigned i = 0; i < count; i++)
        make_client(&clients[i], argument);
    for (unsigned i = 0; i < count; i++)
        test_need(child_start(&clients[i], client, 0), "process_start");
    while (!(m.words[0] & PULSE_STUCK)) /* or the end of a client */
        channel_recv(events, &m, NO_DEADLINE);
    process_kill(servers[0].process, 0);
    start_server(&servers[1], hold, 0, servers[0].words[TOKEN]);
    for (unsigned i = 0; i < count; i++)
        wait_for(&clients[i], "client");
    pulse(channel, PULSE_STOP);
    wait_for(&servers[1], "server");
    tell("first", &servers[0]);
    tell("second", &servers[1]);
    test_end();
    return 0;
}
