/* A segment arrives: is it sound, and whose is it? What fails here is counted and forgotten;
 * nothing that does not pass the checksum reaches a connection. */
#include "../checksum.h"
#include "counters.h"
#include "input.h"
#include "listen.h"
#include "table.h"
#include "tcp.h"
#include "time_wait.h"

/* checksum_ok: over pseudo-header and all pieces of the packet (RFC 9293 3.1). */
static bool checksum_ok(const struct ip_received *ip, const struct packet *packet)
{
    if (packet->flags & PACKET_CHECKED)
        return true;
    const uint16_t sum =
        checksum_pseudo(&ip->source, &ip->destination, PROTOCOL_TCP, packet_total(packet));
    return checksum_finish(packet_checksum(sum, packet)) == 0;
}

/* parse: takes the header off the packet. */
static bool parse(struct stack *stack, struct segment *segment, struct packet *packet)
{
    if (!packet_gather(stack->pool, packet, TCP_HEADER))
        return false;
    const size_t size = segment_header_size(packet_bytes(packet));
    if (size == 0 || !packet_gather(stack->pool, packet, (uint16_t)size))
        return false;
    segment_parse(segment, packet_bytes(packet), size, packet_total(packet) - (uint32_t)size);
    return packet_pull(packet, (uint16_t)size) && segment->source && segment->destination;
}

static void deliver(struct stack *stack, struct arrival *arrival)
{
    struct tcp_layer *layer = stack->tcp;
    const struct ip_received *ip = arrival->ip;
    const struct segment *segment = arrival->segment;
    struct tcb *tcb =
        table_find(layer, &ip->destination, segment->destination, &ip->source, segment->source);
    if (tcb) {
        tcb_input(tcb, arrival);
        return;
    }
    struct time_wait *wait =
        time_wait_find(layer, &ip->destination, segment->destination, &ip->source, segment->source);
    if (wait) {
        time_wait_input(stack, wait, arrival);
        return;
    }
    struct tcb *listener =
        listener_find(layer, &ip->destination, segment->destination, ip->netif->index);
    if (!listener || !listen_input(listener, arrival))
        closed_input(stack, arrival);
}

void tcp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    struct tcp_counters *counters = &stack->tcp->counters;
    struct segment segment;
    struct arrival arrival = {.segment = &segment, .ip = ip, .packet = packet};
    counters->in_segs++;
    if (ip->multicast || ip->broadcast || packet->flags & PACKET_BROADCAST) /* 3.9.2.3 */
        counters->in_errs++;
    else if (!checksum_ok(ip, packet) || !parse(stack, &segment, packet))
        counters->in_errs++;
    else
        deliver(stack, &arrival);
    packet_release(stack->pool, arrival.packet);
}
