/* Packets: the buffers that frames live in, from a device's DMA to a socket's queue and back.
 *
 * A packet is PACKET_SIZE bytes that the device can reach, of which [start, end) is in use.
 * Headers are taken off at the front on the way up and put on there on the way down, so the
 * payload never moves. Whoever is given a packet owns one reference to it, and passes it on or
 * releases it. Contents may be changed only by the holder of the sole reference: TCP keeps a
 * reference to what it has sent, so a segment with more than one is still in a device's queue
 * and is not to be touched (nor sent again: it has not even left).
 *
 * A frame longer than one packet (segmentation and receive offload) is a chain through
 * `fragment`: headers in the first piece, payload in all; whoever owns the first piece owns one
 * reference to each of the others. (TCP may have another, and chains what it keeps behind a packet
 * of headers.) `next` links packets in queues, and belongs to whoever holds the queue. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_SIZE     2048u
#define PACKET_HEADROOM 128u /* virtio-net 12, Ethernet 14, IPv6 40, TCP 60 */
#define LINK_HEADROOM   26u  /* the first two of these */

enum packet_flags {
    PACKET_CHECKED = 1,   /* received: the device vouches for the transport checksum */
    PACKET_CHECKSUM = 2,  /* to send: the device completes it at checksum_start + _offset */
    PACKET_SUM = 4,       /* `sum` is that of the payload as it was filled in */
    PACKET_BROADCAST = 8, /* received: the link-layer destination was not us alone */
    PACKET_LOCAL = 16,    /* received: from ourselves */
};

struct packet {
    struct packet *next;
    struct packet *kept; /* TCP's, of what it has sent and keeps a reference to */
    struct packet *fragment;
    uint8_t *data; /* PACKET_SIZE bytes */
    uint16_t start, end;
    uint16_t flags;
    uint16_t references;
    uint16_t checksum_start, checksum_offset; /* from `data`, and from there */
    uint16_t segment_size; /* to send: payload bytes per segment for the device to cut; 0 = whole */
    uint16_t sum;          /* ones' complement sum, not inverted (PACKET_SUM) */
    uint64_t arrived;      /* ns, received */
    /* For the holder: sequence number and the like, as TCP keeps them with queued data. */
    uint32_t word[4];
};

struct packet_pool {
    struct packet *free;
    uint32_t total, in_use, peak;
    uint64_t failures; /* packet_alloc found nothing */
};

/* packet_pool_init: count packets over count * PACKET_SIZE bytes of `memory`. The arrays are the
 * caller's, and stay. */
void packet_pool_init(struct packet_pool *pool, struct packet *packets, uint8_t *memory,
                      uint32_t count);

/* packet_alloc: an empty packet, start = end = headroom, or NULL. */
struct packet *packet_alloc(struct packet_pool *pool, uint16_t headroom);
static inline struct packet *packet_hold(struct packet *packet)
{
    packet->references++;
    return packet;
}
void packet_release(struct packet_pool *pool, struct packet *packet); /* NULL is allowed */

static inline uint16_t packet_length(const struct packet *packet) /* of this piece */
{
    return (uint16_t)(packet->end - packet->start);
}
uint32_t packet_total(const struct packet *packet); /* of all pieces */

static inline uint8_t *packet_bytes(struct packet *packet) { return packet->data + packet->start; }

/* packet_push: size bytes more at the front; there must be room. packet_pull: takes them off
 * (false if the first piece is shorter). packet_append: room for size bytes behind the end, or
 * NULL. packet_trim: cuts the whole frame to length bytes, releasing pieces that go. */
uint8_t *packet_push(struct packet *packet, uint16_t size);
bool packet_pull(struct packet *packet, uint16_t size);
uint8_t *packet_append(struct packet *packet, uint16_t size);
void packet_trim(struct packet_pool *pool, struct packet *packet, uint32_t length);

/* packet_drop_front: takes length bytes off the front of the whole frame; returns what remains (the
 * pieces that have become empty are released), or NULL. */
struct packet *packet_drop_front(struct packet_pool *pool, struct packet *packet, uint32_t length);

/* packet_cut: takes length bytes, which must be there, off the front of *rest, as a packet with at
 * least so much headroom. A piece that is just so is taken as it is: who makes pieces of the size
 * of fragments has nothing copied. NULL without packets. */
struct packet *packet_cut(struct packet_pool *pool, struct packet **rest, uint16_t length,
                          uint16_t headroom);

/* packet_gather: moves bytes to the front until the first piece has at least length of them; false
 * if there are fewer, or no room. packet_copy: the whole frame once more, with its flags, the
 * first piece with so much headroom (less if it is too full); NULL without packets. */
bool packet_gather(struct packet_pool *pool, struct packet *packet, uint16_t length);
struct packet *packet_copy(struct packet_pool *pool, const struct packet *from, uint16_t headroom);

/* packet_read: copies length bytes at offset of the whole frame; false if they are not all there.
 * packet_checksum: the sum of the whole frame added to sum, as by checksum_add. */
bool packet_read(const struct packet *packet, uint32_t offset, void *to, uint32_t length);
uint16_t packet_checksum(uint16_t sum, const struct packet *packet);

/* A first-in first-out queue through `next`. */
struct packet_queue {
    struct packet *first, *last;
    uint32_t count;
    uint32_t bytes; /* packet_total of all */
};
void packet_queue_put(struct packet_queue *queue, struct packet *packet);
struct packet *packet_queue_take(struct packet_queue *queue); /* NULL: empty */
void packet_queue_clear(struct packet_pool *pool, struct packet_queue *queue);
