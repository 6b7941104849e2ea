/* Raw sockets. Over IPv4 a program receives packets with their IP headers, and may send such
 * (IP_HDRINCL); over IPv6 without (RFC 3542 3). */
#include "raw.h"
#include "../checksum.h"
#include "../netif.h"
#include "../stack.h"
#include "../transport.h"
#include "../wire/ipv4.h"
#include "datagram.h"
#include <errno.h>
#include <string.h>

#define PROTOCOL_RAW       255 /* for sending only, with headers (raw(7)) */
#define ICMPV6_CHECKSUM_AT 2
#define FILTER_SIZE        32u /* struct icmp6_filter: a bit for each type that is blocked */

struct raw_socket {
    struct datagram_socket datagram; /* first */
    bool header_included;
    int checksum_at; /* IPV6_CHECKSUM: where the stack puts one, and checks it; -1 = nowhere */
    uint32_t blocked_types[FILTER_SIZE / 4]; /* ICMP6_FILTER */
};

#define RAW_SOCKETS 64u

struct raw_layer {
    struct datagram_pool pool;
    struct datagram_socket *sockets;
};

static struct raw_socket *raw_of(struct datagram_socket *datagram)
{
    return (struct raw_socket *)datagram;
}

/* --- input --- */

static bool blocked(const struct raw_socket *raw, const struct packet *packet)
{
    const uint8_t type = packet_length(packet) ? packet->data[packet->start] : 0;
    return raw->datagram.socket.protocol == PROTOCOL_ICMPV6 &&
           raw->blocked_types[type / 32] >> type % 32 & 1;
}

static bool wants(struct datagram_socket *datagram, const struct ip_received *ip,
                  const struct packet *packet)
{
    const struct socket *socket = &datagram->socket;
    return socket->protocol == ip->protocol && socket->family == ip->source.family &&
           (!socket->bound_interface || socket->bound_interface == ip->netif->index) &&
           (ip_is_any(&socket->local.address) ||
            ip_equal(&socket->local.address, &ip->destination)) &&
           (socket->peer.address.family == IP_NONE ||
            ip_equal(&socket->peer.address, &ip->source)) &&
           !blocked(raw_of(datagram), packet);
}

/* whole_header: makes the header in front of a copy that of the whole datagram: fragments are not
 * the program's to know. */
static void whole_header(struct packet *copy, const struct ip_received *ip)
{
    uint8_t *at = copy->data + copy->start - ip->header_length;
    struct cursor cursor = cursor_over(at, ip->header_length);
    struct ipv4_header header;
    if (!ipv4_parse(&cursor, &header) || (!header.more && !header.offset))
        return;
    put_u16(at + 2, (uint16_t)(packet_total(copy) + ip->header_length));
    put_u16(at + 6, 0);
}

static void give_copy(struct stack *stack, struct datagram_socket *datagram,
                      const struct ip_received *ip, struct packet *packet)
{
    packet_push(packet, ip->header_length);
    struct packet *copy = packet_copy(stack->pool, packet, 0);
    packet_pull(packet, ip->header_length);
    if (!copy) {
        stack->counters.raw_queue_full++;
        return;
    }
    packet_pull(copy, ip->header_length);
    if (ip->source.family == IP_V4) {
        whole_header(copy, ip);
        packet_push(copy, ip->header_length);
    }
    if (datagram_deliver(datagram, ip, 0, 0, copy))
        stack->counters.raw_in++;
    else
        stack->counters.raw_queue_full++;
}

bool raw_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    bool wanted = false;
    struct datagram_socket *next;
    for (struct datagram_socket *at = stack->raw->sockets; at; at = next) {
        next = at->next;
        if (wants(at, ip, packet)) {
            give_copy(stack, at, ip, packet);
            wanted = true;
        }
    }
    return wanted;
}

static bool raw_error(struct stack *stack, const struct ip_error *error)
{
    bool meant = false;
    for (struct datagram_socket *at = stack->raw->sockets; at; at = at->next) {
        const struct socket *socket = &at->socket;
        if (socket->protocol != error->protocol || socket->family != error->source.family ||
            (socket->peer.address.family != IP_NONE &&
             !ip_equal(&socket->peer.address, &error->destination)))
            continue;
        datagram_error(at, error);
        meant = true;
    }
    return meant;
}

/* --- output --- */

/* take_header: IP_HDRINCL: the program's header says what is to be sent. Length, checksum, and what
 * is 0 of identification and source are filled in (raw(7)), by making the header anew; options
 * are not sent. */
