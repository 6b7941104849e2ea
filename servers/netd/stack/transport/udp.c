/* UDP: which socket a datagram is for, and the sockets' operations. Sending is in udp_output.c. */
#include "udp.h"
#include "../checksum.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/udp.h"
#include <errno.h>
#include <string.h>

/* --- ports --- */

static struct datagram_socket **bucket_of(struct stack *stack, uint16_t port)
{
    return &stack->udp->buckets[port % UDP_BUCKETS];
}

static void unlink_socket(struct datagram_socket *datagram)
{
    struct datagram_socket **link = bucket_of(datagram->socket.stack, datagram->socket.local.port);
    while (*link != datagram)
        link = &(*link)->next;
    *link = datagram->next;
}

static void link_socket(struct datagram_socket *datagram)
{
    struct datagram_socket **bucket =
        bucket_of(datagram->socket.stack, datagram->socket.local.port);
    datagram->next = *bucket;
    *bucket = datagram;
}

/* takes_family: an IPv6 socket bound to "any" hears IPv4 too, unless it does not want to (RFC 3493
 * 5.3). */
static bool takes_family(const struct socket *socket, uint8_t family)
{
    if (socket->local.address.family != IP_NONE && !ip_is_any(&socket->local.address))
        return socket->local.address.family == family;
    return family == socket->family || (socket->family == IP_V6 && !socket->v6_only);
}

static bool same_interface(const struct socket *a, const struct socket *b)
{
    return !a->bound_interface || !b->bound_interface || a->bound_interface == b->bound_interface;
}

/* conflicts: the two could not tell whose a datagram is, and have not both agreed to that. */
static bool conflicts(const struct socket *bound, const struct socket *socket,
                      const struct endpoint *local)
{
    if (bound == socket || bound->local.port != local->port || !same_interface(bound, socket) ||
        (bound->reuse_address && socket->reuse_address) ||
        (bound->reuse_port && socket->reuse_port))
        return false;
    if (!ip_is_any(&bound->local.address) && !ip_is_any(&local->address))
        return ip_equal(&bound->local.address, &local->address);
    if (!ip_is_any(&local->address))
        return takes_family(bound, local->address.family);
    return takes_family(socket, bound->family) || takes_family(bound, socket->family);
}

static bool port_conflicts(const struct socket *socket, const struct endpoint *local)
{
    const struct datagram_socket *other = *bucket_of(socket->stack, local->port);
    for (; other; other = other->next) {
        if (conflicts(&other->socket, socket, local))
            return true;
    }
    return false;
}

static bool port_taken(void *context, uint16_t port)
{
    struct stack *stack = context;
    const struct datagram_socket *other = *bucket_of(stack, port);
    while (other && other->socket.local.port != port)
        other = other->next;
    return other != NULL;
}

int udp_bind(struct socket *socket, const struct endpoint *local)
{
    struct endpoint chosen = *local;
    if (!chosen.port)
        chosen.port = socket_ephemeral_port(socket->stack, port_taken, socket->stack);
    if (!chosen.port || port_conflicts(socket, &chosen))
        return -EADDRINUSE;
    unlink_socket(datagram_of(socket));
    socket->local = chosen;
    link_socket(datagram_of(socket));
    return 0;
}

static int udp_connect(struct socket *socket, const struct endpoint *peer)
{
    struct datagram_socket *datagram = datagram_of(socket);
    struct ip_route route;
    const struct ip_address *source = &socket->local.address;
    if (datagram->chosen_address) { /* for the peer before */
        datagram->chosen_address = false;
        socket->local.address = ip_any(socket->family);
    }
    if (peer->address.family == IP_NONE) {
        socket->peer = *peer;
        return 0;
    }
    if (!peer->port)
        return -EINVAL;
    if (!socket->broadcast && (ip_is_broadcast(&peer->address) ||
                               ip_is_directed_broadcast(socket->stack, &peer->address)))
        return -EACCES;
    if (source->family != peer->address.family)
        source = NULL;
    int error = ip_route_find(socket->stack, &peer->address, source,
                              datagram_interface(datagram, peer), &route);
    if (error)
        return error;
    if (!socket->local.port)
        error = udp_bind(socket, &(struct endpoint){.address = ip_any(socket->family)});
    if (error)
        return error;
    datagram->chosen_address = ip_is_any(&socket->local.address);
    if (datagram->chosen_address)
        socket->local.address = route.source;
    socket->peer = *peer;
    socket->peer.interface = ip_is_link_local(&peer->address) ? route.netif->index : 0;
    return 0;
}

