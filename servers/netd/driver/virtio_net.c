/* Drives one virtio-net device: features, queues, frames in and out. A device that breaks the
 * queue's rules is reset, and after a few times given up; what it held is released. */
#include "netd/driver/virtio_net.h"

#include "abi/errno.h"
#include "cairn/syscall.h"
#include "netd/driver/virtio_net_header.h"
#include <stdio.h>
#include <string.h>

#define VIRTIO_NET_F_CSUM       (1ul << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ul << 1)
#define VIRTIO_NET_F_MTU        (1ul << 3)
#define VIRTIO_NET_F_MAC        (1ul << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ul << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ul << 8)
#define VIRTIO_NET_F_HOST_TSO4  (1ul << 11)
#define VIRTIO_NET_F_HOST_TSO6  (1ul << 12)
#define VIRTIO_NET_F_MRG_RXBUF  (1ul << 15)
#define VIRTIO_NET_F_STATUS     (1ul << 16)
#define WANTED                                                                                     \
    (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC |           \
     VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 |                  \
     VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS)

enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10 };
#define STATUS_LINK_UP 1

enum { RECEIVE_QUEUE = 0, TRANSMIT_QUEUE = 1 };
#define QUEUE_SIZE  256
#define PIECES_MAX  64 /* of one frame */
#define RESETS_MAX  3
#define RECEIVE_PAD 2 /* in front, so that the IP header is aligned */

static struct virtio_net *net_of(struct netif *netif) { return (struct virtio_net *)netif; }

/* ---- Sending ------------------------------------------------------------------------------ */

/* Takes back what the device has sent; false if it broke the rules. */
static bool reclaim(struct virtio_net *net)
{
    void *cookie;
    uint32_t length;
    int taken;
    while ((taken = virtqueue_take(&net->transmit.ring, &cookie, &length)) == 1)
        packet_release(&net->memory->pool, cookie);
    return taken == 0;
}

static int transmit(struct netif *netif, struct packet *frame)
{
    struct virtio_net *net = net_of(netif);
    struct virtqueue_segment segments[PIECES_MAX];
    unsigned count = 0;
    if (net->dead || frame->start < VIRTIO_NET_HEADER)
        goto drop;
    uint8_t *header = frame->data + frame->start - VIRTIO_NET_HEADER;
    virtio_net_header_write(header, frame);
    for (struct packet *piece = frame; piece; piece = piece->fragment) {
        if (packet_length(piece) == 0)
            continue;
        if (count == PIECES_MAX)
            goto drop;
        segments[count++] = (struct virtqueue_segment){
            packet_physical(net->memory, packet_bytes(piece)), packet_length(piece)};
    }
    segments[0].physical -= VIRTIO_NET_HEADER;
    segments[0].length += VIRTIO_NET_HEADER;
    if (virtqueue_free(&net->transmit.ring) < count)
        reclaim(net);
    int error = virtqueue_add(&net->transmit.ring, segments, count, 0, frame);
    if (error == -ENOSPC) {
        net->blocked = true;
        return -ENOBUFS;
    }
    if (!error)
        return 0;
drop:
    netif->counters.tx_errors++;
    packet_release(&net->memory->pool, frame);
    return 0;
}

/* ---- Receiving ---------------------------------------------------------------------------- */

static void refill(struct virtio_net *net)
{
    while (virtqueue_free(&net->receive.ring) > 0) {
        struct packet *packet = packet_alloc(&net->memory->pool, RECEIVE_PAD);
        if (!packet)
            return; /* flush comes again */
        struct virtqueue_segment segment = {packet_physical(net->memory, packet_bytes(packet)),
                                            PACKET_SIZE - RECEIVE_PAD};
        if (virtqueue_add(&net->receive.ring, &segment, 0, 1, packet) != 0) {
            packet_release(&net->memory->pool, packet);
            return;
        }
    }
}

