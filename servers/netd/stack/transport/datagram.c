/* Datagram sockets: the queue between the stack and a program. Invariants: `queued` is the sum of
 * charge() over the queue; stack->socket_packets counts the pieces in the queues of all sockets. */
#include "datagram.h"
#include "../netif.h"
#include "../stack.h"
#include <errno.h>
#include <string.h>

enum { DISCOVER_NEVER = 0, DISCOVER_WANT = 1, DISCOVER_DO = 2, DISCOVER_PROBE = 3 };

int datagram_pool_create(struct stack *stack, struct datagram_pool *pool, uint32_t count,
                         size_t size)
{
    uint8_t *memory = stack->config.allocate(count * size);
    if (!memory)
        return -ENOMEM;
    *pool = (struct datagram_pool){.memory = memory, .size = size, .count = count};
    return 0;
}

static struct datagram_socket *take_socket(struct datagram_pool *pool)
{
    struct datagram_socket *datagram = pool->free;
    if (datagram) {
        pool->free = datagram->next;
        memset(datagram, 0, pool->size);
    } else if (pool->untouched < pool->count) {
        datagram = (struct datagram_socket *)(pool->memory + pool->untouched++ * pool->size);
    }
    return datagram;
}

struct datagram_socket *datagram_create(struct stack *stack, struct datagram_pool *pool,
                                        const struct socket_operations *operations)
{
    struct datagram_socket *datagram = take_socket(pool);
    if (!datagram)
        return NULL;
    datagram->pool = pool;
    datagram->socket.stack = stack;
    datagram->socket.operations = operations;
    datagram->socket.receive_buffer = datagram->socket.send_buffer = DATAGRAM_BUFFER;
    datagram->mtu_discover = DISCOVER_WANT;
    datagram->multicast_loop = true;
    datagram->multicast_hops = 1; /* RFC 1112 6.1 */
    return datagram;
}

/* --- the queue --- */

static uint32_t pieces_of(const struct packet *packet)
{
    uint32_t pieces = 0;
    for (; packet; packet = packet->fragment)
        pieces++;
    return pieces;
}

/* A packet costs what it occupies, not what it says: a flood of empty datagrams is one, too. */
static uint32_t charge(const struct packet *packet) { return pieces_of(packet) * PACKET_SIZE; }

static struct packet *take(struct datagram_socket *datagram)
{
    struct packet *packet = packet_queue_take(&datagram->queue);
    if (packet) {
        datagram->queued -= charge(packet);
        datagram->socket.stack->socket_packets -= pieces_of(packet);
    }
    return packet;
}

void datagram_free(struct datagram_socket *datagram)
{
    struct stack *stack = datagram->socket.stack;
    while (datagram->queue.count)
        packet_release(stack->pool, take(datagram));
    multicast_leave_all(datagram);
    stack->socket_count--;
    datagram->next = datagram->pool->free;
    datagram->pool->free = datagram;
}

/* What receive tells beyond the data stays with the packet: where its IP header lies, which is
 * still in front of the data, and what is not in it. */
static void note(struct packet *packet, const struct ip_received *ip, uint16_t header_offset,
                 uint16_t port)
{
    packet->word[0] = (uint32_t)header_offset << 16 | ip->source.family;
    packet->word[1] = (uint32_t)port << 16 | ip->netif->index;
    packet->word[2] = (uint32_t)ip->hop_limit << 8 | ip->traffic_class;
}

static void tell(const struct packet *packet, struct socket_message *message)
{
    const uint8_t *header = packet->data + (packet->word[0] >> 16);
    const bool v4 = (packet->word[0] & 0xff) == IP_V4;
    message->peer.address = v4 ? ip_v4_bytes(header + 12) : ip_v6_bytes(header + 8);
    message->local = v4 ? ip_v4_bytes(header + 16) : ip_v6_bytes(header + 24);
    message->interface = (uint16_t)packet->word[1];
    message->peer.port = (uint16_t)(packet->word[1] >> 16);
    message->peer.interface =
        ip_is_link_local(&message->peer.address) && !v4 ? message->interface : 0;
    message->hop_limit = (uint8_t)(packet->word[2] >> 8);
    message->traffic_class = (uint8_t)packet->word[2];
}

