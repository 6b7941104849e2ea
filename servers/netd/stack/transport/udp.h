/* UDP's sockets, for its own files (RFC 768, RFC 1122 4.1). */
#pragma once

#include "../transport.h"
#include "datagram.h"

#define UDP_BUCKETS 256u

struct udp_layer {
    /* Every socket is in the chain of its local port, through datagram_socket.next; one that is not
     * bound in that of port 0. */
    struct datagram_socket *buckets[UDP_BUCKETS];
    struct datagram_pool pool;
};

/* udp_bind: to this address and port, or to any free port if that is 0. EADDRINUSE. */
int udp_bind(struct socket *socket, const struct endpoint *local);

/* udp_send: the operation of the socket. */
int64_t udp_send(struct socket *socket, struct transfer *from, size_t length,
                 struct socket_message *message);
