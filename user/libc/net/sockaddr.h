/* Socket addresses as programs have them, and as messages carry them. */
#pragma once

#include "proto/net.h"
#include <sys/socket.h>

/* sockaddr_take: 0, -EINVAL (too short), -EAFNOSUPPORT. AF_UNSPEC is an address of family 0. */
int sockaddr_take(const struct sockaddr *address, socklen_t size, struct net_address *native);

/* sockaddr_give: fills in as much as *size has room for, and sets it to what the whole takes. */
void sockaddr_give(const struct net_address *native, struct sockaddr *address, socklen_t *size);

/* sockaddr_make: the whole; its size. */
socklen_t sockaddr_make(const struct net_address *native, struct sockaddr_storage *address);
