/* A host with TCP and nothing else: what ip.h promises is played by host.c. Segments that TCP sends
 * go to `sent`, and those of a test to host_deliver. Time is what the test says. */
#pragma once

#include "../tcp.h"
#include "stream.h"

struct host {
    struct stack stack;
    struct netif netif;
    struct packet_pool pool;
    struct packet *packets;
    uint8_t *memory;
    struct timer **slots;
    struct ip_address address;
    uint16_t path_mtu;
    bool full;       /* ip_output fails with ENOBUFS */
    int route_error; /* of ip_route_find */
    uint64_t random;
    /* sent: takes the packet over (it may be held by TCP, too). */
    void (*sent)(struct host *host, const struct ip_send *send, struct packet *packet);
    void *context;
};

struct host_limits {
    uint32_t packets, sockets, socket_packets; /* 0: 4096, 64, three quarters of the packets */
};

/* host_start: with the address 10.0.0.N. The clock begins at 1000 s. */
void host_start(struct host *host, uint8_t number, const struct host_limits *limits);
/* host_stop: checks that no packet has been lost. */
void host_stop(struct host *host);
/* host_run: expires timers up to `now`, which becomes the time. */
void host_run(struct host *host, uint64_t now);
/* host_deliver: a segment with a valid checksum for this host; takes the packet over. */
void host_deliver(struct host *host, const struct ip_address *source, struct packet *packet);
