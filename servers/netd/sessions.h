/* Open sockets: what stands between a badge and the stack's socket. */
#pragma once

#include "netd/calls.h"
#include "netd/pollers.h"

#define SESSIONS_MAX 8192

/* A session's calls wait in one of two lines, in order of arrival. */
enum { LINE_RECEIVE, LINE_SEND, LINES };

struct session {
    uint64_t badge;        /* 0 = free */
    struct socket *socket; /* NULL: closed early, but handles to it are still about */
    uint32_t client;       /* who pays: the process that made it */
    bool nonblocking;
    bool dirty;           /* the stack has notified since it was last looked at */
    uint32_t events;      /* that it notified of */
    struct session *next; /* of the free, or of the dirty ones */
    struct call *first[LINES], *last[LINES];
    uint64_t timeout[LINES]; /* ns: SO_RCVTIMEO, SO_SNDTIMEO; 0 = none */
    struct poller *pollers;
};

void sessions_init(uint64_t now);

/* session_make: a session for a socket (which is closed on failure), and a handle to it. */
int session_make(struct socket *socket, uint32_t client, struct session **session,
                 handle_t *handle);
struct session *session_find(uint64_t badge);

/* session_close_socket: of an early close: everything that waits gets EBADF. session_closed: the
 * last handle is gone. */
void session_close_socket(struct session *session);
void session_closed(uint64_t badge);

/* session_wait: lets a call wait in its line; 0 or -ENOBUFS. */
int session_wait(const struct call *call, unsigned line, uint64_t deadline);

/* sessions_work: looks at the sessions that the stack has notified: tries what waits again, pulses
 * pollers. True if there were any. */
bool sessions_work(void);

void sessions_count(unsigned *tcp, unsigned *udp, unsigned *raw);

/* What socket_calls.c does with calls that wait (see there). */
#define CALL_WAITS (INT64_MIN + 1)
int64_t socket_attempt(struct call *call, struct message *reply);
int64_t socket_give_up(struct call *call, struct message *reply);
