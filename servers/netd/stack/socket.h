/* Sockets: what programs see of the stack. One structure per kind stands behind the same
 * operations, which never wait: what cannot be done now is EAGAIN (or EINPROGRESS for a connect),
 * and the owner is told when it may be worth another try.
 *
 * Errors are Linux's: a program ported from there finds the numbers that it knows. */
#pragma once

#include "address.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack;
struct socket;

enum socket_type { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_RAW = 3 };

/* What a socket is ready for: the bits of poll(2), with Linux's values. */
enum socket_events {
    SOCKET_READABLE = 0x1,
    SOCKET_WRITABLE = 0x4,
    SOCKET_ERROR = 0x8,
    SOCKET_HANGUP = 0x10,        /* both directions are closed */
    SOCKET_READ_HANGUP = 0x2000, /* the peer has closed its direction */
};

/* Options: level and name as in setsockopt(2) on Linux, riscv64. Values are int unless said. */
enum { LEVEL_SOCKET = 1, LEVEL_IP = 0, LEVEL_TCP = 6, LEVEL_IPV6 = 41, LEVEL_ICMPV6 = 58 };
enum {
    OPTION_REUSEADDR = 2,
    OPTION_TYPE = 3,
    OPTION_ERROR = 4,
    OPTION_BROADCAST = 6,
    OPTION_SNDBUF = 7,
    OPTION_RCVBUF = 8,
    OPTION_KEEPALIVE = 9,
    OPTION_LINGER = 13, /* struct { int on, seconds; } */
    OPTION_REUSEPORT = 15,
    OPTION_RCVLOWAT = 18,
    OPTION_BINDTODEVICE = 25, /* name */
    OPTION_ACCEPTCONN = 30,
    OPTION_PROTOCOL = 38,
    OPTION_DOMAIN = 39,
};
enum {
    OPTION_IP_TOS = 1,
    OPTION_IP_TTL = 2,
    OPTION_IP_HDRINCL = 3,
    OPTION_IP_PKTINFO = 8,
    OPTION_IP_MTU_DISCOVER = 10,
    OPTION_IP_RECVERR = 11,
    OPTION_IP_RECVTTL = 12,
    OPTION_IP_RECVTOS = 13,
    OPTION_IP_MTU = 14,
    OPTION_IP_MULTICAST_IF = 32,
    OPTION_IP_MULTICAST_TTL = 33,
    OPTION_IP_MULTICAST_LOOP = 34,
    OPTION_IP_ADD_MEMBERSHIP = 35,
    OPTION_IP_DROP_MEMBERSHIP = 36, /* struct ip_mreq(n) */
};
enum {
    OPTION_IPV6_UNICAST_HOPS = 16,
    OPTION_IPV6_MULTICAST_IF = 17,
    OPTION_IPV6_MULTICAST_HOPS = 18,
    OPTION_IPV6_MULTICAST_LOOP = 19,
    OPTION_IPV6_ADD_MEMBERSHIP = 20,
    OPTION_IPV6_DROP_MEMBERSHIP = 21,
    OPTION_IPV6_V6ONLY = 26,
    OPTION_IPV6_RECVPKTINFO = 49,
    OPTION_IPV6_RECVHOPLIMIT = 51,
    OPTION_IPV6_RECVTCLASS = 66,
    OPTION_IPV6_TCLASS = 67,
    OPTION_IPV6_CHECKSUM = 7,
    OPTION_ICMPV6_FILTER = 1,
};
enum {
    OPTION_TCP_NODELAY = 1,
    OPTION_TCP_MAXSEG = 2,
    OPTION_TCP_CORK = 3,
    OPTION_TCP_KEEPIDLE = 4,
    OPTION_TCP_KEEPINTVL = 5,
    OPTION_TCP_KEEPCNT = 6,
    OPTION_TCP_INFO = 11,       /* struct tcp_info */
    OPTION_TCP_CONGESTION = 13, /* name: "cubic", "reno" */
    OPTION_TCP_USER_TIMEOUT = 18,
};

/* Flags of send and receive: Linux's MSG_*. */
enum {
    SOCKET_OOB = 0x1,
    SOCKET_PEEK = 0x2,
    SOCKET_DONTROUTE = 0x4,
    SOCKET_TRUNCATE = 0x20,
    SOCKET_DONTWAIT = 0x40,
    SOCKET_WAITALL = 0x100,
    SOCKET_NOSIGNAL = 0x4000,
    SOCKET_MORE = 0x8000,
};

/* Where bytes come from or go to: memory, or the window of a client. copy moves length bytes
 * between data and offset of the other side; 0 or -errno (EFAULT). */
struct transfer {
    int (*copy)(struct transfer *transfer, size_t offset, void *data, size_t length);
};