/* --- input --- */

/* The ends of a datagram, as a socket that it is for sees them. */
struct ends {
    const struct ip_address *local, *peer;
    uint16_t local_port, peer_port;
    uint16_t interface; /* 0 = not known */
};

/* exercise 7.7 */
/* How well a socket matches: 0 not at all; the more it asks for, the better. */
static unsigned match(const struct socket *socket, const struct ends *ends)
{
    unsigned score = 1;
    if (socket->local.port != ends->local_port || !takes_family(socket, ends->peer->family))
        return 0;
    if (socket->bound_interface) {
        if (ends->interface && socket->bound_interface != ends->interface)
            return 0;
        score += 1;
    }
    if (!ip_is_any(&socket->local.address)) {
        if (!ip_equal(&socket->local.address, ends->local))
            return 0;
        score += 2;
    }
    if (socket->peer.address.family != IP_NONE) {
        if (!ip_equal(&socket->peer.address, ends->peer) || socket->peer.port != ends->peer_port)
            return 0;
        score += 4;
    }
    return score;
}

static struct datagram_socket *find_best(struct stack *stack, const struct ends *ends)
{
    struct datagram_socket *best = NULL, *at = *bucket_of(stack, ends->local_port);
    unsigned best_score = 0;
    for (; at; at = at->next) {
        const unsigned score = match(&at->socket, ends);
        if (score > best_score) {
            best_score = score;
            best = at;
        }
    }
    return best;
}
/* end 7.7 */

static void deliver(struct stack *stack, struct datagram_socket *datagram,
                    const struct ip_received *ip, const struct udp_header *header,
                    struct packet *packet)
{
    const uint16_t ip_header = (uint16_t)(packet->start - ip->header_length);
    packet_pull(packet, UDP_HEADER);
    if (datagram_deliver(datagram, ip, ip_header, header->source, packet))
        stack->counters.udp_in++;
    else
        stack->counters.udp_queue_full++;
}

/* deliver_to_all: a broadcast or multicast is for everybody who wants it. */
static void deliver_to_all(struct stack *stack, const struct ip_received *ip,
                           const struct udp_header *header, const struct ends *ends,
                           struct packet *packet)
{
    struct datagram_socket *at = *bucket_of(stack, header->destination);
    for (; at; at = at->next) {
        if (!match(&at->socket, ends) || (ip->multicast && !datagram_hears(at, ip)))
            continue;
        packet_push(packet, ip->header_length);
        struct packet *copy = packet_copy(stack->pool, packet, 0);
        packet_pull(packet, ip->header_length);
        if (!copy) {
            stack->counters.udp_queue_full++;
            break;
        }
        packet_pull(copy, ip->header_length);
        deliver(stack, at, ip, header, copy);
    }
    packet_release(stack->pool, packet);
}

/* valid: the length agrees with IP's, and the checksum is right; 0 means none, which IPv6 does not
 * allow (RFC 768, RFC 8200 8.1). The packet is cut to the header's length. */
static bool valid(struct stack *stack, const struct ip_received *ip, struct packet *packet,
                  struct udp_header *header)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    if (!udp_parse(&cursor, header) || header->length < UDP_HEADER ||
        header->length > packet_total(packet))
        return false;
    packet_trim(stack->pool, packet, header->length);
    if (header->checksum == 0)
        return ip->source.family == IP_V4;
    if (packet->flags & PACKET_CHECKED)
        return true;
    const uint16_t pseudo =
        checksum_pseudo(&ip->source, &ip->destination, PROTOCOL_UDP, header->length);
    return packet_checksum(pseudo, packet) == 0xffff;
}

