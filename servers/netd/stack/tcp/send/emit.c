/* Segments on their way out: header, options, checksum. */
#include "../../checksum.h"
#include "../../wire/cursor.h"
#include "../input.h"
#include "../receive/receive.h"
#include "../tcp.h"
#include "../timers.h"
#include "send.h"
#include <errno.h>

struct header {
    uint16_t source, destination;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window, urgent;
};

/* finish_checksum: of header and text. The text was summed when it was copied (PACKET_SUM), and a
 * device that can sums everything. */
static void finish_checksum(struct packet *packet, uint8_t *header, size_t size,
                            const struct ip_send *send, bool offload)
{
    const uint32_t length = packet_total(packet);
    uint16_t sum = checksum_pseudo(&send->source, &send->destination, PROTOCOL_TCP, length);
    packet->flags &= (uint16_t)~PACKET_CHECKSUM;
    if (offload) {
        packet->flags |= PACKET_CHECKSUM;
        packet->checksum_start = packet->start;
        packet->checksum_offset = TCP_CHECKSUM_FIELD;
    } else {
        sum = checksum_add(sum, header, size);
        if (packet->flags & PACKET_SUM)
            sum = checksum_join(sum, packet->sum);
        else
            sum = checksum_add(sum, header + size, length - size);
        sum = checksum_finish(sum);
    }
    put_bytes(header + TCP_CHECKSUM_FIELD, &sum, sizeof sum);
}

static void push_header(struct packet *packet, const struct header *header,
                        const struct tcp_options *options, const struct ip_send *send, bool offload)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    const size_t count = options_emit(bytes, options), size = TCP_HEADER + count;
    uint8_t *start = packet_push(packet, (uint16_t)size), *at = start;
    at = put_u16(put_u16(at, header->source), header->destination);
    at = put_u32(put_u32(at, header->seq), header->ack);
    at = put_u8(put_u8(at, (uint8_t)(size / 4 << 4)), header->flags);
    at = put_u16(put_u16(put_u16(at, header->window), 0), header->urgent);
    put_bytes(at, bytes, count);
    finish_checksum(packet, start, size, send, offload);
}

/* On a SYN: what we offer, or what of the peer's offers we agree to. */
static void syn_options(const struct tcb *tcb, struct tcp_options *options)
{
    const bool offer = tcb->state == TCP_SYN_SENT;
    options->mss = tcb->mss_receive;
    options->sack_permitted = offer || tcb->sack;
    options->timestamps = offer || tcb->timestamps;
    options->window_scaling = offer || tcb->window_scaling;
    options->window_scale = TCP_WINDOW_SCALE;
}

static struct tcp_options make_options(const struct tcb *tcb, uint8_t flags, uint32_t length)
{
    struct tcp_options options = {.timestamps = tcb->timestamps};
    if (flags & TCP_SYN)
        syn_options(tcb, &options);
    if (options.timestamps) {
        options.ts_value = time_ms(tcb_now(tcb)) + tcb->ts_offset;
        options.ts_echo = tcb->ts_recent;
    }
    /* Text has been cut to fill the segment: blocks go with ACKs of their own. */
    if (tcb->sack && length == 0 && !(flags & (TCP_SYN | TCP_RST))) {
        options.sack_count = tcb->block_count;
        for (uint8_t i = 0; i < tcb->block_count; i++)
            options.sack[i] = tcb->blocks[i];
    }
    return options;
}

/* window_field: offers what receive_window allows. What the scale cuts off makes the edge that the
 * peer sees a little lower than ours, now and then (RFC 7323 2.4): we still accept up to ours. */
static uint16_t window_field(struct tcb *tcb, uint8_t flags)
{
    if (tcb->state != TCP_SYN_SENT)
        tcb->rcv.wnd = receive_window(tcb);
    if (flags & TCP_SYN && tcb->rcv.wnd > UINT16_MAX)
        tcb->rcv.wnd = UINT16_MAX;
    return (uint16_t)(flags & TCP_SYN ? tcb->rcv.wnd : tcb->rcv.wnd >> tcb->rcv.scale);
}

static void acknowledgment_sent(struct tcb *tcb)
{
    tcb->last_ack_sent = tcb->rcv.nxt;
    tcb->ack_now = tcb->ack_later = false;
    timer_clear(tcb, TIMER_DELAYED_ACK);
}

