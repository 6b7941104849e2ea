/* Numbers that an outsider must not guess, with SipHash as the pseudo-random function F. */
#include "isn.h"
#include "../siphash.h"
#include "send/send.h"
#include "tcp.h"

/* ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M ticking every 4 us. */
uint32_t tcp_isn(const struct tcp_layer *layer, const struct endpoint *local,
                 const struct endpoint *peer)
{
    const struct {
        struct ip_address local, peer;
        uint16_t local_port, peer_port;
    } flow = {local->address, peer->address, local->port, peer->port};
    const uint32_t m = (uint32_t)(layer->stack->now / (4 * NS_PER_US));
    return m + (uint32_t)siphash(layer->secret, &flow, sizeof flow);
}

#define ISN_STEP 128000u

uint32_t tcp_isn_beyond(uint32_t iss, uint32_t old_nxt)
{
    return seq_lt(old_nxt, iss) ? iss : old_nxt + ISN_STEP;
}

uint32_t tcp_timestamp_offset(const struct tcp_layer *layer, const struct ip_address *local,
                              const struct ip_address *peer)
{
    const struct ip_address pair[2] = {*local, *peer};
    return (uint32_t)siphash(layer->secret, pair, sizeof pair);
}