static void udp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    struct udp_header header;
    if (!valid(stack, ip, packet, &header)) {
        stack->counters.udp_in_errors++;
        packet_release(stack->pool, packet);
        return;
    }
    const struct ends ends = {.local = &ip->destination,
                              .peer = &ip->source,
                              .local_port = header.destination,
                              .peer_port = header.source,
                              .interface = ip->netif->index};
    if (ip->multicast || ip->broadcast) {
        deliver_to_all(stack, ip, &header, &ends, packet);
        return;
    }
    struct datagram_socket *datagram = find_best(stack, &ends);
    if (datagram) {
        deliver(stack, datagram, ip, &header, packet);
        return;
    }
    stack->counters.udp_no_port++;
    icmp_port_unreachable(stack, ip, packet);
    packet_release(stack->pool, packet);
}

/* --- errors --- */

static bool udp_error(struct stack *stack, const struct ip_error *error)
{
    struct cursor cursor = cursor_over(error->transport, error->transport_length);
    struct udp_header header;
    if (!udp_parse(&cursor, &header))
        return false;
    const struct ends ends = {.local = &error->source,
                              .peer = &error->destination,
                              .local_port = header.source,
                              .peer_port = header.destination};
    struct datagram_socket *datagram = find_best(stack, &ends);
    if (datagram)
        datagram_error(datagram, error);
    return datagram != NULL;
}

/* --- the sockets' life --- */

static void udp_close(struct socket *socket)
{
    unlink_socket(datagram_of(socket));
    datagram_free(datagram_of(socket));
}

static const struct socket_operations operations = {
    .bind = udp_bind,
    .connect = udp_connect,
    .send = udp_send,
    .receive = datagram_receive,
    .shutdown = datagram_shutdown,
    .get_option = datagram_get_option,
    .set_option = datagram_set_option,
    .ready = datagram_ready,
    .readable = datagram_readable,
    .close = udp_close,
};

static int udp_socket_create(struct stack *stack, unsigned protocol, struct socket **socket)
{
    struct datagram_socket *datagram = datagram_create(stack, &stack->udp->pool, &operations);
    (void)protocol;
    if (!datagram)
        return -ENFILE;
    link_socket(datagram);
    *socket = &datagram->socket;
    return 0;
}

static void udp_visit(struct stack *stack,
                      void (*visit)(void *context, const struct socket_facts *facts), void *context)
{
    for (size_t i = 0; i < UDP_BUCKETS; i++) {
        for (struct datagram_socket *at = stack->udp->buckets[i]; at; at = at->next)
            datagram_visit(at, visit, context);
    }
}

static void udp_writable(struct stack *stack)
{
    for (size_t i = 0; i < UDP_BUCKETS; i++)
        datagram_writable(stack->udp->buckets[i]);
}

static int udp_create(struct stack *stack)
{
    struct udp_layer *layer = stack->config.allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    if (datagram_pool_create(stack, &layer->pool, stack->config.datagram_sockets,
                             sizeof(struct datagram_socket))) {
        stack->config.release(layer);
        return -ENOMEM;
    }
    stack->udp = layer;
    return 0;
}

static void udp_destroy(struct stack *stack)
{
    for (size_t i = 0; i < UDP_BUCKETS; i++) {
        while (stack->udp->buckets[i])
            udp_close(&stack->udp->buckets[i]->socket);
    }
    stack->config.release(stack->udp->pool.memory);
    stack->config.release(stack->udp);
}

const struct transport udp_transport = {
    .type = SOCKET_DATAGRAM,
    .protocol = PROTOCOL_UDP,
    .create = udp_create,
    .destroy = udp_destroy,
    .input = udp_input,
    .error = udp_error,
    .writable = udp_writable,
    .socket_create = udp_socket_create,
    .visit = udp_visit,
};
