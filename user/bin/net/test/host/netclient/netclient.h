/* What net needs of libnetclient, for its test on the host. */
#pragma once

#include "proto/net.h"

int net_change(const struct net_change_request *request);
int64_t net_info(unsigned interface, struct net_info_reply *reply);
