/* ARP packets for IPv4 on Ethernet (RFC 826). */
#pragma once

#include "../address.h"
#include "cursor.h"

#define ARP_SIZE 28u

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
    uint16_t operation;
    uint8_t sender_mac[MAC_SIZE], target_mac[MAC_SIZE];
    struct ip_address sender, target; /* a sender of 0.0.0.0: a probe (RFC 5227 1.1) */
};

/* arp_parse: false if it is cut off, or is about other kinds of addresses. arp_emit: writes
 * ARP_SIZE bytes. */
bool arp_parse(struct cursor *cursor, struct arp *arp);
void arp_emit(uint8_t *at, const struct arp *arp);
