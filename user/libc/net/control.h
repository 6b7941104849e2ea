/* The control data of sendmsg and recvmsg: what the IP header of a datagram says, or is to say. */
#pragma once

#include "netclient/netclient.h"
#include <sys/socket.h>

/* control_take: fills in what control data asks for; 0 or -EINVAL. control_give: writes what the
 * socket's options ask for, as much as there is room for, and MSG_CTRUNC. */
int control_take(const struct msghdr *message, struct net_to *to);
void control_give(struct msghdr *message, const struct net_recv_reply *info);