/* What send and receive say beyond the data. */
struct socket_message {
    struct endpoint peer;    /* send: to whom (family 0: the connected peer); receive: from whom */
    unsigned flags;          /* in: SOCKET_*; out: SOCKET_TRUNCATE */
    struct ip_address local; /* receive: the destination address of the datagram */
    uint16_t interface;
    uint8_t hop_limit, traffic_class;
};

/* One kind of socket. Arguments have been checked for what is common (state, lengths, families:
 * an IPv6 socket sees IPv4 peers as mapped addresses already taken apart here). */
struct socket_operations {
    int (*bind)(struct socket *socket, const struct endpoint *local);
    int (*connect)(struct socket *socket, const struct endpoint *peer);
    int (*listen)(struct socket *socket, int backlog);
    int (*accept)(struct socket *socket, struct socket **connection);
    /* Bytes moved, or -errno. */
    int64_t (*send)(struct socket *socket, struct transfer *from, size_t length,
                    struct socket_message *message);
    int64_t (*receive)(struct socket *socket, struct transfer *to, size_t length,
                       struct socket_message *message);
    int (*shutdown)(struct socket *socket, bool read, bool write);
    int (*get_option)(struct socket *socket, int level, int name, void *value, size_t *size);
    int (*set_option)(struct socket *socket, int level, int name, const void *value, size_t size);
    unsigned (*ready)(struct socket *socket);  /* SOCKET_* events */
    size_t (*readable)(struct socket *socket); /* bytes that receive would find: FIONREAD */
    size_t (*unsent)(struct socket *socket);   /* bytes that the peer has not acknowledged */
    /* close: the owner lets go; what remains to be sent is, unless SO_LINGER says otherwise. The
     * structure is freed by its kind when it is done. */
    void (*close)(struct socket *socket);
};

struct socket {
    const struct socket_operations *operations;
    struct stack *stack;
    uint8_t family, type; /* enum ip_family, enum socket_type */
    uint8_t protocol;
    bool v6_only, reuse_address, reuse_port, broadcast;
    bool wants_local, wants_hop_limit, wants_class; /* the owner is to tell, with each datagram */
    bool unspecified_source;     /* for an owner in the core (DHCP): while it is bound to no
                                    address, datagrams leave from 0.0.0.0 */
    struct endpoint local, peer; /* IPv4 addresses as such, also on an IPv6 socket */
    int error;                   /* -errno, pending: reported once */
    uint32_t receive_buffer, send_buffer; /* bytes */
    uint16_t bound_interface;             /* 0 = any */
    uint8_t hop_limit, traffic_class;     /* 0 = the default */
    /* The owner's. notify: something in `events` may have become true; may be called from within
     * any call on the stack, and must not call back into it (it marks, and looks later). */
    void *owner;
    void (*notify)(struct socket *socket, unsigned events);
};

/* socket_create: EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENFILE (the stack's limit). */
int socket_create(struct stack *stack, enum ip_family family, enum socket_type type,
                  unsigned protocol, struct socket **socket);

/* The operations with their common checks. Addresses are as the program gave them: mapped ones
 * are taken apart here, and put together again in what is returned. */
int socket_bind(struct socket *socket, const struct endpoint *local);
int socket_connect(struct socket *socket, const struct endpoint *peer);
int socket_listen(struct socket *socket, int backlog);
int socket_accept(struct socket *socket, struct socket **connection);
int64_t socket_send(struct socket *socket, struct transfer *from, size_t length,
                    struct socket_message *message);
int64_t socket_receive(struct socket *socket, struct transfer *to, size_t length,
                       struct socket_message *message);
int socket_shutdown(struct socket *socket, bool read, bool write);
int socket_get_option(struct socket *socket, int level, int name, void *value, size_t *size);
int socket_set_option(struct socket *socket, int level, int name, const void *value, size_t size);
unsigned socket_ready(struct socket *socket);
void socket_local(const struct socket *socket, struct endpoint *local);
int socket_peer(const struct socket *socket, struct endpoint *peer); /* ENOTCONN */
void socket_close(struct socket *socket);

/* For lists of sockets: calls visit for each; text states as netstat has them. */
struct socket_facts {
    uint8_t family, type, protocol;
    struct endpoint local, peer;
    const char *state;                  /* "ESTABLISHED", ...; "" for datagrams */
    uint32_t receive_queue, send_queue; /* bytes */
    void *owner;
};
void socket_list(struct stack *stack,
                 void (*visit)(void *context, const struct socket_facts *facts), void *context);

/* socket_ephemeral_port: a port of 32768..60999 that is not taken, in an order that cannot be
 * guessed (RFC 6056 3.3.1); 0 if all are. */
uint16_t socket_ephemeral_port(struct stack *stack, bool (*taken)(void *context, uint16_t port),
                               void *context);

static inline void socket_notify(struct socket *socket, unsigned events)
{
    if (socket->notify)
        socket->notify(socket, events);
}
