/* The stack on a wire of IP packets, in virtual time: what lies under the adapter's calls. */
#pragma once

#include "netd/stack/stack.h"
#include <pthread.h>

struct wire {
    pthread_mutex_t lock;   /* of everything here */
    pthread_cond_t changed; /* something has happened that a waiting call may be interested in */
    struct stack *stack;
    struct netif netif;
    struct packet_pool pool;
    struct packet *packets;
    uint8_t *memory;
    struct packet_queue sent; /* IP packets; `arrived` is when they left */
    unsigned waiting;         /* calls */
    uint64_t now;             /* ns */
};

/* wire_open: an interface with this address, and a gateway to everywhere. NULL without memory. */
struct wire *wire_open(const struct ip_address *local, unsigned prefix,
                       const struct ip_address *gateway);
void wire_close(struct wire *wire);

/* With the lock held. wire_settle: after each call on the stack. wire_advance: time passes. */
void wire_settle(struct wire *wire);
void wire_advance(struct wire *wire, uint64_t until);
int wire_receive(struct wire *wire, const void *packet, size_t size); /* 0 or -errno */

/* wire_await: the next packet that leaves, however long that takes (a minute at most); NULL. */
struct packet *wire_await(struct wire *wire);
