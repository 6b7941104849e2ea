/* Text that arrives, and the window for it. */
#pragma once

#include "../input.h"

/* receive_text: the text of an acceptable segment: in order, or held ahead of a gap. */
void receive_text(struct tcb *tcb, struct arrival *arrival);
/* receive_window: what the buffer allows us to offer now, without shrinking what was offered. */
uint32_t receive_window(const struct tcb *tcb);
/* receive_window_update: an ACK if the program's reading has opened the window far enough. */
void receive_window_update(struct tcb *tcb);
void receive_clear(struct tcb *tcb);
void ahead_clear(struct tcb *tcb);
/* ahead_insert: keeps a segment that came before its turn; ahead_join: moves what has become in
 * order behind the text in order. */
void ahead_insert(struct tcb *tcb, struct packet *packet, uint32_t seq);
void ahead_join(struct tcb *tcb);
void receive_append(struct tcb *tcb, struct packet *packet);