/* The other buffers of a frame that took several; false if the device has not delivered them. */
static bool take_rest(struct virtio_net *net, struct packet *first, unsigned buffers)
{
    struct packet *last = first;
    void *cookie;
    uint32_t length;
    while (--buffers > 0) {
        if (virtqueue_take(&net->receive.ring, &cookie, &length) != 1)
            return false;
        last->fragment = cookie;
        last = cookie;
        last->end = (uint16_t)(last->start + length);
    }
    return true;
}

/* One frame, as far as the header; whose buffers may be several. */
static void receive_frame(struct virtio_net *net, struct packet *packet, uint32_t length,
                          uint64_t now)
{
    struct netif *netif = &net->netif;
    unsigned buffers = 1;
    packet->end = (uint16_t)(packet->start + length);
    packet->arrived = now;
    bool good = length > VIRTIO_NET_HEADER;
    if (good)
        packet->flags |= virtio_net_header_read(packet_bytes(packet), &buffers);
    if (!virtio_has(&net->device, VIRTIO_NET_F_MRG_RXBUF))
        buffers = 1;
    good = good && buffers > 0 && take_rest(net, packet, buffers);
    if (!good) {
        netif->counters.rx_errors++;
        packet_release(&net->memory->pool, packet);
        return;
    }
    packet_pull(packet, VIRTIO_NET_HEADER);
    netif_input(netif, packet);
}

/* ---- The device --------------------------------------------------------------------------- */

static void read_link(struct virtio_net *net)
{
    uint8_t status[2] = {STATUS_LINK_UP, 0};
    if (virtio_has(&net->device, VIRTIO_NET_F_STATUS))
        virtio_config_read(&net->device.transport, CONFIG_STATUS, status, sizeof status);
    bool up = status[0] & STATUS_LINK_UP;
    if (up == net->netif.link)
        return;
    netif_set_link(&net->netif, up);
    if (net->link_changed)
        net->link_changed(net);
}

static int negotiate(struct virtio_net *net)
{
    int error = virtio_start_features(&net->device, WANTED);
    if (!error)
        error = virtio_add_queue(&net->device, &net->receive, RECEIVE_QUEUE, QUEUE_SIZE);
    if (!error)
        error = virtio_add_queue(&net->device, &net->transmit, TRANSMIT_QUEUE, QUEUE_SIZE);
    if (!error) /* what was sent is looked at in passing */
        virtqueue_interrupts_off(&net->transmit.ring);
    return error;
}

/* An address of one's own for a device that has none: locally administered, of its number. */
static void read_config(struct virtio_net *net)
{
    struct netif *netif = &net->netif;
    const uint8_t own[MAC_SIZE] = {0x02, 0x00, 0x00, 0x00, 0x00, (uint8_t)(1 + net->number)};
    uint8_t mtu[2];
    memcpy(netif->mac, own, MAC_SIZE);
    if (virtio_has(&net->device, VIRTIO_NET_F_MAC))
        virtio_config_read(&net->device.transport, CONFIG_MAC, netif->mac, MAC_SIZE);
    netif->mtu = ETHERNET_MTU;
    if (virtio_has(&net->device, VIRTIO_NET_F_MTU) &&
        virtio_config_read(&net->device.transport, CONFIG_MTU, mtu, sizeof mtu) == 0) {
        uint16_t value = (uint16_t)(mtu[0] | mtu[1] << 8);
        if (value >= 68 && value < ETHERNET_MTU)
            netif->mtu = value;
    }
    if (virtio_has(&net->device, VIRTIO_NET_F_CSUM)) {
        netif->offloads |= NETIF_CHECKSUM;
        netif->offloads |= virtio_has(&net->device, VIRTIO_NET_F_HOST_TSO4) ? NETIF_SEGMENT_V4 : 0;
        netif->offloads |= virtio_has(&net->device, VIRTIO_NET_F_HOST_TSO6) ? NETIF_SEGMENT_V6 : 0;
    }
    uint8_t status[2] = {STATUS_LINK_UP, 0};
    if (virtio_has(&net->device, VIRTIO_NET_F_STATUS))
        virtio_config_read(&net->device.transport, CONFIG_STATUS, status, sizeof status);
    netif->link = status[0] & STATUS_LINK_UP;
}

