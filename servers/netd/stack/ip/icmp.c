/* ICMP for IPv4: echoes are answered, errors are passed to the flow that they are about, and made
 * for packets that nobody here wants. */
#include "icmp.h"
#include "../checksum.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/icmpv4.h"
#include "../wire/ipv4.h"
#include "path_mtu.h"
#include <errno.h>

/* An error quotes as much as fits into a packet that every host takes (RFC 1812 4.3.2.3). */
#define ERROR_MAX 576u

static void put_checksum(struct packet *packet)
{
    uint8_t *field = packet_bytes(packet) + ICMPV4_CHECKSUM_AT;
    memset(field, 0, 2);
    const uint16_t checksum = checksum_finish(packet_checksum(0, packet));
    memcpy(field, &checksum, 2);
}

/* --- errors that we send --- */

static bool is_error(uint8_t type)
{
    return type == ICMPV4_UNREACHABLE || type == ICMPV4_SOURCE_QUENCH || type == ICMPV4_REDIRECT ||
           type == ICMPV4_TIME_EXCEEDED || type == ICMPV4_PARAMETER_PROBLEM;
}

/* may_complain: RFC 1122 3.2.2: never about an ICMP error, to many, about a later fragment, or to
 * an address that is not one host's. */
static bool may_complain(const struct ip_received *ip, const struct packet *packet)
{
    const uint8_t *header = packet->data + packet->start - ip->header_length;
    struct cursor cursor = cursor_over(header, ip->header_length);
    struct ipv4_header quoted;
    if (ip->multicast || ip->broadcast || packet->flags & PACKET_BROADCAST ||
        ip_is_any(&ip->source))
        return false;
    if (!ipv4_parse(&cursor, &quoted) || quoted.offset)
        return false;
    return ip->protocol != PROTOCOL_ICMP ||
           (packet_length(packet) && !is_error(packet->data[packet->start]));
}

/* quote: an error message about a packet: its header, and the beginning of what is behind it. */
static struct packet *quote(struct packet_pool *pool, const struct ip_received *ip,
                            const struct packet *packet)
{
    const uint16_t room =
        (uint16_t)(ERROR_MAX - IPV4_HEADER_MIN - ICMPV4_HEADER - ip->header_length);
    const uint32_t total = packet_total(packet);
    const uint16_t length = (uint16_t)(total < room ? total : room);
    struct packet *message = packet_alloc(pool, PACKET_HEADROOM);
    if (!message)
        return NULL;
    packet_append(message, ICMPV4_HEADER);
    memcpy(packet_append(message, ip->header_length),
           packet->data + packet->start - ip->header_length, ip->header_length);
    packet_read(packet, 0, packet_append(message, length), length);
    return message;
}

void icmpv4_send_error(struct stack *stack, const struct ip_received *ip, struct packet *packet,
                       uint8_t type, uint8_t code, uint32_t rest)
{
    if (!may_complain(ip, packet) || !icmp_may_send(stack))
        return;
    struct packet *message = quote(stack->pool, ip, packet);
    if (!message)
        return;
    const struct icmpv4 header = {.type = type, .code = code, .rest = rest};
    icmpv4_emit(packet_bytes(message), &header);
    put_checksum(message);
    const struct ip_send send = {.source = ip->destination,
                                 .destination = ip->source,
                                 .interface = ip->netif->index,
                                 .protocol = PROTOCOL_ICMP};
    stack->counters.icmp_out++;
    ip_output(stack, &send, message);
}

/* --- errors that we hear --- */

/* What the codes of "unreachable" mean to a program, as on Linux, and whether they are final. */
static const struct {
    int error;
    bool hard;
} unreachable[ICMPV4_UNREACHABLE_CODES] = {
    {ENETUNREACH, false},  {EHOSTUNREACH, false}, {ENOPROTOOPT, true},  {ECONNREFUSED, true},
    {EMSGSIZE, false},     {EOPNOTSUPP, false},   {ENETUNREACH, true},  {EHOSTUNREACH, true},
    {ENETUNREACH, true},   {ENETUNREACH, true},   {EHOSTUNREACH, true}, {ENETUNREACH, false},
    {EHOSTUNREACH, false}, {EHOSTUNREACH, true},  {EHOSTUNREACH, true}, {EHOSTUNREACH, true},
};

