/* What turns a control block into a connection: its path, its segment size, what the SYNs agreed
 * on. */
#include "connection.h"
#include "isn.h"
#include "listen.h"
#include "tcp.h"
#include "timers.h"
#include <errno.h>

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t header_size(uint8_t family)
{
    return (family == IP_V6 ? IPV6_HEADER : IPV4_HEADER_MIN) + TCP_HEADER;
}

uint16_t tcb_receive_mss(const struct tcb *tcb, const struct netif *netif, uint8_t family)
{
    uint32_t mtu = netif->mtu;
    if (family == IP_V6 && netif->ipv6_mtu)
        mtu = netif->ipv6_mtu;
    const uint32_t mss = mtu - header_size(family);
    return (uint16_t)(tcb->mss_user ? least(mss, tcb->mss_user) : mss);
}

void tcb_set_mss(struct tcb *tcb)
{
    const uint8_t family = tcb->socket.peer.address.family;
    uint32_t mss = tcb->mss_peer;
    if (!mss)
        mss = family == IP_V6 ? TCP_MSS_DEFAULT_V6 : TCP_MSS_DEFAULT_V4;
    if (tcb->mss_user)
        mss = least(mss, tcb->mss_user);
    mss = least(mss, tcb->mtu > header_size(family) ? tcb->mtu - header_size(family) : 0);
    mss = least(mss, PACKET_SIZE - PACKET_HEADROOM);
    if (mss < TCP_MSS_MIN)
        mss = TCP_MSS_MIN;
    tcb->mss = (uint16_t)(mss - (tcb->timestamps ? TCP_TIMESTAMPS_SPACE : 0));
    tcb->congestion.mss = tcb->mss;
}

int tcb_route(struct tcb *tcb)
{
    struct socket *socket = &tcb->socket;
    struct ip_route route;
    const unsigned interface =
        socket->peer.interface ? socket->peer.interface : socket->bound_interface;
    const int error = ip_route_find(tcb_stack(tcb), &socket->peer.address, &socket->local.address,
                                    interface, &route);
    if (error)
        return error;
    if (ip_is_any(&socket->local.address))
        socket->local.address = route.source;
    tcb->mtu = route.mtu;
    tcb->checksum_offload = route.netif->offloads & NETIF_CHECKSUM;
    tcb->segment_offload =
        route.netif->offloads &
        (socket->peer.address.family == IP_V6 ? NETIF_SEGMENT_V6 : NETIF_SEGMENT_V4);
    tcb->mss_receive = tcb_receive_mss(tcb, route.netif, socket->peer.address.family);
    tcb_set_mss(tcb);
    return 0;
}

void tcb_start(struct tcb *tcb, uint32_t iss)
{
    tcb->snd.iss = tcb->snd.una = tcb->snd.up = iss;
    tcb->snd.nxt = tcb->snd.end = iss + 1;
    tcb->recovery_point = tcb->high_rxt = tcb->high_sacked = tcb->lost_below = iss;
    tcb->rtt_seq = iss;
    tcb->rcv.wnd = least(tcb->socket.receive_buffer, UINT16_MAX);
    tcb->ts_offset =
        tcp_timestamp_offset(tcb->layer, &tcb->socket.local.address, &tcb->socket.peer.address);
    tcb->sent_at = tcb_now(tcb);
}

void tcb_syn(struct tcb *tcb, const struct segment *segment)
{
    const struct tcp_options *options = &segment->options;
    tcb->rcv.irs = segment->seq;
    tcb->rcv.nxt = tcb->last_ack_sent = segment->seq + 1;
    tcb->mss_peer = options->mss;
    tcb->sack = options->sack_permitted;
    tcb->timestamps = options->timestamps;
    tcb->window_scaling = options->window_scaling;
    tcb->snd.scale = options->window_scaling ? options->window_scale : 0;
    tcb->rcv.scale = options->window_scaling ? TCP_WINDOW_SCALE : 0;
    tcb->ts_recent = options->ts_value;
    tcb->ts_recent_at = tcb_now(tcb);
    tcb_set_mss(tcb);
}

bool tcb_establish(struct tcb *tcb)
{
    if (tcb->listener && !listen_enqueue(tcb))
        return false;
    struct congestion *congestion = &tcb->congestion;
    tcb->state = tcb->fin_queued ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED;
    timer_clear(tcb, TIMER_RETRANSMIT);
    tcb->was_connected = true;
    tcb->stalled_since = 0;
    tcb->backoff = 0;
    congestion_start(congestion, congestion->operations, tcb->mss);
    if (tcb->syn_again) { /* RFC 5681 3.1, RFC 6298 5.7 */
        congestion->cwnd = tcb->mss;
        tcb->rto = TCP_RTO_AFTER_SYN;
    }
    keepalive_restart(tcb);
    socket_notify(&tcb->socket, SOCKET_WRITABLE);
    return true;
}
