/* Text that has come before its turn: a list by sequence number, without overlaps, and the blocks
 * that the peer is told of (RFC 2018). Invariants: every packet in the list lies above RCV.NXT and
 * inside the window; blocks[0 .. block_count - 1] are runs of the list, the most recent first. */
#include "../send/send.h"
#include "../tcp.h"
#include "receive.h"

static uint32_t end_of(const struct packet *packet)
{
    return packet->word[RECEIVED_SEQ] + packet_length(packet);
}

static void cut_front(struct packet *packet, uint32_t count)
{
    packet->start = (uint16_t)(packet->start + count);
    packet->word[RECEIVED_SEQ] += count;
}

/* unlink: takes the packet that *link points to out of the list. */
static struct packet *unlink(struct tcb *tcb, struct packet **link, struct packet *before)
{
    struct packet *packet = *link;
    *link = packet->next;
    if (tcb->ahead.last == packet)
        tcb->ahead.last = before;
    tcb->ahead.packets--;
    tcb->ahead.bytes -= packet_length(packet);
    tcb_stack(tcb)->socket_packets--;
    packet->next = NULL;
    return packet;
}

void ahead_clear(struct tcb *tcb)
{
    while (tcb->ahead.first)
        packet_release(tcb_stack(tcb)->pool, unlink(tcb, &tcb->ahead.first, NULL));
    tcb->block_count = 0;
}

/* The run of the list that holds seq. */
static struct sack_block run_of(const struct tcb *tcb, uint32_t seq)
{
    const struct packet *packet = tcb->ahead.first;
    struct sack_block run = {packet->word[RECEIVED_SEQ], end_of(packet)};
    while ((packet = packet->next) &&
           (run.right == packet->word[RECEIVED_SEQ] || seq_le(run.right, seq))) {
        if (run.right != packet->word[RECEIVED_SEQ])
            run.left = packet->word[RECEIVED_SEQ];
        run.right = end_of(packet);
    }
    return run;
}

/* exercise 8.7 */
/* RFC 2018 4: the block of the newest segment first, then those reported last before it. */
static void report(struct tcb *tcb, uint32_t seq)
{
    const struct sack_block newest = run_of(tcb, seq);
    struct sack_block blocks[TCP_SACK_BLOCKS] = {newest};
    uint8_t count = 1;
    for (uint8_t i = 0; i < tcb->block_count && count < TCP_SACK_BLOCKS; i++) {
        const struct sack_block *old = &tcb->blocks[i];
        if (seq_lt(old->right, newest.left) || seq_lt(newest.right, old->left))
            blocks[count++] = *old;
    }
    for (uint8_t i = 0; i < count; i++)
        tcb->blocks[i] = blocks[i];
    tcb->block_count = count;
}

/* make_way: finds the place in the list for [seq, end): what it covers entirely goes, what is there
 * already is cut from its ends. Returns the packet behind which it belongs (NULL = first). */
static struct packet *make_way(struct tcb *tcb, uint32_t *seq, uint32_t *end)
{
    struct packet *before = NULL, **link = &tcb->ahead.first;
    if (tcb->ahead.last && seq_le(end_of(tcb->ahead.last), *seq))
        return tcb->ahead.last; /* the usual place */
    for (struct packet *there; (there = *link) && seq_lt(there->word[RECEIVED_SEQ], *end);) {
        const uint32_t left = there->word[RECEIVED_SEQ], right = end_of(there);
        if (seq_le(*seq, left) && seq_le(right, *end)) {
            packet_release(tcb_stack(tcb)->pool, unlink(tcb, link, before));
            continue;
        }
        if (seq_lt(*seq, left)) {
            *end = left;
            break;
        }
        if (seq_lt(*seq, right))
            *seq = right;
        before = there;
        link = &there->next;
    }
    return before;
}

void ahead_insert(struct tcb *tcb, struct packet *packet, uint32_t seq)
{
    const uint32_t arrived = seq;
    uint32_t end = seq + packet_length(packet);
    packet->word[RECEIVED_SEQ] = seq;
    struct packet *before = make_way(tcb, &seq, &end);
    if (seq_lt(seq, end)) {
        cut_front(packet, seq - arrived);
        packet->end = (uint16_t)(packet->start + (end - seq));
        struct packet **link = before ? &before->next : &tcb->ahead.first;
        packet->next = *link;
        *link = packet;
        if (!packet->next)
            tcb->ahead.last = packet;
        tcb->ahead.packets++;
        tcb->ahead.bytes += packet_length(packet);
        tcb_stack(tcb)->socket_packets++;
    } else {
        packet_release(tcb_stack(tcb)->pool, packet);
    }
    report(tcb, arrived);
}

static void forget_blocks(struct tcb *tcb)
{
    uint8_t count = 0;
    for (uint8_t i = 0; i < tcb->block_count; i++)
        if (seq_lt(tcb->rcv.nxt, tcb->blocks[i].left))
            tcb->blocks[count++] = tcb->blocks[i];
    tcb->block_count = count;
}

void ahead_join(struct tcb *tcb)
{
    struct packet *packet;
    while ((packet = tcb->ahead.first) && seq_le(packet->word[RECEIVED_SEQ], tcb->rcv.nxt)) {
        unlink(tcb, &tcb->ahead.first, NULL);
        if (seq_le(end_of(packet), tcb->rcv.nxt)) {
            packet_release(tcb_stack(tcb)->pool, packet);
            continue;
        }
        cut_front(packet, tcb->rcv.nxt - packet->word[RECEIVED_SEQ]);
        receive_append(tcb, packet);
    }
    forget_blocks(tcb);
}
/* end 8.7 */