bool datagram_deliver(struct datagram_socket *datagram, const struct ip_received *ip,
                      uint16_t header_offset, uint16_t port, struct packet *packet)
{
    struct stack *stack = datagram->socket.stack;
    const uint32_t pieces = pieces_of(packet), cost = charge(packet);
    if (datagram->read_shut || datagram->queued + cost > datagram->socket.receive_buffer ||
        stack->socket_packets + pieces > stack->config.socket_packets) {
        packet_release(stack->pool, packet);
        return false;
    }
    note(packet, ip, header_offset, port);
    packet_queue_put(&datagram->queue, packet);
    datagram->queued += cost;
    stack->socket_packets += pieces;
    socket_notify(&datagram->socket, SOCKET_READABLE);
    return true;
}

/* copy_out: the first length bytes of a packet. */
static int copy_out(struct transfer *to, const struct packet *packet, size_t length)
{
    size_t offset = 0;
    for (; packet && offset < length; packet = packet->fragment) {
        const size_t here = packet_length(packet);
        const size_t part = here < length - offset ? here : length - offset;
        const int error = part ? to->copy(to, offset, packet->data + packet->start, part) : 0;
        if (error)
            return error;
        offset += part;
    }
    return 0;
}

int64_t datagram_receive(struct socket *socket, struct transfer *to, size_t length,
                         struct socket_message *message)
{
    struct datagram_socket *datagram = datagram_of(socket);
    const struct packet *packet = datagram->queue.first;
    const unsigned flags = message->flags;
    if (!packet)
        return datagram->read_shut ? 0 : -EAGAIN;
    const size_t total = packet_total(packet), moved = total < length ? total : length;
    const int error = copy_out(to, packet, moved);
    tell(packet, message);
    message->flags = moved < total ? SOCKET_TRUNCATE : 0;
    if (!(flags & SOCKET_PEEK))
        packet_release(socket->stack->pool, take(datagram));
    if (error)
        return error;
    return (int64_t)(flags & SOCKET_TRUNCATE ? total : moved);
}

size_t datagram_readable(struct socket *socket)
{
    const struct packet *first = datagram_of(socket)->queue.first;
    return first ? packet_total(first) : 0;
}

unsigned datagram_ready(struct socket *socket)
{
    const struct datagram_socket *datagram = datagram_of(socket);
    unsigned events = 0;
    if (datagram->queue.count || socket->error)
        events |= SOCKET_READABLE;
    if (datagram->read_shut)
        events |= SOCKET_READABLE | SOCKET_READ_HANGUP;
    if (datagram->read_shut && datagram->write_shut)
        events |= SOCKET_HANGUP;
    if (!datagram->waits_for_room)
        events |= SOCKET_WRITABLE;
    return events;
}

int datagram_shutdown(struct socket *socket, bool read, bool write)
{
    struct datagram_socket *datagram = datagram_of(socket);
    datagram->read_shut |= read;
    datagram->write_shut |= write;
    socket_notify(socket, datagram_ready(socket));
    /* As on Linux, where programs wake their readers in this way. */
    return socket->peer.address.family == IP_NONE ? -ENOTCONN : 0;
}

/* --- sending --- */

uint16_t datagram_interface(const struct datagram_socket *datagram,
                            const struct endpoint *destination)
{
    const struct socket *socket = &datagram->socket;
    if (socket->bound_interface)
        return socket->bound_interface;
    if (destination->interface)
        return destination->interface;
    return ip_is_multicast(&destination->address) ? datagram->multicast_interface : 0;
}

void datagram_fill(const struct datagram_socket *datagram, const struct endpoint *peer,
                   const struct socket_message *message, struct ip_send *send)
{
    const struct socket *socket = &datagram->socket;
    const bool multicast = ip_is_multicast(&peer->address);
    send->destination = peer->address;
    send->interface = datagram_interface(datagram, peer);
    send->hop_limit = multicast ? datagram->multicast_hops : socket->hop_limit;
    if (message->hop_limit)
        send->hop_limit = message->hop_limit;
    send->traffic_class = message->traffic_class ? message->traffic_class : socket->traffic_class;
    send->multicast_loop = multicast ? datagram->multicast_loop : true;
    send->dont_fragment = datagram->mtu_discover >= DISCOVER_DO;
}

