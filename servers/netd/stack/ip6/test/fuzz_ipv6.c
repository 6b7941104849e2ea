/* Fuzz target: a sequence of IPv6 packets to a host, and the time between them. Each record of the
 * input is a length of 2 bytes, a byte of shortcuts, and an IPv6 packet. The shortcuts put in what
 * a fuzzer would hardly find: the host's addresses, and right checksums. After all of it every
 * packet must be back in the pool, and the host must still answer a ping. */
#include "../../checksum.h"
#include "../../socket.h"
#include "../ndp/ndp.h"
#include "host.h"
#include <stdlib.h>
#include <string.h>

enum shortcut {
    TO_US = 0x01,     /* destination: our link-local address */
    TO_NODES = 0x02,  /* destination: ff02::1 */
    TO_GROUP = 0x04,  /* destination: our solicited-node group */
    FROM_PEER = 0x08, /* source: fe80::9 */
    WHOLE = 0x10,     /* the payload length is right */
    CHECKSUM = 0x20,  /* that of the transport behind the chain is right */
    TIME = 0xc0,      /* what passes afterwards: 0, 100 ms, 5 s, 10 min */
};

#define SOURCE_AT      8
#define DESTINATION_AT 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host host;

/* Writes the checksum of an ICMPv6 message or a UDP datagram, if the packet has one. */
static void fix_checksum(uint8_t *packet, size_t length)
{
    struct cursor cursor = cursor_over(packet, length);
    struct ipv6_header header;
    if (!ipv6_parse(&cursor, &header) || !ipv6_find_transport(&cursor, &header.next_header))
        return;
    const size_t at = header.next_header == PROTOCOL_ICMPV6 ? 2 : 6;
    const size_t left = cursor_left(&cursor);
    if (left < 8)
        return;
    uint8_t *field = packet + (cursor.at - packet) + at;
    memset(field, 0, 2);
    const uint16_t pseudo =
        checksum_pseudo(&header.source, &header.destination, header.next_header, (uint32_t)left);
    const uint16_t sum = checksum_finish(checksum_add(pseudo, cursor.at, left));
    memcpy(field, &sum, sizeof sum);
}

static void receive(uint8_t shortcuts, const uint8_t *packet, size_t length)
{
    uint8_t frame[1514] = {0};
    uint8_t *ip = frame + 14;
    const char *ours = host_address(&host, ADDRESS_LINK_LOCAL);
    const struct ip_address own = *ours ? address(ours) : ip_loopback(IP_V6);
    const struct ip_address nodes = address("ff02::1"), peer = address("fe80::9");
    const struct ip_address group = ndp_solicited_node(&own);
    put_u16(put_bytes(put_bytes(frame, host_mac, 6), peer_mac, 6), 0x86dd);
    memcpy(ip, packet, length);
    ip[0] = (uint8_t)(6 << 4 | (ip[0] & 15));
    if (shortcuts & TO_US)
        memcpy(ip + DESTINATION_AT, own.bytes, 16);
    if (shortcuts & TO_NODES)
        memcpy(ip + DESTINATION_AT, nodes.bytes, 16);
    if (shortcuts & TO_GROUP)
        memcpy(ip + DESTINATION_AT, group.bytes, 16);
    if (shortcuts & FROM_PEER)
        memcpy(ip + SOURCE_AT, peer.bytes, 16);
    if (shortcuts & WHOLE && length >= IPV6_HEADER)
        put_u16(ip + IPV6_PAYLOAD_LENGTH_AT, (uint16_t)(length - IPV6_HEADER));
    if (shortcuts & CHECKSUM)
        fix_checksum(ip, length);
    host_receive_raw(&host, frame, 14 + length);
}

static void play(struct cursor input)
{
    static const uint64_t times[] = {0, 100 * MS, 5 * SECOND, 600 * SECOND};
    while (cursor_left(&input) > 3) {
        size_t length = cursor_u16(&input) % (ETHERNET_MTU + 1);
        const uint8_t shortcuts = cursor_u8(&input);
        if (length > cursor_left(&input))
            length = cursor_left(&input);
        receive(shortcuts, cursor_take(&input, length), length);
        host_run(&host, times[shortcuts >> 6]);
        host_drain(&host);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socket *udp, *raw;
    host_start(&host);
    host_up(&host);
    const struct endpoint any = {.address = ip_any(IP_V6), .port = 7777};
    socket_create(host.stack, IP_V6, SOCKET_DATAGRAM, 0, &udp);
    socket_create(host.stack, IP_V6, SOCKET_RAW, PROTOCOL_ICMPV6, &raw);
    socket_bind(udp, &any);
    play(cursor_over(data, size));
    netif_set_link(&host.netif, false);
    netif_set_link(&host.netif, true);
    host_run(&host, 700 * SECOND);
    const char *ours = host_address(&host, ADDRESS_LINK_LOCAL);
    CHECK(host_ping(&host, "fe80::8", ours), "the host does not answer any more");
    socket_close(udp);
    socket_close(raw);
    host_end(&host);
    if (check_failed)
        abort();
    return 0;
}
