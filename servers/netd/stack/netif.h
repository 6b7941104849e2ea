/* A network interface: a link with addresses. The server fills in what the device is and moves
 * frames; the core does the rest. */
#pragma once

#include "address.h"
#include "ip6/link.h"
#include "packet.h"

struct stack;
struct netif;

#define NETIF_NAME      16
#define NETIF_ADDRESSES 8
#define NETIF_GROUPS    16 /* multicast memberships */
#define ETHERNET_MTU    1500u

enum netif_kind { NETIF_ETHERNET, NETIF_LOOPBACK };

/* What the device can do for us (virtio-net's offers). */
enum netif_offload {
    NETIF_CHECKSUM = 1,   /* completes PACKET_CHECKSUM */
    NETIF_SEGMENT_V4 = 2, /* cuts long TCP frames (packet segment_size) */
    NETIF_SEGMENT_V6 = 4,
};

/* The life of an address (RFC 4862 5.4, 5.5.4). */
enum netif_address_state { ADDRESS_FREE, ADDRESS_TENTATIVE, ADDRESS_PREFERRED, ADDRESS_DEPRECATED };
enum netif_address_origin { ADDRESS_STATIC, ADDRESS_DHCP, ADDRESS_SLAAC, ADDRESS_LINK_LOCAL };

struct netif_address {
    struct ip_address address;
    uint8_t prefix; /* bits */
    uint8_t state, origin;
    uint8_t probes;                        /* duplicate address detection: solicitations sent */
    uint8_t collisions;                    /* addresses in the place of which this one is tried */
    uint64_t probe_at;                     /* the next solicitation, or the end of the wait */
    uint64_t preferred_until, valid_until; /* ns; 0 = for ever */
};

struct netif_group {
    struct ip_address address; /* family 0 = free */
    uint32_t members;          /* sockets and the stack itself */
    uint64_t report_at;        /* a pending IGMP or MLD report; 0 = none */
    uint8_t reports_left;
};

struct netif_counters {
    uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
    uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

struct netif {
    struct netif *next; /* of the stack's */
    struct stack *stack;
    uint16_t index; /* from 1; the stack numbers them */
    char name[NETIF_NAME];
    enum netif_kind kind;
    uint8_t mac[MAC_SIZE];
    uint16_t mtu; /* of IP packets */
    unsigned offloads;
    bool up, link;
    struct netif_address addresses[NETIF_ADDRESSES];
    struct netif_group groups[NETIF_GROUPS];
    uint8_t hop_limit;                     /* of the router's advertisement; 0 = 64 */
    uint16_t ipv6_mtu;                     /* of the router's advertisement; 0 = mtu */
    uint32_t reachable_ms, retransmit_ms;  /* likewise, for IPv6; 0 = 30 s, 1 s */
    struct ip_address arp_probed;          /* the address that arp_probe asks for ... */
    uint64_t arp_probed_until;             /* ... ns */
    uint64_t igmp_v1_until, igmp_v2_until; /* routers of these versions have been heard; ns */
    uint64_t arp_defended; /* when an address of ours was defended last; 0 = never */
    struct ipv6_link ipv6; /* what is known of the link */
    struct netif_counters counters;

    /* transmit: takes over the frame and sends it some time; -ENOBUFS: the device's queue is full,
     * the frame stays the caller's. The server calls netif_writable when there is room again. */
    int (*transmit)(struct netif *netif, struct packet *frame);
    void *device; /* the server's */
    /* tap: sees each frame as it passes, in both directions, before it is changed; or NULL. */
    void (*tap)(struct netif *netif, const struct packet *frame, bool sent);
    /* conflict: another host on the link holds this address, which is ours or is being probed for
     * (RFC 5227, RFC 4862 5.4); or NULL. Must not call back into the stack. */
    void (*conflict)(struct netif *netif, const struct ip_address *address);
};

/* netif_add: the interface joins the stack; its fields from kind to link and transmit are set. An
 * Ethernet that is up gets its IPv6 link-local address and looks for routers by itself. */
void netif_add(struct stack *stack, struct netif *netif);
void netif_set_link(struct netif *netif, bool up);
void netif_writable(struct netif *netif);
/* netif_output: a frame to the device; taken over, also when it is dropped (ENOBUFS). For the
 * layers. */
int netif_output(struct netif *netif, struct packet *frame);
struct netif *netif_find(struct stack *stack, unsigned index);

/* netif_input: a frame has arrived; takes it over. */
void netif_input(struct netif *netif, struct packet *frame);

/* Addresses. netif_address_add: EEXIST, ENOSPC; an IPv6 address begins as tentative. Removing one
 * ends nothing: sockets that use it find out by themselves. */
int netif_address_add(struct netif *netif, const struct ip_address *address, unsigned prefix,
                      enum netif_address_origin origin);
int netif_address_remove(struct netif *netif, const struct ip_address *address);
struct netif_address *netif_address_find(struct netif *netif, const struct ip_address *address);

/* Multicast memberships (IGMPv2/v3, MLDv1/v2 tell the routers). Counted: each join wants a leave.
 */
int netif_join(struct netif *netif, const struct ip_address *group);  /* ENOSPC */
int netif_leave(struct netif *netif, const struct ip_address *group); /* EADDRNOTAVAIL */
bool netif_is_member(const struct netif *netif, const struct ip_address *group);
