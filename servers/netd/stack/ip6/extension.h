/* Extension headers of a packet that is for us (RFC 8200 4). */
#pragma once

#include "../ip.h"

/* The packet on its way through its chain of headers: the next one, of the kind ip.protocol, is at
 * packet's start, those that have been dealt with are the ip.header_length bytes in front. */
struct ipv6_walk {
    struct ip_received ip;
    struct packet *packet;
    uint16_t next_header_at; /* where ip.protocol is written: offset from the IPv6 header */
    unsigned headers;        /* extension headers so far */
    bool fragmented;         /* one was a fragment header: fragments of fragments are dropped */
};

/* extensions_process: goes on to the transport. False: the packet has been taken over, because it
 * was dropped or answered with an error, or is a fragment that waits for others. */
bool extensions_process(struct ipv6_walk *walk);

/* fragment_input: the fragment header: true once the datagram is whole, and in walk. */
bool fragment_input(struct ipv6_walk *walk);

/* extension_problem: tells the sender, if rules and limits allow, what is wrong with the byte at
 * `offset` from the IPv6 header, and drops the packet. extension_drop: only drops it. Both return
 * false, for who returns to extensions_process. */
bool extension_problem(struct ipv6_walk *walk, uint8_t code, uint32_t offset);
bool extension_drop(struct ipv6_walk *walk);
