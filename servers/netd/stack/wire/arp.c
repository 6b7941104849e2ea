/* ARP packets. */
#include "arp.h"

#define HARDWARE_ETHERNET 1
#define PROTOCOL_IPV4     0x0800

static struct ip_address take_v4(struct cursor *cursor)
{
    uint8_t bytes[4];
    cursor_bytes(cursor, bytes, sizeof bytes);
    return ip_v4_bytes(bytes);
}

bool arp_parse(struct cursor *cursor, struct arp *arp)
{
    const uint16_t hardware = cursor_u16(cursor), protocol = cursor_u16(cursor);
    const uint8_t hardware_size = cursor_u8(cursor), protocol_size = cursor_u8(cursor);
    arp->operation = cursor_u16(cursor);
    cursor_bytes(cursor, arp->sender_mac, MAC_SIZE);
    arp->sender = take_v4(cursor);
    cursor_bytes(cursor, arp->target_mac, MAC_SIZE);
    arp->target = take_v4(cursor);
    return cursor_ok(cursor) && hardware == HARDWARE_ETHERNET && protocol == PROTOCOL_IPV4 &&
           hardware_size == MAC_SIZE && protocol_size == 4 &&
           (arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY);
}

void arp_emit(uint8_t *at, const struct arp *arp)
{
    at = put_u16(at, HARDWARE_ETHERNET);
    at = put_u16(at, PROTOCOL_IPV4);
    at = put_u8(at, MAC_SIZE);
    at = put_u8(at, 4);
    at = put_u16(at, arp->operation);
    at = put_bytes(at, arp->sender_mac, MAC_SIZE);
    at = put_bytes(at, arp->sender.bytes, 4);
    at = put_bytes(at, arp->target_mac, MAC_SIZE);
    put_bytes(at, arp->target.bytes, 4);
}
