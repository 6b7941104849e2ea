/* Ethernet: the header off and on, and who gets what is behind it. */
#include "ethernet.h"
#include "../ip/ipv4.h"
#include "../ip6/ipv6.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/cursor.h"
#include "arp.h"

const uint8_t ethernet_broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Group addresses have the lowest bit of the first byte set (IEEE 802). */
static bool is_group(const uint8_t mac[MAC_SIZE]) { return mac[0] & 1; }

static void drop(struct netif *netif, struct packet *frame, uint64_t *counter)
{
    ++*counter;
    packet_release(netif->stack->pool, frame);
}

void ethernet_input(struct netif *netif, struct packet *frame)
{
    struct cursor cursor = cursor_over(packet_bytes(frame), packet_length(frame));
    uint8_t destination[MAC_SIZE], source[MAC_SIZE];
    cursor_bytes(&cursor, destination, MAC_SIZE);
    cursor_bytes(&cursor, source, MAC_SIZE);
    const uint16_t type = cursor_u16(&cursor);
    if (!cursor_ok(&cursor) || is_group(source)) {
        drop(netif, frame, &netif->counters.rx_errors);
        return;
    }
    if (is_group(destination))
        frame->flags |= PACKET_BROADCAST;
    else if (memcmp(destination, netif->mac, MAC_SIZE) != 0) {
        drop(netif, frame, &netif->counters.rx_dropped);
        return;
    }
    packet_pull(frame, ETHERNET_HEADER);
    switch (type) {
    case ETHERTYPE_IPV4:
        ipv4_input(netif, frame);
        break;
    case ETHERTYPE_ARP:
        arp_input(netif, frame);
        break;
    case ETHERTYPE_IPV6:
        ipv6_input(netif, frame);
        break;
    default:
        drop(netif, frame, &netif->counters.rx_dropped);
    }
}

int ethernet_output(struct netif *netif, const uint8_t destination[MAC_SIZE], enum ethertype type,
                    struct packet *packet)
{
    uint8_t *at = packet_push(packet, ETHERNET_HEADER);
    at = put_bytes(at, destination, MAC_SIZE);
    at = put_bytes(at, netif->mac, MAC_SIZE);
    put_u16(at, (uint16_t)type);
    return netif_output(netif, packet);
}

void ethernet_multicast(const struct ip_address *group, uint8_t mac[MAC_SIZE])
{
    const uint8_t *b = group->bytes;
    if (group->family == IP_V4) {
        const uint8_t v4[MAC_SIZE] = {0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]};
        memcpy(mac, v4, MAC_SIZE);
    } else {
        const uint8_t v6[MAC_SIZE] = {0x33, 0x33, b[12], b[13], b[14], b[15]};
        memcpy(mac, v6, MAC_SIZE);
    }
}
