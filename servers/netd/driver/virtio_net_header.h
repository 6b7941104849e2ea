/* The header in front of each frame on a virtio-net queue (VIRTIO 1.2, 5.1.6). */
#pragma once

#include "netd/stack/packet.h"

#define VIRTIO_NET_HEADER 12u /* bytes */

/* virtio_net_header_write: what the device is to do with this frame, whose first piece is at least
 * as long as its Ethernet header. */
void virtio_net_header_write(uint8_t header[VIRTIO_NET_HEADER], const struct packet *frame);

/* virtio_net_header_read: flags for the packet; *buffers: how many the frame takes. */
uint16_t virtio_net_header_read(const uint8_t header[VIRTIO_NET_HEADER], unsigned *buffers);
