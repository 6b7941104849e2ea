/* The network protocol of netd on net:.
 *
 * The handle that net: leads to makes sockets and answers questions (20 and above); it also
 * answers the file protocol on netd's text files (net:status, net:sockets, ...) and on
 * net:capture:NAME, which reads as a pcap file. A socket is a badged handle of its own, closed by
 * closing its last copy. On a socket the numbers below mean these operations, and beside them
 * FS_POLL and FS_SET_FLAGS of proto/fs.h what they mean on any handle: programs wait for files and
 * sockets alike. A descriptor that is a socket is passed on with FS_O_SOCKET, so that its heir
 * knows which protocol to speak.
 *
 * Families, types, options, flags, events and errors have Linux's numbers. Every reply starts with
 * int64_t result (>= 0, or -errno). An operation that would have to wait does, unless the socket is
 * non-blocking or NET_DONTWAIT is set, and at most until its deadline (ns since boot, 0 = none) and
 * the socket's own (SO_RCVTIMEO, SO_SNDTIMEO). When that comes, the result is the same as if it had
 * not waited: EAGAIN, EINPROGRESS for a connection that goes on being made.
 *
 * The sockets of a netd that was restarted answer ECONNRESET.
 *
 * A caller that dies frees its sockets as close does: data is still sent, unread data resets.
 * ENOBUFS: the caller, or all together, have too many requests waiting. */
#pragma once

#include <stdint.h>

enum net_operation {
    /* On net: itself, told from FS_OPEN by its length. */
    NET_SOCKET_CREATE = 1, /* struct net_create_request; handle 0 = the socket. EMFILE: the caller
                              has too many; ENFILE: all together have */
    /* On a socket. */
    NET_SOCKET_CONNECT = 2,     /* struct net_address_request */
    NET_SOCKET_BIND = 3,        /* struct net_address_request */
    NET_SOCKET_LISTEN = 4,      /* word 0 = backlog */
    NET_SOCKET_ACCEPT = 5,      /* struct net_accept_request; struct net_address_reply, handle 0 */
    NET_SOCKET_SEND = 6,        /* struct net_send_request; result: bytes */
    NET_SOCKET_RECV = 7,        /* struct net_recv_request; struct net_recv_reply */
    NET_SOCKET_CLOSE = 8,       /* early close; the handle stays valid but dead (EBADF) */
    NET_SOCKET_SHUTDOWN = 9,    /* word 0 = SHUT_RD, SHUT_WR, SHUT_RDWR */
    NET_SOCKET_STATUS = 10,     /* struct net_status_reply */
    NET_SOCKET_GET_OPTION = 11, /* struct net_option_request; struct net_option_reply */
    NET_SOCKET_SET_OPTION = 12, /* struct net_option_request */
    NET_SOCKET_LOCAL = 13,      /* struct net_address_reply */
    NET_SOCKET_PEER = 14,       /* struct net_address_reply */
    /* On net: itself. */
    NET_DNS_RESOLVE = 20, /* struct net_resolve_request; struct net_resolve_reply. ENOENT: there is
                             no such name; ENODATA: it has no such address; ETIMEDOUT: no server
                             answered; ENETUNREACH: none is known; EPROTO: they answer nonsense */
    NET_DNS_NAME = 21,    /* struct net_address_request; struct net_name_reply. As above */
    NET_DNS_CANONICAL = 22, /* struct net_resolve_request with a family; struct net_name_reply: what
                               the name is an alias for, or itself. As above */
    NET_PING = 40,        /* struct net_ping_request; struct net_ping_reply. ETIMEDOUT, or what a
                             router or the stack said */
    NET_STATS = 41,       /* struct net_stats_reply */
    NET_INFO = 42,        /* word 0 = interface, from 1; struct net_info_reply. ENOENT behind the
                             last */
    /* On a socket: word 0 = events (NET_POLL_*), word 1 = bits, handle 0 = a channel (PULSE right)
     * that is pulsed with the bits each time one of the events becomes true, and now if one is;
     * no handle: no more. On net:, with NET_EVENT_*: what happens to interfaces; handle 0 of the
     * reply ends it when it is closed. */
    NET_SUBSCRIBE_EVENTS = 43,
    NET_CHANGE = 44, /* on net: struct net_change_request. ENODEV: no such interface; ESRCH: what is
                        to be removed is not there; EEXIST, ENOSPC, EINVAL, ENETUNREACH */
};

