/* Conversations with TCP in virtual time. A script is a text with one statement per line:
 *
 *   < SA 0:0 ack=1 win=1000 mss=1460     the peer sends: flags, sequence number : octets of text
 *   > PA 1:100 ack=1                     TCP must have sent this, next
 *   nothing                              ... or nothing (also checked at the end of each talk)
 *   +200                                 200 ms pass
 *   connect | listen N | accept | send N | recv N | close | shutdown r|w|rw
 *   oob N | peek N | more N              send and receive with flags
 *   set NAME VALUE                       nodelay, cork, keepalive, keepidle, keepintvl, keepcnt,
 * rcvbuf, sndbuf, linger (-1 = off), maxseg, timeout, reuse state NAME | error ERRNO | events HEX
 * (at least these bits) result N                             of the last call: octets or -errno
 *   cwnd N | ssthresh N                  in octets
 *   icmp unreachable|port|toobig SEQ [mtu]
 *   full on|off                          the interface takes no packets
 *   hold on|off                          it takes them, but does not send them yet
 *   # text
 *
 * Sequence numbers count from each side's ISN. Flags: S A F R P U; P is not compared, "-" is none.
 * Attributes, on either side: ack= win= (as it stands in the header; default 65535, not compared if
 * left out) mss= ws= sack ts (the peer's: echoes the last TSval; value = ms of the clock) tsval=
 * ecr= (TCP's: what it echoes) piece=N (the packet is a chain of pieces of N octets)
 * sk=L-R,L-R urg= port= (of the peer: 2000) bad (wrong checksum). In ">" lines mss=, ws= and sack
 * have to be there if and only if they are said for SYNs. */
#pragma once

#include "host.h"

struct captured {
    struct segment segment;
    uint8_t text[64];
    uint64_t at;
    uint16_t port;
};

struct talk {
    struct host host;
    struct socket *socket, *listener;
    uint32_t peer_iss;
    uint32_t iss[65536]; /* TCP's, of the last SYN to this port of the peer */
    uint16_t port;       /* ours: that of the last segment, or 80 */
    uint32_t ts_last;    /* TSval of TCP's last segment */
    uint64_t sent, received;
    int64_t result;
    unsigned events; /* notified */
    bool hold;
    struct packet *held[16];
    unsigned held_count;
    struct captured queue[512];
    unsigned first, count;
};

void talk_start(struct talk *talk);
void talk_start_limited(struct talk *talk, const struct host_limits *limits);
void talk_say(struct talk *talk, const char *script);
void talk_end(struct talk *talk); /* nothing is left over */

/* talk: a whole conversation in one call. */
void talk(const char *script);
struct tcb *talk_tcb(struct talk *talk);
/* talk_inject: a segment made by hand (header and text). */
void talk_inject(struct talk *talk, const uint8_t *segment, size_t length);
