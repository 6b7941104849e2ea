/* The TCP/IP stack: a pure core. Frames, requests and the time go in; frames, answers and the
 * time of the next deadline come out. It makes no call that blocks and none to the system: what
 * it needs is in struct stack_config. Everything is allocated at stack_create or from bounded
 * pools made there; what is used up is counted, and refused to whom it concerns.
 *
 * Layers, each calling down for output and up for input, never sideways:
 *     socket.h   what a program sees           tcp/  udp  raw    dhcp/  dns/ (users of UDP)
 *     ip.h       routes, fragments, ICMP       ipv4  ipv6
 *     neighbour  ARP and NDP                   netif.h, ethernet
 *
 * Time is in ns since any moment, and never runs backwards. */
#pragma once

#include "address.h"
#include "netif.h"
#include "packet.h"
#include "timer.h"
#include <stddef.h>
#include <stdint.h>

struct ipv6_layer;
struct neighbours;
struct path_mtus;
struct reassembly;
struct tcp_layer;
struct udp_layer;
struct raw_layer;
struct ip_layer;

struct stack_config {
    void *(*allocate)(size_t size); /* at stack_create only; zeroed memory or NULL */
    void (*release)(void *memory);
    void (*random)(void *to, size_t length); /* cryptographically strong */
    struct packet_pool *pool;
    uint64_t now;
    /* The key of our IPv6 addresses (RFC 7217): who keeps it has the same ones after a restart. All
     * 0: drawn at random. */
    uint64_t address_secret[2];
    /* Limits; 0 = the default behind it. */
    uint32_t sockets;          /* 8192, of all kinds */
    uint32_t neighbours;       /* 256 */
    uint32_t routes;           /* 64 */
    uint32_t reassembly_bytes; /* 256 KiB, in fragments held */
    uint32_t datagram_sockets; /* 1024, of UDP; raw ones: 64 */
    uint32_t socket_packets;   /* three quarters of the pool: in sockets' queues, all together */
};

/* Timers that may run at once: one for each socket and each neighbour, and these. */
#define STACK_TIMERS_OTHER 64u

/* Counters that only grow, named as in RFC 4293 and 4113 where these have a name. */
struct stack_counters {
    uint64_t ip_in, ip_in_header_errors, ip_in_address_errors, ip_in_unknown_protocol;
    uint64_t ip_in_delivered, ip_out, ip_out_no_route, ip_out_dropped;
    uint64_t ip_fragments_in, ip_fragments_made, ip_reassembled, ip_reassembly_failed;
    uint64_t icmp_in, icmp_in_errors, icmp_out, icmp_out_limited;
    uint64_t arp_in, arp_out, arp_ignored, nd_in, nd_out, nd_ignored, nd_duplicates;
    uint64_t neighbour_evicted, neighbour_failed;
    uint64_t udp_in, udp_in_errors, udp_no_port, udp_out, udp_queue_full;
    uint64_t raw_in, raw_queue_full;
    uint64_t igmp_in, igmp_out, mld_in, mld_out;
};

struct stack {
    struct stack_config config;
    uint64_t now;
    struct packet_pool *pool;
    struct timers timers;
    struct netif *netifs;
    struct netif *loopback; /* made by the stack: 127.0.0.1/8, ::1/128 */
    struct stack_counters counters;
    uint32_t socket_count, socket_packets;
    struct neighbours *neighbours;
    struct reassembly *reassembly;
    struct path_mtus *path_mtus;
    struct ipv6_layer *ipv6;
    struct ip_layer *ip;
    struct tcp_layer *tcp;
    struct udp_layer *udp;
    struct raw_layer *raw;
};

/* stack_create: NULL without memory. stack_destroy: releases everything, tells nobody. */
struct stack *stack_create(const struct stack_config *config);
void stack_destroy(struct stack *stack);

/* stack_poll: sets the clock, expires timers, delivers loopback traffic. To be called before
 * other calls of the same moment, and at stack_deadline (0 = nothing is due). */
void stack_poll(struct stack *stack, uint64_t now);
uint64_t stack_deadline(const struct stack *stack);

/* For stack_create; ENOMEM. */
int ip_layer_create(struct stack *stack);
void ip_layer_destroy(struct stack *stack);
