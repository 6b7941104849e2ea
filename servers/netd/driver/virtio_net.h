/* A network interface on a virtio-net device (VIRTIO 1.2, 5.1).
 *
 * Received frames are the packets that the device wrote into; sent ones go out from where they
 * are, with the device's header in their headroom. The owner calls virtio_net_interrupt when the
 * device has pulsed, and virtio_net_flush before it waits: doorbells are rung only there. */
#pragma once

#include "netd/driver/packet_memory.h"
#include "netd/stack/netif.h"
#include "virtio/device.h"

struct virtio_net {
    struct netif netif; /* first */
    struct virtio_device device;
    struct virtio_queue receive, transmit;
    struct packet_memory *memory;
    handle_t channel;
    unsigned number; /* of the interface, from 0; also its pulse bit */
    unsigned resets;
    bool blocked; /* the transmit queue was full: the stack waits for netif_writable */
    bool dead;
    /* link_changed: the device says that the cable was pulled or put in; netif_set_link has been
     * called. */
    void (*link_changed)(struct virtio_net *net);
};

/* virtio_net_open: takes the device and fills in the netif, which the caller adds to the stack
 * before virtio_net_start. -ENODEV: it is something else. */
int virtio_net_open(struct virtio_net *net, handle_t device, unsigned number,
                    struct packet_memory *memory);

/* virtio_net_start: from now on frames come and go, interrupts pulse bit `number` of channel. */
int virtio_net_start(struct virtio_net *net, handle_t channel);

/* virtio_net_interrupt: takes what has arrived, at most VIRTIO_NET_BUDGET frames; true if there
 * may be more, which virtio_net_receive takes. now: ns. */
#define VIRTIO_NET_BUDGET 128
bool virtio_net_interrupt(struct virtio_net *net, uint64_t now);
bool virtio_net_receive(struct virtio_net *net, uint64_t now);

/* virtio_net_collect: gets back what was sent; to be called before the stack's timers, which look
 * whether a segment has left. virtio_net_flush: gives the device buffers, rings the doorbells. */
void virtio_net_collect(struct virtio_net *net);
void virtio_net_flush(struct virtio_net *net);
