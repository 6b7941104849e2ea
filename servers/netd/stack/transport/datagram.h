/* What UDP and raw sockets have in common: a bounded queue of packets received, with what their IP
 * headers said, and the options about multicast. */
#pragma once

#include "../ip.h"
#include "../packet.h"
#include "../socket.h"

#define DATAGRAM_GROUPS 8u           /* memberships of one socket */
#define DATAGRAM_BUFFER (208u << 10) /* default of both buffers, bytes in packets */

struct datagram_pool;

struct membership {
    struct ip_address group; /* family 0: free */
    uint16_t interface;
};

struct datagram_socket {
    struct socket socket; /* first: a pointer to it is one to the whole */
    struct datagram_socket *next;
    struct datagram_pool *pool;
    struct packet_queue queue;
    uint32_t queued;     /* bytes of the packets in the queue, as the buffer's size counts them */
    bool chosen_address; /* connect chose the local one */
    bool waits_for_room; /* a send found the device full */
    bool read_shut, write_shut;
    bool receive_errors;  /* also passing errors are reported: IP_RECVERR */
    uint8_t mtu_discover; /* IP_PMTUDISC_* of Linux: 0 never, 1 if it fits, 2 and 3 always */
    bool multicast_loop;
    uint8_t multicast_hops;
    uint16_t multicast_interface; /* 0 = by route */
    struct membership groups[DATAGRAM_GROUPS];
};

static inline struct datagram_socket *datagram_of(struct socket *socket)
{
    return (struct datagram_socket *)socket;
}

/* Where a layer's sockets come from: count of them, of size bytes each. */
struct datagram_pool {
    struct datagram_socket *free; /* used before; behind them come those never touched */
    uint8_t *memory;
    size_t size;
    uint32_t untouched, count; /* index of the first, and of all */
};
int datagram_pool_create(struct stack *stack, struct datagram_pool *pool, uint32_t count,
                         size_t size); /* ENOMEM */

/* datagram_create: a zeroed socket with the defaults; NULL. datagram_free: empties the queue,
 * leaves all groups, and gives the socket back. */
struct datagram_socket *datagram_create(struct stack *stack, struct datagram_pool *pool,
                                        const struct socket_operations *operations);
void datagram_free(struct datagram_socket *datagram);

/* datagram_deliver: puts a packet into the queue, [start, end) being what the program will get; the
 * IP header lies header_offset bytes into packet->data. Taken over; false: no room, dropped. */
bool datagram_deliver(struct datagram_socket *datagram, const struct ip_received *ip,
                      uint16_t header_offset, uint16_t port, struct packet *packet);

/* datagram_hears: what was sent to this group is for a socket that has joined it there. */
bool datagram_hears(const struct datagram_socket *datagram, const struct ip_received *ip);

/* datagram_interface: that a packet to this destination is to leave by; 0 = by route. */
uint16_t datagram_interface(const struct datagram_socket *datagram,
                            const struct endpoint *destination);

/* datagram_fill: what the options say about a packet to peer. datagram_output: sends it. EAGAIN:
 * the device is full, and the socket will be told when it is not. */
void datagram_fill(const struct datagram_socket *datagram, const struct endpoint *peer,
                   const struct socket_message *message, struct ip_send *send);
int datagram_output(struct datagram_socket *datagram, const struct ip_send *send,
                    struct packet *packet);

/* datagram_error: an ICMP error about what this socket has sent (RFC 1122 4.1.3.3). */
void datagram_error(struct datagram_socket *datagram, const struct ip_error *error);

/* datagram_visit: for socket_list. */
void datagram_visit(struct datagram_socket *datagram,
                    void (*visit)(void *context, const struct socket_facts *facts), void *context);

/* datagram_writable: for the list of a layer's sockets. */
void datagram_writable(struct datagram_socket *first);

/* Operations of both kinds. */
int64_t datagram_receive(struct socket *socket, struct transfer *to, size_t length,
                         struct socket_message *message);
int datagram_shutdown(struct socket *socket, bool read, bool write);
unsigned datagram_ready(struct socket *socket);
size_t datagram_readable(struct socket *socket);
int datagram_get_option(struct socket *socket, int level, int name, void *value, size_t *size);
int datagram_set_option(struct socket *socket, int level, int name, const void *value, size_t size);

/* multicast.c: the part of the options that is about groups. ENOPROTOOPT: not one of them. */
int multicast_get_option(struct datagram_socket *datagram, int level, int name, int *value);
int multicast_set_option(struct datagram_socket *datagram, int level, int name, const void *value,
                         size_t size);
void multicast_leave_all(struct datagram_socket *datagram);