/* classify: false if the message is no error that concerns a flow. */
static bool classify(const struct icmpv4 *message, struct ip_error *error)
{
    error->type = message->type;
    error->code = message->code;
    switch (message->type) {
    case ICMPV4_UNREACHABLE:
        if (message->code >= ICMPV4_UNREACHABLE_CODES)
            return false;
        error->kind = message->code == ICMPV4_FRAGMENTATION_NEEDED ? IP_TOO_BIG : IP_UNREACHABLE;
        error->error = -unreachable[message->code].error;
        error->hard = unreachable[message->code].hard;
        return true;
    case ICMPV4_TIME_EXCEEDED:
        error->kind = IP_TIME_EXCEEDED;
        error->error = -EHOSTUNREACH;
        return true;
    case ICMPV4_PARAMETER_PROBLEM:
        error->kind = IP_PARAMETER_PROBLEM;
        error->error = -EPROTO;
        return true;
    }
    return false;
}

/* next_hop_mtu: what the router says, or, if it is too old to say anything, the next lower of the
 * usual sizes (RFC 1191 5, 7). 0: nothing to believe: below the minimum, or no reason to complain.
 */
static uint16_t next_hop_mtu(uint32_t rest, uint16_t quoted_length)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002,
                                        1492,  1006,  508,  296,  IPV4_MTU_MIN};
    uint16_t mtu = (uint16_t)rest;
    for (size_t i = 0; mtu == 0 && i < sizeof plateaus / sizeof plateaus[0]; i++) {
        if (plateaus[i] < quoted_length)
            mtu = plateaus[i];
    }
    return mtu >= IPV4_MTU_MIN && mtu < quoted_length ? mtu : 0;
}

/* report: gives an error to the flow of the quoted packet, which must be one that we sent. */
static bool report(struct stack *stack, const struct ip_address *reporter,
                   const struct icmpv4 *message, struct cursor quoted)
{
    struct ipv4_header header;
    struct ip_error error = {.reporter = *reporter};
    if (!classify(message, &error) || !ipv4_parse(&quoted, &header) || header.offset ||
        cursor_left(&quoted) < 8 || !ip_is_local(stack, &header.source))
        return false;
    if (error.kind == IP_TOO_BIG) {
        error.mtu = next_hop_mtu(message->rest, header.total_length);
        if (!error.mtu)
            return false;
    }
    error.source = header.source;
    error.destination = header.destination;
    error.protocol = header.protocol;
    error.transport_length = cursor_left(&quoted);
    error.transport = cursor_take(&quoted, error.transport_length);
    if (!transport_error(stack, &error))
        return false;
    if (error.kind == IP_TOO_BIG)
        path_mtu_lower(stack, &error.destination, error.mtu);
    return true;
}

void icmpv4_local_error(struct netif *netif, struct packet *packet, uint8_t type, uint8_t code)
{
    const struct icmpv4 message = {.type = type, .code = code};
    const struct ip_address nobody = ip_any(IP_V4);
    report(netif->stack, &nobody, &message,
           cursor_over(packet_bytes(packet), packet_length(packet)));
}

/* --- messages --- */

/* exercise 7.6 */
/* answer_echo: the request itself goes back (RFC 1122 3.2.2.6). One that was sent to many is not
 * answered: whoever forges its source would have us all shout at him. */
static void answer_echo(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    if (ip->multicast || ip->broadcast) {
        packet_release(stack->pool, packet);
        return;
    }
    *packet_bytes(packet) = ICMPV4_ECHO_REPLY;
    put_checksum(packet);
    packet->flags = 0;
    const struct ip_send send = {.source = ip->destination,
                                 .destination = ip->source,
                                 .interface = ip->netif->index,
                                 .protocol = PROTOCOL_ICMP,
                                 .traffic_class = ip->traffic_class};
    stack->counters.icmp_out++;
    ip_output(stack, &send, packet);
}
/* end 7.6 */

void icmpv4_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    struct icmpv4 message;
    stack->counters.icmp_in++;
    if (!icmpv4_parse(&cursor, &message) || packet_checksum(0, packet) != 0xffff) {
        stack->counters.icmp_in_errors++;
    } else if (message.type == ICMPV4_ECHO_REQUEST) {
        answer_echo(stack, ip, packet);
        return;
    } else if (is_error(message.type) && !report(stack, &ip->source, &message, cursor)) {
        stack->counters.icmp_in_errors++;
    }
    packet_release(stack->pool, packet);
}
