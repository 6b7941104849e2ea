/* The scoreboard of RFC 6675: what the peer has, kept as marks on the packets of the send queue.
 * HighRxt is tcb->high_rxt, which like all sequence numbers here is one beyond the last octet.
 * Invariant: SENT_SACKED is only on packets between SND.UNA and SND.NXT. */
#include "../tcp.h"
#include "send.h"

static bool is_sacked(const struct packet *packet)
{
    return packet->word[SENT_MARKS] & SENT_SACKED;
}

/* IsLost(SeqNum) */
bool sack_is_lost(const struct tcb *tcb, uint32_t seq) { return seq_lt(seq, tcb->lost_below); }

/* exercise 8.9 */
/* Does one of the blocks hold the whole packet? Blocks that say what cannot be count for nothing:
 * what is acknowledged already (RFC 2883 reports duplicates so), and what was never sent. */
static bool block_covers(const struct tcb *tcb, const struct segment *segment,
                         const struct packet *packet)
{
    for (uint8_t i = 0; i < segment->options.sack_count; i++) {
        const struct sack_block *block = &segment->options.sack[i];
        if (seq_le(tcb->snd.una, block->left) && seq_le(block->right, tcb->snd.nxt) &&
            seq_le(block->left, packet->word[SENT_SEQ]) && seq_le(sent_end(packet), block->right))
            return true;
    }
    return false;
}

/* Update(): marks what the segment's blocks say. True: some of it is news. */
static bool mark(struct tcb *tcb, const struct segment *segment)
{
    bool news = false;
    for (struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept) {
        if (is_sacked(p) || seq_lt(p->word[SENT_SEQ], segment->ack) ||
            !block_covers(tcb, segment, p))
            continue;
        p->word[SENT_MARKS] |= SENT_SACKED;
        tcb->high_sacked = seq_max(tcb->high_sacked, sent_end(p));
        news = true;
    }
    return news;
}

/* What of the queue is SACKed: octets, and runs with gaps between them. */
struct sacked {
    uint32_t octets, runs;
};

static struct sacked count_sacked(const struct tcb *tcb)
{
    struct sacked sum = {0, 0};
    bool in_run = false;
    for (const struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept) {
        if (is_sacked(p)) {
            sum.octets += p->word[SENT_LENGTH];
            sum.runs += !in_run;
        }
        in_run = is_sacked(p);
    }
    return sum;
}

/* sack_find_lost: an octet is lost when DupThresh runs, or more than (DupThresh - 1) * SMSS octets,
 * above it are SACKed. Then all below it are, too: so the border is enough for IsLost. */
void sack_find_lost(struct tcb *tcb)
{
    struct sacked above = count_sacked(tcb);
    bool in_run = false;
    for (const struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept) {
        if (is_sacked(p)) {
            above.octets -= p->word[SENT_LENGTH];
            above.runs -= !in_run;
        } else if (above.runs >= TCP_DUP_THRESHOLD ||
                   above.octets > (TCP_DUP_THRESHOLD - 1) * tcb->mss) {
            tcb->lost_below = seq_max(tcb->lost_below, sent_end(p));
        }
        in_run = is_sacked(p);
    }
}

/* SetPipe(): how many octets are in the network, as far as we know. */
static uint32_t octets_in_network(const struct tcb *tcb)
{
    uint32_t pipe = 0;
    for (const struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept) {
        if (is_sacked(p))
            continue;
        if (!sack_is_lost(tcb, p->word[SENT_SEQ])) /* (a) */
            pipe += p->word[SENT_LENGTH];
        if (seq_lt(p->word[SENT_SEQ], tcb->high_rxt)) /* (b) */
            pipe += p->word[SENT_LENGTH];
    }
    return pipe;
}

/* The first packet in [from, to) that is not SACKed. */
static struct packet *first_unsacked(const struct tcb *tcb, uint32_t from, uint32_t to)
{
    for (struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept) {
        if (seq_le(to, p->word[SENT_SEQ]))
            return NULL;
        if (seq_le(from, p->word[SENT_SEQ]) && !is_sacked(p))
            return p;
    }
    return NULL;
}

/* The last packet that is not SACKed, if it has not been sent again yet. */
static struct packet *last_unsacked(const struct tcb *tcb)
{
    struct packet *last = NULL;
    for (struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept)
        if (!is_sacked(p) && seq_le(tcb->high_rxt, p->word[SENT_SEQ]))
            last = p;
    return last;
}

/* NextSeg(), by its rules. After a timeout, and without SACK, the first two are all there are. */
struct packet *sack_next_seg(struct tcb *tcb)
{
    struct packet *packet = first_unsacked(tcb, tcb->high_rxt, tcb->lost_below); /* (1) */
    if (packet)
        return packet;
    if (tcb->send.unsent && new_data_allowed(tcb)) /* (2) */
        return tcb->send.unsent;
    if (!tcb->sack || tcb->recovery != RECOVERY_FAST)
        return NULL;
    packet = first_unsacked(tcb, tcb->high_rxt, tcb->high_sacked); /* (3) */
    if (packet || tcb->rescued)
        return packet;
    tcb->rescued = true; /* (4), once per recovery */
    return last_unsacked(tcb);
}
/* end 8.9 */

bool sack_update(struct tcb *tcb, const struct segment *segment)
{
    tcb->layer->counters.sack_blocks_in += segment->options.sack_count;
    return segment->options.sack_count > 0 && mark(tcb, segment);
}

void sack_set_pipe(struct tcb *tcb)
{
    const bool marks = tcb->recovery != RECOVERY_NONE || seq_lt(tcb->snd.una, tcb->high_sacked);
    tcb->pipe = marks ? octets_in_network(tcb) : tcb->snd.nxt - tcb->snd.una;
}

void sack_forget(struct tcb *tcb)
{
    for (struct packet *p = tcb->send.first; p != tcb->send.unsent; p = p->kept)
        p->word[SENT_MARKS] &= ~(uint32_t)SENT_SACKED;
    tcb->high_sacked = tcb->snd.una;
}
