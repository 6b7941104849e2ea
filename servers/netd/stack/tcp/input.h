/* A segment that has arrived, and the states that it is for (RFC 9293 3.10.7). */
#pragma once

#include "tcp.h"

/* What has arrived for a connection. The packet holds the text from the front; who keeps it sets
 * it to NULL. */
struct arrival {
    struct segment *segment;
    const struct ip_received *ip;
    struct packet *packet;
    const uint32_t *old_nxt; /* a SYN after TIME-WAIT: SND.NXT of the old connection, or NULL */
};

/* demux.c, error.c: what struct transport asks for. */
void tcp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);
bool tcp_error(struct stack *stack, const struct ip_error *error);

void tcb_input(struct tcb *tcb, struct arrival *arrival); /* SYN-SENT and later: 3.10.7.3, .4 */
void closed_input(struct stack *stack, struct arrival *arrival); /* 3.10.7.1 */
