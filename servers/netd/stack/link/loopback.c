/* The loopback interface: a ring of frames, which are IP packets as they are. A packet whose sender
 * keeps a second reference is copied on arrival, because receivers change what they are given. */
#include "loopback.h"
#include "../ip.h"
#include "../netif.h"
#include "../stack.h"
#include <errno.h>
#include <string.h>

#define FRAMES 256u /* a power of two */

struct loopback {
    struct netif netif;
    struct {
        struct netif *netif; /* that it will have come from */
        struct packet *packet;
    } frames[FRAMES];
    uint32_t head, tail; /* received from head, sent to tail */
};

static int transmit(struct netif *netif, struct packet *frame)
{
    struct loopback *loopback = netif->stack->loopback->device;
    if (loopback->tail - loopback->head == FRAMES)
        return -ENOBUFS;
    loopback->frames[loopback->tail % FRAMES].netif = netif;
    loopback->frames[loopback->tail++ % FRAMES].packet = frame;
    return 0;
}

int loopback_send(struct netif *netif, struct packet *packet)
{
    const int error = transmit(netif, packet);
    if (error)
        packet_release(netif->stack->pool, packet);
    return error;
}

int loopback_create(struct stack *stack)
{
    struct loopback *loopback = stack->config.allocate(sizeof *loopback);
    if (!loopback)
        return -ENOMEM;
    struct netif *netif = &loopback->netif;
    *netif = (struct netif){.name = "lo",
                            .kind = NETIF_LOOPBACK,
                            .mtu = ETHERNET_MTU,
                            .offloads = NETIF_CHECKSUM,
                            .up = true,
                            .link = true,
                            .transmit = transmit,
                            .device = loopback};
    netif_add(stack, netif);
    stack->loopback = netif;
    const struct ip_address v4 = ip_loopback(IP_V4), v6 = ip_loopback(IP_V6);
    netif_address_add(netif, &v4, 8, ADDRESS_STATIC);
    netif_address_add(netif, &v6, 128, ADDRESS_STATIC);
    return 0;
}

void loopback_destroy(struct stack *stack)
{
    struct loopback *loopback = stack->loopback->device;
    while (loopback->head != loopback->tail)
        packet_release(stack->pool, loopback->frames[loopback->head++ % FRAMES].packet);
    stack->config.release(loopback);
}

static void receive(struct netif *netif, struct packet *packet)
{
    struct stack *stack = netif->stack;
    if (packet->references > 1) {
        struct packet *copy = packet_copy(stack->pool, packet, PACKET_HEADROOM);
        packet_release(stack->pool, packet);
        if (!copy) {
            netif->counters.rx_dropped++;
            return;
        }
        packet = copy;
    }
    /* The checksum that a device would have filled in is not needed: no wire was crossed. */
    packet->flags = PACKET_LOCAL | (packet->flags & PACKET_CHECKSUM ? PACKET_CHECKED : 0);
    packet->arrived = stack->now;
    if (netif->kind == NETIF_LOOPBACK)
        netif_input(netif, packet);
    else
        ip_input(netif, packet);
}

void loopback_deliver(struct stack *stack)
{
    struct loopback *loopback = stack->loopback->device;
    const uint32_t end = loopback->tail;
    const bool was_full = end - loopback->head == FRAMES;
    while (loopback->head != end) {
        const uint32_t at = loopback->head++ % FRAMES;
        receive(loopback->frames[at].netif, loopback->frames[at].packet);
    }
    if (was_full)
        netif_writable(&loopback->netif);
}

bool loopback_waiting(const struct stack *stack)
{
    const struct loopback *loopback = stack->loopback->device;
    return loopback->head != loopback->tail;
}