int virtio_net_open(struct virtio_net *net, handle_t device, unsigned number,
                    struct packet_memory *memory)
{
    net->number = number;
    net->memory = memory;
    int error = virtio_open(&net->device, device, VIRTIO_ID_NET);
    if (!error)
        error = negotiate(net);
    if (error)
        return error;
    net->netif.kind = NETIF_ETHERNET;
    net->netif.up = true;
    net->netif.transmit = transmit;
    snprintf(net->netif.name, sizeof net->netif.name, "eth%u", number);
    read_config(net);
    return 0;
}

int virtio_net_start(struct virtio_net *net, handle_t channel)
{
    net->channel = channel;
    refill(net);
    int error = virtio_run(&net->device, channel, net->number);
    if (!error)
        virtqueue_kick(&net->receive.ring);
    return error;
}

/* The device broke the rules. Once it is reset it touches no packet any more. */
static void recover(struct virtio_net *net)
{
    struct packet *packet;
    driver_log("netd: %s misbehaves, resetting it", net->netif.name);
    bool stopped = virtio_stop(&net->device) == 0;
    while (stopped && (packet = virtqueue_abandon(&net->receive.ring)))
        packet_release(&net->memory->pool, packet);
    while (stopped && (packet = virtqueue_abandon(&net->transmit.ring)))
        packet_release(&net->memory->pool, packet);
    net->dead = !stopped || ++net->resets > RESETS_MAX ||
                virtio_restart(&net->device, VIRTIO_ID_NET) != 0 || negotiate(net) != 0 ||
                virtio_net_start(net, net->channel) != 0;
    if (!net->dead)
        return;
    driver_log("netd: %s is given up", net->netif.name);
    netif_set_link(&net->netif, false);
    if (net->link_changed)
        net->link_changed(net);
}

bool virtio_net_receive(struct virtio_net *net, uint64_t now)
{
    void *cookie;
    uint32_t length;
    for (unsigned frames = 0; !net->dead && frames < VIRTIO_NET_BUDGET; frames++) {
        int taken = virtqueue_take(&net->receive.ring, &cookie, &length);
        if (taken < 0)
            recover(net);
        if (taken != 1)
            return false;
        receive_frame(net, cookie, length, now);
    }
    return !net->dead;
}

bool virtio_net_interrupt(struct virtio_net *net, uint64_t now)
{
    if (net->dead)
        return false;
    if (virtio_interrupt_begin(&net->device) & VIRTIO_INTERRUPT_CONFIG) {
        if (virtio_needs_reset(&net->device.transport)) {
            recover(net);
            return false;
        }
        read_link(net);
    }
    return virtio_net_receive(net, now);
}

void virtio_net_collect(struct virtio_net *net)
{
    if (!net->dead && !reclaim(net))
        recover(net);
}

/* The stack waits for room in the queue: tell it, or see to it that an interrupt will come. */
static void unblock(struct virtio_net *net)
{
    struct virtqueue *ring = &net->transmit.ring;
    while (net->blocked && !net->dead) {
        virtio_net_collect(net);
        if (virtqueue_free(ring) >= ring->size / 4) {
            net->blocked = false;
            virtqueue_interrupts_off(ring);
            netif_writable(&net->netif);
        } else {
            virtqueue_kick(ring);
            if (!virtqueue_interrupts_on(ring))
                return;
        }
    }
}

void virtio_net_flush(struct virtio_net *net)
{
    unblock(net);
    if (net->dead)
        return;
    refill(net);
    virtqueue_kick(&net->receive.ring);
    virtqueue_kick(&net->transmit.ring);
}
