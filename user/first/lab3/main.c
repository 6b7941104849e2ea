/* Lab 3's first process: two clients and a server, each in an address space of its own. The server
 * gets stuck and is killed, and a second one answers what the first has left. */
#include "../child.h"
#include "cairn/ipc.h"
#include <ctype.h>
#include <string.h>

#define CLIENTS     2
#define ROUNDS      3
#define TEXT_MAX    64
#define MILLISECOND 1000000ul

enum { CAPITALS = 1 };   /* the only request: window 0 is a text */
enum { PULSE_STOP = 1 }; /* for a server: answer what there is, then end */
enum { HANDLE, NUMBER }; /* words of a child's page */

/* ---- The server ------------------------------------------------------------------------------ */

static int64_t capitals(uint64_t token)
{
    char text[TEXT_MAX];
    int64_t size = copy_in(token, 0, 0, text, sizeof(text));
    for (int64_t i = 0; i < size; i++)
        text[i] = (char)toupper((unsigned char)text[i]);
    return size > 0 ? copy_out(token, 0, 0, text, (size_t)size) : size;
}

static int64_t server(volatile uint64_t *words)
{
    unsigned long number = words[NUMBER];
    uint64_t deadline = NO_DEADLINE;
    struct message m;
    for (unsigned requests = 0;;) {
        int64_t token = channel_recv((handle_t)words[HANDLE], &m, deadline);
        if (token < 0) {
            say("server %lu: served %u requests\n", number, requests);
            return token == -ETIMEDOUT ? 0 : token;
        }
        if (token > 0) {
            bool again = m.flags & MESSAGE_RESENT;
            requests++;
            say("server %lu: a request from pid %u, badge %lu%s\n", number, m.sender,
                (unsigned long)m.badge, again ? ", sent again" : "");
            while (number == 1 && requests > CLIENTS)
                thread_yield(); /* stuck; nobody gets an answer any more */
            struct message reply = {.type = REPLY_TYPE(m.type), .len = 16};
            reply.words[0] = (uint64_t)capitals((uint64_t)token);
            reply.words[1] = number;
            channel_reply((uint64_t)token, &reply);
        } else if (m.type == MESSAGE_CLOSED) {
            say("server %lu: the client with badge %lu is gone\n", number, (unsigned long)m.badge);
        } else if (m.words[0] & PULSE_STOP) {
            deadline = (uint64_t)clock_now();
        }
    }
}

/* ---- A client -------------------------------------------------------------------------------- */

static int64_t client(volatile uint64_t *words)
{
    static const char *const texts[ROUNDS] = {"is anybody there?", "how are you?", "good bye"};
    for (unsigned n = 0; n < ROUNDS; n++) {
        char text[TEXT_MAX];
        strcpy(text, texts[n]);
        struct message m = {.type = CAPITALS, .window_count = 1};
        m.windows[0] = (struct window){(uint64_t)text, strlen(text), WINDOW_READ | WINDOW_WRITE};
        int error = channel_call((handle_t)words[HANDLE], &m);
        if (error)
            return error;
        say("    client %lu: \"%s\", and server %lu made it \"%s\"\n", (unsigned long)words[NUMBER],
            texts[n], (unsigned long)m.words[1], text);
    }
    return 0;
}

/* ---- The first process ----------------------------------------------------------------------- */

static handle_t channel; /* of the server */
static handle_t ended;   /* hears of every child's end */

/* Starts a child that has one handle: a copy of ours, with no more than these rights. */
static int64_t start(struct child *child, child_function *function, uint64_t number,
                     handle_t handle, uint32_t rights)
{
    int64_t error = child_new(child, function == server ? "server" : "client", NULL);
    if (error)
        return error;
    int64_t given = process_grant(child->process, handle, rights, 0);
    if (given < 0)
        return given;
    child->words[HANDLE] = (uint64_t)given;
    child->words[NUMBER] = number;
    error = process_watch(child->process, ended, 0);
    return error ? error : child_start(child, function, 0);
}

/* Sleeps until a child has ended, or for a while; -ETIMEDOUT then. */
static int64_t wait_for(const struct child *child, struct process_status *status)
{
    struct message m;
    while (process_status(child->process, status) == 0 && status->reason == EXIT_RUNNING) {
        int64_t token = channel_recv(ended, &m, (uint64_t)clock_now() + 500 * MILLISECOND);
        if (token < 0)
            return token;
    }
    return 0;
}

/* Starts everybody, waits until they have ended, and replaces a server that leaves the clients
 * waiting. The last server's exit status, or an error. */
static int64_t run(void)
{
    struct child serving, clients[CLIENTS];
    struct process_status status;
    int64_t error = start(&serving, server, 1, channel, RIGHT_RECV);
    for (unsigned i = 0; i < CLIENTS && !error; i++) {
        uint64_t badge = i + 1;
        handle_t session = (handle_t)handle_mint(channel, RIGHT_SEND | RIGHT_TRANSFER, badge);
        error = start(&clients[i], client, badge, session, RIGHT_SEND);
        handle_close(session); /* the client's own is the last, and closed when it ends */
    }
    for (unsigned i = 0; i < CLIENTS && !error; i++) {
        error = wait_for(&clients[i], &status);
        if (error != -ETIMEDOUT)
            continue;
        say("init: server 1 does not answer; it is killed, and server 2 takes its place\n");
        child_end(&serving);
        error = start(&serving, server, 2, channel, RIGHT_RECV);
        i--; /* this client again */
    }
    if (!error)
        error = pulse(channel, PULSE_STOP);
    if (!error)
        error = wait_for(&serving, &status);
    return error ? error : status.value;
}

int64_t first_main(const void *argument, struct ipc_page *page)
{
    (void)argument;
    /* The first threads of all processes have their IPC pages at one address, so this holds for the
     * children, too, whose data are a copy of ours. */
    ipc_thread_init(page);
    channel = (handle_t)channel_create(0);
    ended = (handle_t)channel_create(0);
    say("init: pid %ld; it starts a server and %d clients\n", (long)process_self(), CLIENTS);
    int64_t status = run();
    say("init: the clients have ended, and the last server with status %ld\n", (long)status);
    return status;
}
