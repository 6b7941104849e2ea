/* A captured frame, as far as it can be understood: Ethernet, ARP, IPv4, IPv6, TCP, UDP, ICMP. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd };
enum { P_ICMP = 1, P_IGMP = 2, P_TCP = 6, P_UDP = 17, P_ICMPV6 = 58 };

struct frame {
    const uint8_t *source_mac, *destination_mac; /* NULL: not even that is there */
    uint16_t type;                               /* of Ethernet */
    uint8_t source[16], destination[16];         /* ARP: sender, target */
    uint8_t protocol;
    uint8_t hops;
    bool v6;
    bool has_addresses; /* type's header was whole */
    bool fragment;      /* not the first one: nothing of the transport is in it */
    bool more_fragments;
    bool has_ports; /* TCP, UDP */
    uint16_t source_port, destination_port;
    const uint8_t *transport; /* the header and what is behind it */
    size_t transport_length;  /* bytes that were captured */
    size_t transport_said;    /* bytes that the packet had, by its own length */
    uint16_t arp_operation;
    const uint8_t *arp_sender_mac;
};

/* decode: never fails; what is missing is left out. The frame points into data. */
void decode(const uint8_t *data, size_t length, struct frame *frame);

/* describe: one line about the frame, without a newline, as tcpdump writes it; cut if it does not
 * fit. ports: with numbers behind the addresses. Returns text. */
char *describe(const struct frame *frame, char *text, size_t size);
