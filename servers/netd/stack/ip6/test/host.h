/* A host with the stack on an Ethernet whose other end is the test: what it sends is looked at,
 * what it receives is made up, and time passes when the test says so. */
#pragma once

#include "../../ip.h"
#include "../../netif.h"
#include "../../stack.h"
#include "../../test/check.h"
#include "../../wire/icmpv6.h"
#include "../../wire/ipv6.h"

#define PACKETS 1024u

#define MS     1000000ull
#define SECOND 1000000000ull

struct host {
    struct stack *stack;
    struct netif netif;
    struct packet_pool pool;
    struct packet packets[PACKETS];
    uint8_t *memory;
    uint64_t now;
    uint64_t random; /* state of the generator */
    struct packet_queue sent;
    unsigned conflicts; /* calls of netif->conflict */
};

/* host_conflict: the interface's; counts. */
void host_conflict(struct netif *netif, const struct ip_address *address);

/* host_start: with the interface down; host_up: it comes up, and the autoconfiguration of its
 * link-local address is over. host_end: everything must have been given back. */
void host_start(struct host *host);
void host_up(struct host *host);
void host_end(struct host *host);

void host_run(struct host *host, uint64_t time); /* ns */

/* --- what the host has sent --- */

struct frame {
    uint8_t bytes[2048];
    size_t size;
    uint8_t to[MAC_SIZE];
    struct ipv6_header ip;
    uint8_t protocol;             /* behind the extension headers */
    const uint8_t *payload, *end; /* of the transport */
    bool checksum_ok, is_fragment;
    struct ipv6_fragment fragment;
};
/* host_sent: the next IPv6 frame; false: there is none. host_sent_icmp: the next one of this ICMPv6
 * type, skipping others. host_drain: all, unseen; how many there were. */
bool host_sent(struct host *host, struct frame *frame);
bool host_sent_icmp(struct host *host, uint8_t type, struct frame *frame);
unsigned host_drain(struct host *host);

/* --- what it receives --- */

extern const uint8_t peer_mac[MAC_SIZE], host_mac[MAC_SIZE];
struct ip_address address(const char *text);

/* host_receive: an IPv6 packet in a frame from peer_mac. host_receive_icmp: the checksum of the
 * message is filled in first. host_receive_raw: a frame as it is. */
void host_receive(struct host *host, const char *source, const char *destination, uint8_t hop_limit,
                  uint8_t next_header, const void *payload, size_t length);
void host_receive_icmp(struct host *host, const char *source, const char *destination,
                       uint8_t hop_limit, const void *message, size_t length);
void host_receive_raw(struct host *host, const void *frame, size_t length);
/* fill_checksum: of a transport segment whose field, at `at`, is 0 so far. */
void fill_checksum(const char *source, const char *destination, uint8_t protocol, void *segment,
                   size_t length, size_t at);

/* host_ping: is an echo request to destination answered? */
bool host_ping(struct host *host, const char *source, const char *destination);

/* A neighbour answers for itself, so that the host can send to it. */
void host_meet(struct host *host, const char *neighbour);

/* The host's addresses: the first one of an origin, as text in a static buffer; "" = none. */
const char *host_address(struct host *host, enum netif_address_origin origin);
const char *text_of(const struct ip_address *address);

/* --- router advertisements --- */

struct advert {
    uint8_t bytes[1400];
    size_t length;
};
void advert_begin(struct advert *advert, uint8_t hop_limit, uint16_t lifetime);
enum { ON_LINK = 0x80, AUTONOMOUS = 0x40 };
void advert_prefix(struct advert *advert, const char *prefix, uint8_t bits, uint8_t flags,
                   uint32_t valid, uint32_t preferred);
void advert_option(struct advert *advert, const void *option, size_t length);
void advert_send(struct host *host, struct advert *advert, const char *router);

/* The usual network: one router, and a prefix on the link for addresses. host_advertise: it says
 * so, with these lifetimes in s. host_configure: host_start, host_up, and the same; what it takes
 * to have an address of the prefix is over. */
#define ROUTER "fe80::ff"
#define PREFIX "2001:db8:1::"
void host_advertise(struct host *host, uint16_t router, uint32_t valid, uint32_t preferred);
void host_configure(struct host *host, uint32_t valid, uint32_t preferred);

/* host_next_hop: where packets to a destination go first; "" = nowhere. */
const char *host_next_hop(struct host *host, const char *destination);
