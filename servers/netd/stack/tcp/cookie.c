/* SYN cookies (RFC 4987 3.6): under a flood the state of a half-open connection is not kept, but
 * sent to the peer in the sequence number, from the top: 5 bits of time, 3 bits MSS, 24 bits of a
 * keyed hash. With timestamps, their low 5 bits return the other options. */
#include "../siphash.h"
#include "connection.h"
#include "input.h"
#include "isn.h"
#include "listen.h"
#include "send/send.h"
#include "tcp.h"
#include "timers.h"

#define MAC_BITS  24u
#define LIFETIME  2u    /* periods of TCP_COOKIE_TIME that a cookie is good for */
#define TS_SCALE  0x0fu /* of the timestamp: the window scale, 15 = none */
#define TS_SACK   0x10u
#define TS_COOKIE 0x1fu

static const uint16_t cookie_mss[8] = {TCP_MSS_MIN, 536, 1024, 1220, 1300, 1400, 1440, 1460};

static uint32_t mss_index(uint16_t mss)
{
    uint32_t index = 0;
    while (index < 7 && cookie_mss[index + 1] <= mss)
        index++;
    return index;
}

static uint32_t cookie_time(const struct tcb *listener)
{
    return (uint32_t)(tcb_now(listener) / TCP_COOKIE_TIME);
}

static uint32_t cookie_make(const struct tcb *listener, const struct arrival *arrival, uint32_t irs,
                            uint32_t time, uint32_t index)
{
    const struct {
        struct ip_address local, peer;
        uint16_t local_port, peer_port;
        uint32_t irs, time, index;
    } what = {arrival->ip->destination,
              arrival->ip->source,
              arrival->segment->destination,
              arrival->segment->source,
              irs,
              time,
              index};
    const uint64_t mac = siphash(listener->layer->secret, &what, sizeof what);
    return (time & 0x1f) << 27 | index << MAC_BITS | (uint32_t)(mac >> (64 - MAC_BITS));
}

static uint32_t timestamp_base(const struct tcb *listener, const struct arrival *arrival)
{
    return time_ms(tcb_now(listener)) +
           tcp_timestamp_offset(listener->layer, &arrival->ip->destination, &arrival->ip->source);
}

/* pack_options: the latest timestamp not in the future whose low bits say the options. */
static uint32_t pack_options(uint32_t now, const struct tcp_options *syn)
{
    uint32_t bits = syn->window_scaling ? syn->window_scale : TS_SCALE;
    if (syn->sack_permitted)
        bits |= TS_SACK;
    const uint32_t value = (now & ~TS_COOKIE) | bits;
    return seq_le(value, now) ? value : value - (TS_COOKIE + 1);
}

void cookie_answer(struct tcb *listener, const struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    const struct tcp_options *syn = &segment->options;
    const uint16_t mss = syn->mss ? syn->mss : TCP_MSS_DEFAULT_V4;
    struct tcp_reply reply = {
        .source = arrival->ip->destination,
        .destination = arrival->ip->source,
        .source_port = segment->destination,
        .destination_port = segment->source,
        .interface = arrival->ip->netif->index,
        .seq = cookie_make(listener, arrival, segment->seq, cookie_time(listener), mss_index(mss)),
        .ack = segment->seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .window = UINT16_MAX,
        .options.mss = tcb_receive_mss(listener, arrival->ip->netif, arrival->ip->source.family),
    };
    if (syn->timestamps) {
        reply.options.timestamps = true;
        reply.options.ts_value = pack_options(timestamp_base(listener, arrival), syn);
        reply.options.ts_echo = syn->ts_value;
        reply.options.sack_permitted = syn->sack_permitted;
        reply.options.window_scaling = syn->window_scaling;
        reply.options.window_scale = TCP_WINDOW_SCALE;
    }
    listener->cookies_until = tcb_now(listener) + LIFETIME * TCP_COOKIE_TIME;
    listener->layer->counters.cookies_sent++;
    tcp_reply(tcb_stack(listener), &reply);
}

static void unpack_options(struct tcp_options *syn, const struct tcp_options *echoed)
{
    syn->timestamps = true;
    syn->ts_value = echoed->ts_value;
    syn->sack_permitted = echoed->ts_echo & TS_SACK;
    syn->window_scaling = (echoed->ts_echo & TS_SCALE) != TS_SCALE;
    if (syn->window_scaling)
        syn->window_scale = echoed->ts_echo & TS_SCALE;
}

bool cookie_check(const struct tcb *listener, const struct arrival *arrival,
                  struct tcp_options *options)
{
    const struct segment *segment = arrival->segment;
    const uint32_t cookie = segment->ack - 1, index = cookie >> MAC_BITS & 7;
    const uint32_t age = (cookie_time(listener) - (cookie >> 27)) & 0x1f;
    if (age >= LIFETIME || cookie_make(listener, arrival, segment->seq - 1,
                                       cookie_time(listener) - age, index) != cookie)
        return false;
    *options = (struct tcp_options){.mss = cookie_mss[index]};
    if (segment->options.timestamps)
        unpack_options(options, &segment->options);
    return true;
}
