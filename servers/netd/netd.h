/* The server around the TCP/IP stack: what its parts share.
 *
 * Every message is a turn: the stack gets the time (netd_begin), the handler calls it, and
 * afterwards what became possible is done (netd_end): waiting requests are tried again, pollers
 * pulsed, doorbells rung, the next deadline set. No handler waits. */
#pragma once

#include "cairn/server.h"
#include "netd/driver/virtio_net.h"
#include "netd/stack/stack.h"

#define INTERFACES_MAX 8

struct netd {
    struct server server;
    struct stack *stack;
    struct packet_memory packets;
    struct virtio_net nets[INTERFACES_MAX];
    unsigned net_count;
    unsigned more_frames; /* bit per interface: has frames that were left for the next turn */
    uint64_t now;         /* ns since boot, of this turn */
};
extern struct netd netd;

void netd_begin(void);
void netd_end(void);

/* Badges, by their uppermost bits; below them a number that no earlier netd has given out. */
#define BADGE_SOCKET  (1ul << 61)
#define BADGE_CAPTURE (2ul << 61)
#define BADGE_WATCH   (3ul << 61)
#define BADGE_TEXT    (4ul << 61)
#define BADGE_KIND    (7ul << 61)