int datagram_output(struct datagram_socket *datagram, const struct ip_send *send,
                    struct packet *packet)
{
    const int error = ip_output(datagram->socket.stack, send, packet);
    if (error != -ENOBUFS)
        return error;
    datagram->waits_for_room = true;
    return -EAGAIN;
}

void datagram_writable(struct datagram_socket *first)
{
    for (struct datagram_socket *datagram = first; datagram; datagram = datagram->next) {
        if (datagram->waits_for_room) {
            datagram->waits_for_room = false;
            socket_notify(&datagram->socket, SOCKET_WRITABLE);
        }
    }
}

void datagram_visit(struct datagram_socket *datagram,
                    void (*visit)(void *context, const struct socket_facts *facts), void *context)
{
    const struct socket *socket = &datagram->socket;
    const struct socket_facts facts = {.family = socket->family,
                                       .type = socket->type,
                                       .protocol = socket->protocol,
                                       .local = socket->local,
                                       .peer = socket->peer,
                                       .state = "",
                                       .receive_queue = datagram->queue.bytes,
                                       .owner = socket->owner};
    visit(context, &facts);
}

void datagram_error(struct datagram_socket *datagram, const struct ip_error *error)
{
    struct socket *socket = &datagram->socket;
    const bool wanted =
        error->kind == IP_TOO_BIG ? datagram->mtu_discover >= DISCOVER_DO : error->hard;
    /* As on Linux: who is not connected could not tell which of his datagrams is meant. */
    if (!datagram->receive_errors && !(wanted && socket->peer.address.family != IP_NONE))
        return;
    socket->error = error->error;
    socket_notify(socket, SOCKET_ERROR | SOCKET_READABLE);
}

/* --- options --- */

static int path_mtu_option(const struct socket *socket, int *value)
{
    struct ip_route route;
    if (socket->peer.address.family == IP_NONE)
        return -ENOTCONN;
    const int error =
        ip_route_find(socket->stack, &socket->peer.address, NULL, socket->peer.interface, &route);
    *value = route.mtu;
    return error;
}

int datagram_get_option(struct socket *socket, int level, int name, void *value, size_t *size)
{
    struct datagram_socket *datagram = datagram_of(socket);
    int number = 0, error = 0;
    if (level == LEVEL_SOCKET && name == OPTION_ACCEPTCONN)
        number = 0;
    else if (level == LEVEL_IP && name == OPTION_IP_MTU_DISCOVER)
        number = datagram->mtu_discover;
    else if (level == LEVEL_IP && name == OPTION_IP_RECVERR)
        number = datagram->receive_errors;
    else if (level == LEVEL_IP && name == OPTION_IP_MTU)
        error = path_mtu_option(socket, &number);
    else
        error = multicast_get_option(datagram, level, name, &number);
    if (error)
        return error;
    if (*size > sizeof number)
        *size = sizeof number;
    memcpy(value, &number, *size);
    return 0;
}

int datagram_set_option(struct socket *socket, int level, int name, const void *value, size_t size)
{
    struct datagram_socket *datagram = datagram_of(socket);
    int number = 0;
    if (size >= sizeof number)
        memcpy(&number, value, sizeof number);
    if (level != LEVEL_IP || (name != OPTION_IP_MTU_DISCOVER && name != OPTION_IP_RECVERR))
        return multicast_set_option(datagram, level, name, value, size);
    if (size < sizeof number)
        return -EINVAL;
    if (name == OPTION_IP_RECVERR) {
        datagram->receive_errors = number != 0;
        return 0;
    }
    if (number < DISCOVER_NEVER || number > DISCOVER_PROBE)
        return -EINVAL;
    datagram->mtu_discover = (uint8_t)number;
    return 0;
}