static int take_header(struct packet *packet, struct ip_send *send)
{
    struct ipv4_header header;
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    put_u16(packet_bytes(packet) + 2, (uint16_t)packet_total(packet)); /* not the program's */
    if (!ipv4_parse(&cursor, &header) || header.offset || header.more)
        return -EINVAL;
    send->source = header.source;
    send->protocol = header.protocol;
    send->hop_limit = header.hop_limit;
    send->traffic_class = header.traffic_class;
    send->dont_fragment = header.dont_fragment;
    packet_pull(packet, header.header_length);
    return 0;
}

/* put_checksum: of an IPv6 packet, where the program wants it (RFC 3542 3.1). */
static int put_checksum(const struct raw_socket *raw, const struct ip_send *send,
                        struct packet *packet)
{
    const int at = raw->checksum_at;
    uint16_t field = 0;
    if (at < 0 || send->destination.family != IP_V6)
        return 0;
    if (at + 2 > packet_length(packet))
        return -EINVAL;
    memcpy(packet_bytes(packet) + at, &field, sizeof field);
    const uint16_t pseudo =
        checksum_pseudo(&send->source, &send->destination, send->protocol, packet_total(packet));
    field = checksum_finish(packet_checksum(pseudo, packet));
    memcpy(packet_bytes(packet) + at, &field, sizeof field);
    return 0;
}

/* fetch: the program's bytes in as many pieces as they need. */
static int fetch(struct packet_pool *pool, struct transfer *from, size_t length,
                 struct packet **packet)
{
    struct packet **link = packet;
    size_t offset = 0;
    *packet = NULL;
    do {
        const size_t capacity = PACKET_SIZE - PACKET_HEADROOM;
        const uint16_t part = (uint16_t)(length - offset < capacity ? length - offset : capacity);
        struct packet *piece = *link = packet_alloc(pool, PACKET_HEADROOM);
        if (!piece)
            return -ENOBUFS;
        link = &piece->fragment;
        uint8_t *to = packet_append(piece, part);
        const int error = part ? from->copy(from, offset, to, part) : 0;
        if (error)
            return error;
        offset += part;
    } while (offset < length);
    return 0;
}

static int choose_source(struct socket *socket, const struct endpoint *peer, struct ip_send *send)
{
    struct ip_route route;
    const struct ip_address *local = &socket->local.address;
    if (!ip_is_local(socket->stack, local))
        local = NULL;
    const int error = ip_route_find(socket->stack, &peer->address, local,
                                    datagram_interface(datagram_of(socket), peer), &route);
    send->source = route.source;
    return error;
}

static int prepare(struct socket *socket, const struct endpoint *peer, struct ip_send *send,
                   struct packet *packet)
{
    const struct raw_socket *raw = raw_of(datagram_of(socket));
    send->protocol = socket->protocol;
    if (raw->header_included)
        return take_header(packet, send);
    const int error = choose_source(socket, peer, send);
    return error ? error : put_checksum(raw, send, packet);
}

static int64_t raw_send(struct socket *socket, struct transfer *from, size_t length,
                        struct socket_message *message)
{
    struct datagram_socket *datagram = datagram_of(socket);
    struct packet_pool *pool = socket->stack->pool;
    const struct endpoint peer =
        message->peer.address.family != IP_NONE ? message->peer : socket->peer;
    struct ip_send send = {0};
    struct packet *packet;
    if (datagram->write_shut)
        return -EPIPE;
    if (peer.address.family == IP_NONE)
        return -EDESTADDRREQ;
    if (peer.address.family != socket->family)
        return -EAFNOSUPPORT;
    if (length > UINT16_MAX)
        return -EMSGSIZE;
    if (!socket->broadcast &&
        (ip_is_broadcast(&peer.address) || ip_is_directed_broadcast(socket->stack, &peer.address)))
        return -EACCES;
    datagram_fill(datagram, &peer, message, &send);
    int error = fetch(pool, from, length, &packet);
    if (!error)
        error = prepare(socket, &peer, &send, packet);
    if (error) {
        packet_release(pool, packet);
        return error;
    }
    error = datagram_output(datagram, &send, packet);
    return error ? error : (int64_t)length;
}

/* --- operations --- */

static int raw_bind(struct socket *socket, const struct endpoint *local)
{
    socket->local = *local;
    socket->local.port = 0;
    return 0;
}

