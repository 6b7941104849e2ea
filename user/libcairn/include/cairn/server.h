/* The loop that every server runs: one thread, one channel, a table of operations. */
#pragma once

#include "cairn/ipc.h"

struct server;

/* One request in the hands of a handler. The reply is built in place: a handler that returns a
 * number answers with {number, the words it set from reply->words[1] on}. */
struct request {
    struct server *server;
    uint64_t token;
    struct message *message; /* as received */
    struct message *reply;   /* zeroed header; len is at least 8 on sending */
};

/* A handler returns a result (>= 0) or -errno, which becomes word 0 of the reply, or
 * SERVER_DEFERRED: it kept the token and will call channel_reply itself. Handles received in the
 * message belong to the handler only if it sets message->handle_count = 0; otherwise the loop
 * closes them. */
#define SERVER_DEFERRED INT64_MIN

struct server_operation {
    uint32_t type;
    uint16_t min_len; /* shorter messages get EINVAL without reaching the handler */
    int64_t (*handle)(struct request *request);
};

struct server {
    handle_t channel;
    const struct server_operation *operations;
    size_t operation_count;
    void *context;
    /* Optional. closed: the last handle with this badge is gone. pulse: bits arrived (0 to 61; the
     * others are the loop's: SERVER_PULSE_*). tick: the deadline that it returned last has come (or
     * the loop starts); returns the next, or 0. */
    void (*closed)(struct server *server, uint64_t badge);
    void (*pulse)(struct server *server, uint64_t bits);
    uint64_t (*tick)(struct server *server);
    /* settled: called once, when there is nothing to receive for the first time: so whatever an
     * earlier process of the service left unanswered has come (flagged MESSAGE_RESENT). */
    void (*settled)(struct server *server);
    int stop; /* set by a handler: server_run returns after the reply */
    uint64_t deadline; /* of the next tick, 0 = none; a handler may bring it forward */
};

/* The bits that init pulses on a service's channel. ALIVE: the loop is to show that it still runs.
 * NAMES: nsd was started again; the names that the service has registered are to be registered once
 * more. */
#define SERVER_PULSE_ALIVE 62
#define SERVER_PULSE_NAMES 63

/* server_run: serves until server->stop or the channel is gone; returns 0 or -errno. */
int server_run(struct server *server);

/* server_reply: answers a deferred request with {result, words} (data bytes in all, at least 8). */
int server_reply(uint64_t token, int64_t result, const void *data, size_t len);

/* request_path: the path of a struct fs_path_request, wherever it travels; NUL-terminated into
 * buffer. Length or -errno (ENAMETOOLONG, EINVAL, EFAULT). */
int request_path(struct request *request, char *buffer, size_t size);

/* request_copy_in/out: move all len bytes between a window and buffer, in as many calls as it
 * takes. 0 or -errno. */
int request_copy_in(struct request *request, unsigned window, uint64_t offset, void *buffer, size_t len);
int request_copy_out(struct request *request, unsigned window, uint64_t offset, const void *buffer, size_t len);
