/* Fragments: headers off and on (RFC 8200 4.5). What waits for the rest is kept by reassembly.h. */
#include "fragment.h"
#include "../ip/reassembly.h"
#include "../link/neighbour.h"
#include "../stack.h"
#include "../wire/ipv6.h"
#include "extension.h"
#include "icmpv6.h"
#include <errno.h>
#include <string.h>

#define HEADROOM (LINK_HEADROOM + IPV6_HEADER + IPV6_FRAGMENT_HEADER)

/* --- input --- */

/* RFC 7112: a first fragment holds all headers, so that no filter is led past them. */
static bool holds_all_headers(const struct ipv6_fragment *fragment, struct packet *packet)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    uint8_t next_header = fragment->next_header;
    cursor_take(&cursor, IPV6_FRAGMENT_HEADER);
    if (!ipv6_find_transport(&cursor, &next_header))
        return false;
    return next_header == NEXT_NONE || cursor_left(&cursor) >= 8;
}

static void set_payload_length(struct ipv6_walk *walk)
{
    uint8_t *header = packet_bytes(walk->packet) - walk->ip.header_length;
    put_u16(header + IPV6_PAYLOAD_LENGTH_AT,
            (uint16_t)(packet_total(walk->packet) + walk->ip.header_length - IPV6_HEADER));
}

/* Takes the fragment header out from between the other headers and the payload: the datagram
 * looks as if it had never been cut. */
static void take_out_header(struct ipv6_walk *walk, uint8_t next_header)
{
    uint8_t *headers = packet_bytes(walk->packet) - walk->ip.header_length;
    headers[walk->next_header_at] = next_header;
    memmove(headers + IPV6_FRAGMENT_HEADER, headers, walk->ip.header_length);
    packet_pull(walk->packet, IPV6_FRAGMENT_HEADER);
    walk->ip.protocol = next_header;
    set_payload_length(walk);
}

static void expired(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    icmpv6_error(stack, ip, packet, ICMPV6_TIME_EXCEEDED, EXCEEDED_REASSEMBLY, 0);
}

/* The datagram has the headers of its first fragment. */
static bool wait_for_rest(struct ipv6_walk *walk, const struct ipv6_fragment *fragment)
{
    const struct reassembly_fragment part = {.identification = fragment->identification,
                                             .offset = fragment->offset,
                                             .more = fragment->more,
                                             .expired = expired};
    walk->packet->word[2] = walk->next_header_at;
    walk->packet = reassemble(walk->ip.netif->stack, &part, &walk->ip, walk->packet);
    if (!walk->packet)
        return false;
    walk->next_header_at = (uint16_t)walk->packet->word[2];
    set_payload_length(walk);
    return true;
}

bool fragment_input(struct ipv6_walk *walk)
{
    struct cursor cursor = cursor_over(packet_bytes(walk->packet), packet_length(walk->packet));
    const uint32_t length = packet_total(walk->packet) - IPV6_FRAGMENT_HEADER;
    struct ipv6_fragment fragment;
    if (walk->fragmented || !ipv6_fragment_parse(&cursor, &fragment))
        return extension_drop(walk);
    walk->fragmented = true;
    if (fragment.more && length % 8)
        return extension_problem(walk, PROBLEM_FIELD, IPV6_PAYLOAD_LENGTH_AT);
    if (walk->ip.header_length - IPV6_HEADER + fragment.offset + length > UINT16_MAX)
        return extension_problem(walk, PROBLEM_FIELD, walk->ip.header_length + 2u);
    if (fragment.offset == 0 && !holds_all_headers(&fragment, walk->packet))
        return extension_problem(walk, PROBLEM_INCOMPLETE_CHAIN, 0);
    take_out_header(walk, fragment.next_header);
    if (fragment.offset == 0 && !fragment.more) /* whole by itself (RFC 6946) */
        return true;
    return wait_for_rest(walk, &fragment);
}

/* --- output --- */

static int send_one(const struct ip_route *route, struct ipv6_header header,
                    const struct ipv6_fragment *fragment, struct packet *packet)
{
    struct stack *stack = route->netif->stack;
    header.next_header = NEXT_FRAGMENT;
    header.payload_length = (uint16_t)(packet_total(packet) + IPV6_FRAGMENT_HEADER);
    ipv6_fragment_emit(packet_push(packet, IPV6_FRAGMENT_HEADER), fragment);
    ipv6_emit(packet_push(packet, IPV6_HEADER), &header);
    stack->counters.ip_out++;
    stack->counters.ip_fragments_made++;
    return neighbour_output(route->netif, &route->next_hop, packet);
}

int fragment_output(const struct ip_route *route, const struct ipv6_header *header,
                    struct packet *packet)
{
    struct stack *stack = route->netif->stack;
    const uint32_t room = (route->mtu - IPV6_HEADER - IPV6_FRAGMENT_HEADER) & ~7u;
    struct ipv6_fragment fragment = {.next_header = header->next_header};
    uint32_t left = packet_total(packet);
    int error = 0;
    /* Not to be guessed, so that nobody can add fragments to ours (RFC 7739). */
    stack->config.random(&fragment.identification, sizeof fragment.identification);
    while (left > 0 && !error) {
        const uint16_t length = (uint16_t)(left < room ? left : room);
        struct packet *piece = packet_cut(stack->pool, &packet, length, HEADROOM);
        left -= length;
        fragment.more = left > 0;
        error = piece ? send_one(route, *header, &fragment, piece) : -ENOBUFS;
        fragment.offset = (uint16_t)(fragment.offset + length);
    }
    if (error)
        stack->counters.ip_out_dropped++;
    packet_release(stack->pool, packet);
    return error;
}
