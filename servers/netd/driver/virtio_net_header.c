/* Writes and reads the header of a frame. Its numbers are little-endian. */
#include "netd/driver/virtio_net_header.h"

#include <string.h>

enum { FLAG_NEEDS_CHECKSUM = 1, FLAG_DATA_VALID = 2 };
enum { SEGMENT_NONE = 0, SEGMENT_TCP4 = 1, SEGMENT_TCP6 = 4 };
enum { /* offsets */
       FLAGS = 0,
       SEGMENT_TYPE = 1,
       HEADER_LENGTH = 2,
       SEGMENT_SIZE = 4,
       CHECKSUM_START = 6,
       CHECKSUM_OFFSET = 8,
       BUFFERS = 10,
};
#define ETHERTYPE_OFFSET 12
#define TCP_DATA_OFFSET  12 /* in its upper four bits: words of the TCP header */

static void put(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void write_segmentation(uint8_t *header, const struct packet *frame)
{
    const uint8_t *bytes = frame->data + frame->start;
    unsigned transport = (unsigned)(frame->checksum_start - frame->start);
    unsigned tcp_header = (frame->data[frame->checksum_start + TCP_DATA_OFFSET] >> 4) * 4u;
    bool v4 = bytes[ETHERTYPE_OFFSET] == 0x08;
    header[SEGMENT_TYPE] = v4 ? SEGMENT_TCP4 : SEGMENT_TCP6;
    put(header + HEADER_LENGTH, transport + tcp_header);
    put(header + SEGMENT_SIZE, frame->segment_size);
}

void virtio_net_header_write(uint8_t header[VIRTIO_NET_HEADER], const struct packet *frame)
{
    memset(header, 0, VIRTIO_NET_HEADER);
    if (!(frame->flags & PACKET_CHECKSUM))
        return;
    header[FLAGS] = FLAG_NEEDS_CHECKSUM;
    put(header + CHECKSUM_START, (unsigned)(frame->checksum_start - frame->start));
    put(header + CHECKSUM_OFFSET, frame->checksum_offset);
    if (frame->segment_size)
        write_segmentation(header, frame);
}

uint16_t virtio_net_header_read(const uint8_t header[VIRTIO_NET_HEADER], unsigned *buffers)
{
    *buffers = header[BUFFERS] | (unsigned)header[BUFFERS + 1] << 8;
    /* Not summed up yet because it never was on a wire is as good as checked. */
    return header[FLAGS] & (FLAG_NEEDS_CHECKSUM | FLAG_DATA_VALID) ? PACKET_CHECKED : 0;
}