static int raw_connect(struct socket *socket, const struct endpoint *peer)
{
    socket->peer = *peer;
    socket->peer.port = 0;
    return 0;
}

static int raw_get_option(struct socket *socket, int level, int name, void *value, size_t *size)
{
    const struct raw_socket *raw = raw_of(datagram_of(socket));
    int number;
    if (level == LEVEL_IP && name == OPTION_IP_HDRINCL)
        number = raw->header_included;
    else if (level == LEVEL_IPV6 && name == OPTION_IPV6_CHECKSUM)
        number = raw->checksum_at;
    else
        return datagram_get_option(socket, level, name, value, size);
    if (*size > sizeof number)
        *size = sizeof number;
    memcpy(value, &number, *size);
    return 0;
}

static int raw_set_option(struct socket *socket, int level, int name, const void *value,
                          size_t size)
{
    struct raw_socket *raw = raw_of(datagram_of(socket));
    int number = 0;
    if (size >= sizeof number)
        memcpy(&number, value, sizeof number);
    if (level == LEVEL_ICMPV6 && name == OPTION_ICMPV6_FILTER) {
        if (socket->protocol != PROTOCOL_ICMPV6)
            return -ENOPROTOOPT;
        memcpy(raw->blocked_types, value, size < FILTER_SIZE ? size : FILTER_SIZE);
        return 0;
    }
    if (level == LEVEL_IP && name == OPTION_IP_HDRINCL && socket->family == IP_V4) {
        raw->header_included = number != 0;
        return size < sizeof number ? -EINVAL : 0;
    }
    if (level == LEVEL_IPV6 && name == OPTION_IPV6_CHECKSUM) {
        /* ICMPv6's is not the program's to choose (RFC 3542 3.1). */
        if (size < sizeof number || number < -1 || number % 2 == 1 ||
            socket->protocol == PROTOCOL_ICMPV6)
            return -EINVAL;
        raw->checksum_at = number;
        return 0;
    }
    return datagram_set_option(socket, level, name, value, size);
}

static void raw_close(struct socket *socket)
{
    struct datagram_socket **link = &socket->stack->raw->sockets;
    while (*link != datagram_of(socket))
        link = &(*link)->next;
    *link = datagram_of(socket)->next;
    datagram_free(datagram_of(socket));
}

static const struct socket_operations operations = {
    .bind = raw_bind,
    .connect = raw_connect,
    .send = raw_send,
    .receive = datagram_receive,
    .shutdown = datagram_shutdown,
    .get_option = raw_get_option,
    .set_option = raw_set_option,
    .ready = datagram_ready,
    .readable = datagram_readable,
    .close = raw_close,
};

static int raw_socket_create(struct stack *stack, unsigned protocol, struct socket **socket)
{
    struct datagram_socket *datagram = datagram_create(stack, &stack->raw->pool, &operations);
    if (!datagram)
        return -ENFILE;
    raw_of(datagram)->header_included = protocol == PROTOCOL_RAW;
    raw_of(datagram)->checksum_at = protocol == PROTOCOL_ICMPV6 ? ICMPV6_CHECKSUM_AT : -1;
    datagram->next = stack->raw->sockets;
    stack->raw->sockets = datagram;
    *socket = &datagram->socket;
    return 0;
}

static void raw_visit(struct stack *stack,
                      void (*visit)(void *context, const struct socket_facts *facts), void *context)
{
    for (struct datagram_socket *at = stack->raw->sockets; at; at = at->next)
        datagram_visit(at, visit, context);
}

static void raw_writable(struct stack *stack) { datagram_writable(stack->raw->sockets); }

static int raw_create(struct stack *stack)
{
    struct raw_layer *layer = stack->config.allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    if (datagram_pool_create(stack, &layer->pool, RAW_SOCKETS, sizeof(struct raw_socket))) {
        stack->config.release(layer);
        return -ENOMEM;
    }
    stack->raw = layer;
    return 0;
}

static void raw_destroy(struct stack *stack)
{
    while (stack->raw->sockets)
        raw_close(&stack->raw->sockets->socket);
    stack->config.release(stack->raw->pool.memory);
    stack->config.release(stack->raw);
}

const struct transport raw_transport = {
    .type = SOCKET_RAW,
    .create = raw_create,
    .destroy = raw_destroy,
    .error = raw_error,
    .writable = raw_writable,
    .socket_create = raw_socket_create,
    .visit = raw_visit,
};