enum net_family { NET_INET = 2, NET_INET6 = 10 };
enum net_type { NET_STREAM = 1, NET_DATAGRAM = 2, NET_RAW = 3, NET_NONBLOCK = 04000 };
enum net_flags { /* of send and receive, as MSG_* */
                 NET_PEEK = 0x2,
                 NET_TRUNCATE = 0x20, /* given: result is the datagram's whole length, and a
                                         stream's bytes are thrown away; returned: it was cut */
                 NET_DONTWAIT = 0x40,
                 NET_WAITALL = 0x100, /* to receive: into a window */
                 NET_MORE = 0x8000,
                 /* returned: the socket's options ask for it (IP_PKTINFO, IP_RECVTTL, ...) */
                 NET_WANTS_LOCAL = 0x10000,
                 NET_WANTS_HOP_LIMIT = 0x20000,
                 NET_WANTS_CLASS = 0x40000,
};
enum net_poll { /* FS_POLL_* and what only sockets know */
                NET_POLL_IN = 0x1,
                NET_POLL_OUT = 0x4,
                NET_POLL_ERR = 0x8,
                NET_POLL_HUP = 0x10,
                NET_POLL_READ_HUP = 0x2000, /* the peer has ended its direction */
};
enum net_event { NET_EVENT_LINK = 1, NET_EVENT_ADDRESS = 2 };

/* One end of a flow. Bytes in network order (IPv4: the first four, the rest 0), the port in host
 * order. interface: the one that a link-local or multicast address is meant on, 0 = any. */
struct net_address {
    uint16_t family; /* enum net_family, 0 = no address */
    uint16_t port;
    uint32_t interface;
    uint8_t bytes[16];
};

struct net_create_request {
    uint16_t family;
    uint16_t type;     /* enum net_type, | NET_NONBLOCK */
    uint32_t protocol; /* 0 = the usual one of the type */
};

struct net_address_request {
    struct net_address address;
    uint64_t deadline;
};
struct net_address_reply {
    int64_t result;
    struct net_address address;
};

struct net_accept_request {
    uint64_t deadline;
    uint32_t flags; /* NET_DONTWAIT; NET_NONBLOCK is the new socket's */
    uint32_t pad;
};

#define NET_SEND_INLINE 200
#define NET_RECV_INLINE 184

/* Up to NET_SEND_INLINE bytes travel inline (no window), more in lent window 0 (readable). */
struct net_send_request {
    uint64_t deadline;
    uint64_t length;
    uint32_t flags;
    uint8_t hop_limit, traffic_class; /* of this datagram; 0 = the socket's */
    uint16_t pad;
    struct net_address to; /* family 0: the connected peer */
    uint8_t data[NET_SEND_INLINE];
};

/* Into lent window 0 (writable); without one, and up to NET_RECV_INLINE bytes, inline. */
struct net_recv_request {
    uint64_t deadline;
    uint64_t length;
    uint32_t flags;
    uint32_t pad;
};
struct net_recv_reply {
    int64_t result; /* bytes; 0 = the stream's end, or an empty datagram */
    uint32_t flags; /* NET_TRUNCATE, NET_WANTS_* */
    uint8_t hop_limit, traffic_class;
    uint16_t pad;
    struct net_address from;  /* datagrams; of a stream family 0 */
    struct net_address local; /* datagrams: the destination, and where it came in */
    uint8_t data[NET_RECV_INLINE];
};

