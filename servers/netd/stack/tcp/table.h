/* Who is there: connections by four-tuple, listeners and ports. */
#pragma once

#include "tcp.h"

struct tcb *table_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t local_port,
                       const struct ip_address *peer, uint16_t peer_port);
void table_insert(struct tcb *tcb);
void table_remove(struct tcb *tcb);
uint32_t table_hash(const struct tcp_layer *layer, const struct ip_address *local,
                    uint16_t local_port, const struct ip_address *peer, uint16_t peer_port);
/* listener_find: the most specific one that a SYN to local is for; NULL. */
struct tcb *listener_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t port,
                          unsigned interface);
/* port_taken: may tcb not be bound to local (SO_REUSEADDR considered)? */
bool port_taken(struct tcp_layer *layer, const struct tcb *tcb, const struct endpoint *local);
