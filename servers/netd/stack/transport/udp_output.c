/* Sending UDP: the program's bytes are copied once, into pieces that are just as long as the
 * fragments will be, and summed while they are at hand. */
#include "../checksum.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/udp.h"
#include "udp.h"
#include <errno.h>
#include <string.h>

#define IPV6_FRAGMENT_HEADER 8u

/* What is known of a datagram before its bytes are fetched. */
struct plan {
    struct endpoint peer;
    struct ip_address source;
    bool offload;   /* the device fills in the checksum */
    bool fits;      /* one packet is enough */
    uint16_t piece; /* UDP bytes in each piece but the last */
};

/* piece_size: what goes into one packet behind the IP headers. A fragment's is a multiple of 8. */
static uint16_t piece_size(const struct ip_route *route, uint8_t family, uint32_t total, bool *fits)
{
    const uint16_t header = family == IP_V4 ? IPV4_HEADER_MIN : IPV6_HEADER;
    const uint16_t capacity = PACKET_SIZE - PACKET_HEADROOM;
    uint16_t room = (uint16_t)(route->mtu - header);
    *fits = total <= room;
    if (!*fits && family == IP_V6)
        room = (uint16_t)(room - IPV6_FRAGMENT_HEADER);
    if (room > capacity)
        room = capacity;
    return room & 0xfff8;
}

static int choose_peer(struct socket *socket, const struct socket_message *message,
                       struct endpoint *peer)
{
    *peer = message->peer.address.family != IP_NONE ? message->peer : socket->peer;
    if (peer->address.family == IP_NONE)
        return -EDESTADDRREQ;
    if (!peer->port)
        return -EINVAL;
    if (!socket->broadcast && (ip_is_broadcast(&peer->address) ||
                               ip_is_directed_broadcast(socket->stack, &peer->address)))
        return -EACCES;
    return 0;
}

/* make_plan: the source is the address that the socket is bound to, or what the route says. */
static int make_plan(struct socket *socket, const struct socket_message *message, size_t length,
                     struct plan *plan)
{
    struct ip_route route;
    const struct ip_address *local = &socket->local.address;
    int error = choose_peer(socket, message, &plan->peer);
    if (error)
        return error;
    const uint8_t family = plan->peer.address.family;
    const size_t most = UINT16_MAX - UDP_HEADER - (family == IP_V4 ? IPV4_HEADER_MIN : 0);
    if (length > most)
        return -EMSGSIZE;
    if (local->family != family || !ip_is_local(socket->stack, local))
        local = NULL;
    error = ip_route_find(socket->stack, &plan->peer.address, local,
                          datagram_interface(datagram_of(socket), &plan->peer), &route);
    if (error)
        return error;
    plan->source = route.source;
    if (socket->unspecified_source && !local)
        plan->source = ip_any(family);
    plan->piece = piece_size(&route, family, (uint32_t)(UDP_HEADER + length), &plan->fits);
    plan->offload =
        plan->fits && route.netif->offloads & NETIF_CHECKSUM && UDP_HEADER + length <= plan->piece;
    return 0;
}

/* fetch: the UDP header, still empty, and the program's bytes. *sum: of them, without the header.
 */
static int fetch(struct packet_pool *pool, const struct plan *plan, struct transfer *from,
                 size_t length, struct packet **datagram, uint16_t *sum)
{
    struct packet **link = datagram;
    size_t offset = 0;
    uint16_t header = UDP_HEADER;
    *datagram = NULL;
    *sum = 0;
    do {
        struct packet *piece = *link = packet_alloc(pool, PACKET_HEADROOM);
        if (!piece)
            return -ENOBUFS;
        link = &piece->fragment;
        packet_append(piece, header);
        const size_t room = plan->piece - header;
        const uint16_t part = (uint16_t)(length - offset < room ? length - offset : room);
        uint8_t *to = packet_append(piece, part);
        const int error = part ? from->copy(from, offset, to, part) : 0;
        if (error)
            return error;
        if (!plan->offload)
            *sum = checksum_add(*sum, to, part);
        offset += part;
        header = 0;
    } while (offset < length);
    return 0;
}

static void put_header(const struct socket *socket, const struct plan *plan, size_t length,
                       uint16_t sum, struct packet *datagram)
{
    const struct udp_header header = {.source = socket->local.port,
                                      .destination = plan->peer.port,
                                      .length = (uint16_t)(UDP_HEADER + length)};
    uint8_t *at = packet_bytes(datagram);
    udp_emit(at, &header);
    uint16_t field =
        checksum_pseudo(&plan->source, &plan->peer.address, PROTOCOL_UDP, header.length);
    if (plan->offload) {
        datagram->flags |= PACKET_CHECKSUM;
        datagram->checksum_start = datagram->start;
        datagram->checksum_offset = UDP_CHECKSUM_AT;
    } else {
        field = checksum_finish(checksum_add(checksum_join(field, sum), at, UDP_HEADER));
        if (field == 0) /* which would mean none */
            field = 0xffff;
    }
    memcpy(at + UDP_CHECKSUM_AT, &field, sizeof field);
}

int64_t udp_send(struct socket *socket, struct transfer *from, size_t length,
                 struct socket_message *message)
{
    struct stack *stack = socket->stack;
    struct plan plan;
    struct packet *datagram;
    uint16_t sum;
    if (datagram_of(socket)->write_shut)
        return -EPIPE;
    int error = make_plan(socket, message, length, &plan);
    if (!error && !socket->local.port)
        error = udp_bind(socket, &(struct endpoint){.address = ip_any(socket->family)});
    if (error)
        return error;
    error = fetch(stack->pool, &plan, from, length, &datagram, &sum);
    if (error) {
        packet_release(stack->pool, datagram);
        return error;
    }
    put_header(socket, &plan, length, sum, datagram);
    struct ip_send send = {.source = plan.source,
                           .protocol = PROTOCOL_UDP,
                           .unspecified_source =
                               socket->unspecified_source && ip_is_any(&plan.source)};
    datagram_fill(datagram_of(socket), &plan.peer, message, &send);
    send.dont_fragment |= plan.fits && datagram_of(socket)->mtu_discover;
    error = datagram_output(datagram_of(socket), &send, datagram);
    if (error)
        return error;
    stack->counters.udp_out++;
    return (int64_t)length;
}