int tcb_emit(struct tcb *tcb, struct packet *packet, uint32_t seq, uint8_t flags)
{
    struct stack *stack = tcb_stack(tcb);
    if (!packet)
        packet = packet_alloc(stack->pool, PACKET_HEADROOM);
    if (!packet)
        return -ENOBUFS;
    const uint32_t length = packet_total(packet);
    struct ip_send send = {
        .source = tcb->socket.local.address,
        .destination = tcb->socket.peer.address,
        .interface = tcb->socket.peer.interface,
        .protocol = PROTOCOL_TCP,
        .hop_limit = tcb->socket.hop_limit,
        .traffic_class = tcb->socket.traffic_class,
    };
    struct header header = {
        .source = tcb->socket.local.port,
        .destination = tcb->socket.peer.port,
        .seq = seq,
        .ack = flags & TCP_ACK ? tcb->rcv.nxt : 0,
        .flags = flags,
        .window = window_field(tcb, flags),
    };
    if (seq_lt(seq, tcb->snd.up) && !(flags & (TCP_SYN | TCP_RST))) {
        header.flags |= TCP_URG;
        header.urgent = (uint16_t)(tcb->snd.up - seq < UINT16_MAX ? tcb->snd.up - seq : UINT16_MAX);
    }
    const struct tcp_options options = make_options(tcb, flags, length);
    push_header(packet, &header, &options, &send, tcb->checksum_offload);
    /* Too long it may be only because it could not be split, or the MTU is absurd. */
    send.dont_fragment = packet_length(packet) + tcb_ip_header(tcb) <= tcb->mtu;
    if (flags & TCP_ACK)
        acknowledgment_sent(tcb);
    tcb->layer->counters.out_segs++;
    return ip_output(stack, &send, packet);
}

void tcb_ack(struct tcb *tcb)
{
    if (tcb_emit(tcb, NULL, tcb->snd.nxt, TCP_ACK) == -ENOBUFS) {
        tcb->ack_later = true;
        timer_set_after(tcb, TIMER_DELAYED_ACK, TCP_DELAYED_ACK);
    }
}

void tcb_challenge(struct tcb *tcb)
{
    const uint64_t now = tcb_now(tcb);
    if (now - tcb->challenge_second >= NS_PER_S) {
        tcb->challenge_second = now;
        tcb->challenges = 0;
    }
    if (tcb->challenges >= TCP_CHALLENGES) {
        tcb->layer->counters.challenge_acks_limited++;
        return;
    }
    tcb->challenges++;
    tcb->layer->counters.challenge_acks++;
    tcb_ack(tcb);
}

void tcb_reset(struct tcb *tcb)
{
    tcb->layer->counters.out_rsts++;
    tcb_emit(tcb, NULL, tcb->snd.nxt, TCP_RST | TCP_ACK);
}

/* ---- Without a connection -------------------------------------------------------------------- */

void tcp_reply(struct stack *stack, const struct tcp_reply *reply)
{
    struct packet *packet = packet_alloc(stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    const struct ip_send send = {
        .source = reply->source,
        .destination = reply->destination,
        .interface = reply->interface,
        .protocol = PROTOCOL_TCP,
        .dont_fragment = true,
    };
    const struct header header = {
        .source = reply->source_port,
        .destination = reply->destination_port,
        .seq = reply->seq,
        .ack = reply->ack,
        .flags = reply->flags,
        .window = reply->window,
    };
    push_header(packet, &header, &reply->options, &send, false);
    stack->tcp->counters.out_segs++;
    ip_output(stack, &send, packet);
}

/* RFC 9293 3.10.7.1: the reset takes its numbers from the segment that it answers. */
void tcp_reply_reset(struct stack *stack, const struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    const bool ack = segment->flags & TCP_ACK;
    const struct tcp_reply reply = {
        .source = arrival->ip->destination,
        .destination = arrival->ip->source,
        .source_port = segment->destination,
        .destination_port = segment->source,
        .interface = arrival->ip->netif->index,
        .seq = ack ? segment->ack : 0,
        .ack = ack ? 0 : segment->seq + segment_span(segment),
        .flags = ack ? TCP_RST : TCP_RST | TCP_ACK,
    };
    stack->tcp->counters.out_rsts++;
    tcp_reply(stack, &reply);
}
