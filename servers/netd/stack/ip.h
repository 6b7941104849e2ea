/* The Internet layer as the layers above it see it, for both families (RFC 791, 8200, 1122). */
#pragma once

#include "address.h"
#include "netif.h"
#include "packet.h"

struct stack;

enum ip_protocol {
    PROTOCOL_ICMP = 1,
    PROTOCOL_IGMP = 2,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ICMPV6 = 58,
};

#define IP_HOP_LIMIT    64
#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER     40u
#define IPV4_MTU_MIN    68u /* RFC 791 3.1 */
#define IPV6_MTU_MIN    1280u

/* --- down: where a packet would go, and sending it --- */

struct ip_route {
    struct netif *netif;
    struct ip_address source;   /* what RFC 6724 chooses, unless the caller has one */
    struct ip_address next_hop; /* the destination itself if it is on the link */
    uint16_t mtu;               /* of the path, as far as it is known; of IP packets */
};

/* ip_route_find: source may be NULL or any; interface 0 = any. ENETUNREACH, EADDRNOTAVAIL (source
 * is not ours), EHOSTUNREACH. */
int ip_route_find(struct stack *stack, const struct ip_address *destination,
                  const struct ip_address *source, unsigned interface, struct ip_route *route);

struct ip_send {
    struct ip_address source, destination; /* a source of any is chosen */
    uint16_t interface;                    /* 0 = any */
    uint8_t protocol;
    uint8_t hop_limit;       /* 0 = the default */
    uint8_t traffic_class;   /* IPv4: type of service */
    bool dont_fragment;      /* IPv4; EMSGSIZE if it does not fit. IPv6 packets are fragmented by
                                their sender, unless this is set */
    bool unspecified_source; /* send from 0.0.0.0 or :: as it is (DHCP, NDP) */
    bool router_alert;       /* IGMP, MLD */
    bool multicast_loop;     /* a copy to ourselves, if we are members of the group */
};

/* ip_output: sends the transport segment in packet, which is taken over in any case; a packet that
 * TCP keeps a second reference to is sent from where it is (its headroom is written). 0: it is on
 * its way, or waits for a neighbour's address. ENOBUFS: dropped, the interface is full. The
 * transport checksum is the caller's: complete, or PACKET_CHECKSUM where the netif has the
 * offload (the netif of ip_route_find). */
int ip_output(struct stack *stack, const struct ip_send *send, struct packet *packet);

/* ip_reached: the transport has heard from this peer, so its neighbour entry is fresh (RFC 4861
 * 7.3.1). */
void ip_reached(struct stack *stack, const struct ip_address *peer, unsigned interface);

/* ip_order_destinations: a host's addresses of both families, the one to try first in front (RFC
 * 6724 6). More than IP_ORDER_MAX are left as they are. */
#define IP_ORDER_MAX 32
void ip_order_destinations(struct stack *stack, struct ip_address *addresses, size_t count);

/* ip_is_local: an address of ours that packets may be sent to (tentative ones are not). */
bool ip_is_local(const struct stack *stack, const struct ip_address *address);
/* ip_is_directed_broadcast: of one of our IPv4 networks. */
bool ip_is_directed_broadcast(const struct stack *stack, const struct ip_address *address);

/* --- the routing table --- */

/* A route. gateway: any = the destinations are on the link. Routes of a connected prefix come and
 * go with the interface's address and are listed, not kept, here. */
struct ip_route_entry {
    struct ip_address destination;
    uint8_t prefix; /* bits */
    bool connected;
    uint16_t metric; /* among equal prefixes the lowest wins */
    struct ip_address gateway;
    struct netif *netif;
};

/* ip_route_add: netif NULL: the one that the gateway is on the link of. EINVAL, EEXIST, ENOSPC,
 * ENETUNREACH (no interface reaches the gateway). ip_route_delete: the entry of the same
 * destination, prefix, gateway and netif (any and NULL match all); ESRCH. */
int ip_route_add(struct stack *stack, const struct ip_route_entry *entry);
int ip_route_delete(struct stack *stack, const struct ip_route_entry *entry);
void ip_route_list(struct stack *stack,
                   void (*visit)(void *context, const struct ip_route_entry *entry), void *context);

/* --- up: what arrived --- */

struct ip_received {
    struct netif *netif;
    struct ip_address source, destination;
    uint8_t protocol;
    uint8_t hop_limit, traffic_class;
    bool multicast, broadcast; /* the destination was not us alone */
    uint16_t header_length;    /* bytes in front of packet->start that belong to IP: there for raw
                                  sockets and for ICMP errors, which quote them */
};

/* ip_input: a packet of either family, that starts at its IP header; taken over. */
void ip_input(struct netif *netif, struct packet *packet);

/* transport_input: gives [start, end) of the packet, the transport segment, whole, in order and cut
 * to the length that IP says, to whom it is for. Sources that no answer could go to (multicast,
 * broadcast, loopback from the wire, our own) have been dropped before. Raw sockets get copies.
 * True: taken over. False: no such protocol here, and the packet stays the caller's. */
bool transport_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);

/* An ICMP error about a packet that we sent. */
enum ip_error_kind { IP_UNREACHABLE, IP_TOO_BIG, IP_TIME_EXCEEDED, IP_PARAMETER_PROBLEM };
struct ip_error {
    enum ip_error_kind kind;
    int error;    /* -errno as Linux maps it: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, EPROTO ... */
    bool hard;    /* port, protocol unreachable: ends a connection attempt (RFC 1122 4.2.3.9) */
    uint16_t mtu; /* IP_TOO_BIG */
    struct ip_address reporter;
    struct ip_address source, destination; /* of the quoted packet: ours, and the peer's */
    uint8_t protocol, type, code;
    const uint8_t *transport; /* the quoted segment, at least 8 bytes */
    size_t transport_length;
};
/* transport_error: true if a flow of ours was meant. Only then may the error change anything: the
 * path's MTU is lowered afterwards, so a transport goes by error->mtu. */
bool transport_error(struct stack *stack, const struct ip_error *error);

/* icmp_port_unreachable: answers a packet that nobody wants with "port unreachable", within the
 * rate limit and the rules of RFC 1122 3.2.2. The packet stays the caller's. */
void icmp_port_unreachable(struct stack *stack, const struct ip_received *ip,
                           struct packet *packet);
