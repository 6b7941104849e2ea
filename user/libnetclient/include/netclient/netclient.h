/* The network protocol (proto/net.h) as functions: one call to netd each, results >= 0 or -errno.
 * Sockets are handles, closed with handle_close. Deadlines are ns since boot, 0 = none. */
#pragma once

#include "cairn/ipc.h"
#include "proto/net.h"

/* net_socket: a new socket. type: enum net_type, | NET_NONBLOCK. */
handle_t net_socket(unsigned family, unsigned type, unsigned protocol);

int net_connect(handle_t socket, const struct net_address *peer, uint64_t deadline);
int net_bind(handle_t socket, const struct net_address *local);
int net_listen(handle_t socket, int backlog);

/* net_accept: a new socket; flags: NET_DONTWAIT, NET_NONBLOCK. peer may be NULL. */
handle_t net_accept(handle_t socket, unsigned flags, uint64_t deadline, struct net_address *peer);

/* Where a datagram goes (family 0: to the connected peer) and how (0: as the socket has it). */
struct net_to {
    struct net_address address;
    uint8_t hop_limit, traffic_class;
};

/* Bytes moved. to NULL: the connected peer. info (its part in front of data) says more about what
 * was received, or NULL. */
int64_t net_send(handle_t socket, const void *data, size_t length, unsigned flags,
                 const struct net_to *to, uint64_t deadline);
int64_t net_receive(handle_t socket, void *buffer, size_t length, unsigned flags, uint64_t deadline,
                    struct net_recv_reply *info);

int net_close(handle_t socket);
int net_shutdown(handle_t socket, unsigned how);
int64_t net_status(handle_t socket, struct net_status_reply *reply); /* NET_POLL_* */
int net_local(handle_t socket, struct net_address *address);
int net_peer(handle_t socket, struct net_address *address);

/* Options: at most NET_OPTION_MAX bytes. *size: room, then the value's size. */
int net_get_option(handle_t socket, int level, int name, void *value, size_t *size);
int net_set_option(handle_t socket, int level, int name, const void *value, size_t size);

/* net_subscribe: channel 0 ends it. */
int net_subscribe(handle_t socket, uint32_t events, uint64_t bits, handle_t channel);

/* net_resolve: how many addresses, at most NET_ADDRESSES_MAX. net_canonical: what a name is an alias
 * for. net_name: the name of an address. Both: the length of the name. */
int net_resolve(const char *name, unsigned family, uint64_t deadline,
                struct net_address addresses[NET_ADDRESSES_MAX]);
int net_canonical(const char *name, unsigned family, uint64_t deadline,
                  char canonical[NET_NAME_MAX]);
int net_name(const struct net_address *address, uint64_t deadline, char name[NET_NAME_MAX]);

int64_t net_ping(const struct net_ping_request *request, struct net_ping_reply *reply);
int net_change(const struct net_change_request *request);
int net_stats(struct net_stats_reply *reply);
int64_t net_info(unsigned interface, struct net_info_reply *reply);
