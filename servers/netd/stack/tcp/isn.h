/* Numbers that an outsider must not guess. */
#pragma once

#include "tcp.h"

/* tcp_isn: an initial send sequence number (RFC 6528 3). */
uint32_t tcp_isn(const struct tcp_layer *layer, const struct endpoint *local,
                 const struct endpoint *peer);
/* tcp_isn_beyond: iss, or a later one if an old connection of the same ends has sent that far. */
uint32_t tcp_isn_beyond(uint32_t iss, uint32_t old_nxt);
/* tcp_timestamp_offset: what TSvals of this pair of addresses are shifted by (RFC 7323 7.1). */
uint32_t tcp_timestamp_offset(const struct tcp_layer *layer, const struct ip_address *local,
                              const struct ip_address *peer);
