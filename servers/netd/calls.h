/* Requests that wait for something: a bounded pool, with their deadlines. */
#pragma once

#include "netd/netd.h"
#include "netd/stack/socket.h"
#include "netd/stack/timer.h"
#include "proto/net.h"

#define CALLS_MAX      1024 /* as many as there are threads in the system */
#define CALLS_A_CLIENT 256

struct session;

struct call {
    struct call *next; /* of its session's, or of the free ones */
    struct timer timer;
    uint64_t token;
    uint32_t client; /* pid */
    uint32_t type;   /* enum net_operation */
    bool in_use;
    /* What is to be done with it at its deadline; it is released by that. */
    void (*expired)(struct call *call);
    union {
        struct { /* on a socket */
            struct session *session;
            uint64_t length, done; /* bytes */
            uint32_t flags;
            bool windowed;
            uint8_t hop_limit, traffic_class;
            bool started, began_before; /* connect */
            uint64_t deadline;
            struct endpoint peer;
            uint8_t data[NET_SEND_INLINE]; /* inline, to be sent */
        };
        struct {            /* to the resolver */
            int queries[2]; /* identifiers, 0 = answered */
            int error;
            unsigned count;
            struct ip_address addresses[NET_ADDRESSES_MAX];
        } resolve;
        struct { /* an echo */
            struct endpoint to;
            uint64_t sent_at;
            uint32_t size;
            uint16_t sequence;
        } ping;
    };
};

void calls_init(void);

/* call_keep: moves a call (not from the pool) into the pool; NULL: the client has too many waiting,
 * or all have, also after those were forgotten whose callers are gone. deadline 0 = none. */
struct call *call_keep(const struct call *call, uint64_t deadline);
void call_release(struct call *call);

/* call_alive: its caller still waits. */
bool call_alive(const struct call *call);

/* call_each: visits those of this type that wait; visit may release the call it is given. */
void call_each(uint32_t type, void (*visit)(struct call *call, void *context), void *context);

void calls_expire(uint64_t now);
uint64_t calls_deadline(void); /* 0 = none */
unsigned calls_waiting(void);
