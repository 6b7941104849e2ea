/* Requests that came before the network was configured. Right after boot DHCP takes half a second:
 * who connects, sends a datagram, pings or asks for a name in that time waits for it, for as long
 * as configure_pending says, rather than being told that the network is unreachable. */
#pragma once

#include "cairn/server.h"
#include <stdbool.h>

/* early_keep: takes over a request that has met -ENETUNREACH; false: it is no such request, or too
 * many wait. */
bool early_keep(const struct request *request);

/* early_work: serves what waits, once the configuration is there or will not come soon. */
void early_work(int64_t (*serve)(struct request *request));