struct net_status_reply {
    int64_t result;    /* NET_POLL_*: what is true now */
    uint64_t readable; /* bytes that a receive would find */
    uint64_t unsent;   /* bytes that the peer has not acknowledged */
};

#define NET_OPTION_MAX 200
struct net_option_request {
    int32_t level, name;
    uint32_t size; /* bytes of value; to get: at most so many */
    uint32_t pad;
    uint8_t value[NET_OPTION_MAX];
};
struct net_option_reply {
    int64_t result;
    uint32_t size;
    uint32_t pad;
    uint8_t value[NET_OPTION_MAX];
};

#define NET_NAME_MAX      232 /* bytes, with the final 0 */
#define NET_ADDRESSES_MAX 10
struct net_resolve_request {
    uint64_t deadline;
    uint32_t family; /* 0 = either */
    uint32_t pad;
    char name[NET_NAME_MAX];
};
struct net_resolve_reply {
    int64_t result; /* addresses, in the order in which they are to be tried (RFC 6724) */
    struct net_address addresses[NET_ADDRESSES_MAX];
};
struct net_name_reply {
    int64_t result; /* bytes of the name, without the final 0 */
    char name[NET_NAME_MAX];
};

#define NET_PING_MAX 65000 /* bytes of payload */
struct net_ping_request {
    struct net_address to;
    uint64_t deadline; /* 0: one second from now */
    uint32_t size;     /* bytes of payload */
    uint16_t sequence;
    uint8_t hop_limit; /* 0 = the default */
    uint8_t pad;
};
struct net_ping_reply {
    int64_t result;          /* bytes of payload that came back; EIO if they were not ours */
    uint64_t round_trip;     /* ns */
    struct net_address from; /* who answered, or reported the error */
    uint8_t hop_limit;       /* of the answer */
    uint8_t pad[7];
};

struct net_stats_reply {
    int64_t result;
    uint64_t tx_packets, rx_packets, tx_bytes, rx_bytes; /* of all interfaces but the loopback */
    uint64_t tx_dropped, rx_dropped;
    uint64_t tcp_connections, udp_sockets, raw_sockets;
    uint64_t waiting;                               /* requests */
    uint64_t packets, packets_in_use, packets_peak; /* of the pool */
};

enum net_change {
    NET_ADDRESS_ADD = 1,
    NET_ADDRESS_REMOVE = 2,
    NET_ROUTE_ADD = 3, /* to address/prefix (0/0 = everywhere), by the gateway or the interface */
    NET_ROUTE_REMOVE = 4,
    NET_LINK_UP = 5, /* the interface is used, or not, whatever the device says */
    NET_LINK_DOWN = 6,
    NET_DHCP_RENEW = 7, /* asks for an address from the beginning */
    NET_NEIGHBOURS_FLUSH = 8,
};
struct net_change_request {
    uint32_t what;      /* enum net_change */
    uint32_t interface; /* from 1; 0 only for a route by its gateway */
    struct net_address address;
    struct net_address gateway; /* family 0: none */
    uint8_t prefix;             /* bits */
    uint8_t pad[7];
};

enum net_info_flags {
    NET_INFO_UP = 1,
    NET_INFO_LINK = 2,
    NET_INFO_LOOPBACK = 4,
    NET_INFO_DHCP = 8
};
#define NET_INFO_ADDRESSES 4
struct net_info_address {
    struct net_address address;
    uint8_t prefix; /* bits */
    uint8_t state;  /* 1 tentative, 2 preferred, 3 deprecated */
    uint8_t pad[6];
};
struct net_info_reply {
    int64_t result; /* addresses that the interface has, of which the first come along */
    char name[16];
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t flags; /* enum net_info_flags */
    uint32_t pad;
    struct net_info_address addresses[NET_INFO_ADDRESSES];
    struct net_address gateway; /* IPv4; family 0: none */
    struct net_address dns;     /* the first server */
};
