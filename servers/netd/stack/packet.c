/* Packets and their pool. Invariant: pool->in_use is the number of packets that are not in the
 * pool's list; each of them has at least one reference. */
#include "packet.h"
#include "checksum.h"
#include <assert.h>
#include <string.h>

void packet_pool_init(struct packet_pool *pool, struct packet *packets, uint8_t *memory,
                      uint32_t count)
{
    *pool = (struct packet_pool){.total = count};
    for (uint32_t i = count; i-- > 0;) {
        packets[i] = (struct packet){.next = pool->free, .data = memory + (size_t)i * PACKET_SIZE};
        pool->free = &packets[i];
    }
}

struct packet *packet_alloc(struct packet_pool *pool, uint16_t headroom)
{
    struct packet *packet = pool->free;
    if (!packet) {
        pool->failures++;
        return NULL;
    }
    pool->free = packet->next;
    if (++pool->in_use > pool->peak)
        pool->peak = pool->in_use;
    *packet =
        (struct packet){.data = packet->data, .start = headroom, .end = headroom, .references = 1};
    return packet;
}

void packet_release(struct packet_pool *pool, struct packet *packet)
{
    if (!packet)
        return;
    assert(packet->references > 0);
    if (packet->references > 1) {
        packet->references--;
        return;
    }
    while (packet) {
        struct packet *rest = packet->fragment;
        packet->fragment = NULL;
        if (--packet->references == 0) {
            packet->next = pool->free;
            pool->free = packet;
            pool->in_use--;
        }
        packet = rest;
    }
}

uint32_t packet_total(const struct packet *packet)
{
    uint32_t total = 0;
    for (; packet; packet = packet->fragment)
        total += packet_length(packet);
    return total;
}

uint8_t *packet_push(struct packet *packet, uint16_t size)
{
    assert(packet->start >= size);
    packet->start = (uint16_t)(packet->start - size);
    return packet_bytes(packet);
}

bool packet_pull(struct packet *packet, uint16_t size)
{
    if (packet_length(packet) < size)
        return false;
    packet->start = (uint16_t)(packet->start + size);
    return true;
}

uint8_t *packet_append(struct packet *packet, uint16_t size)
{
    if (size > PACKET_SIZE - packet->end)
        return NULL;
    uint8_t *at = packet->data + packet->end;
    packet->end = (uint16_t)(packet->end + size);
    return at;
}

void packet_trim(struct packet_pool *pool, struct packet *packet, uint32_t length)
{
    for (; length > packet_length(packet); packet = packet->fragment) {
        length -= packet_length(packet);
        if (!packet->fragment)
            return;
    }
    packet->end = (uint16_t)(packet->start + length);
    struct packet *rest = packet->fragment;
    packet->fragment = NULL;
    packet_release(pool, rest);
}

struct packet *packet_drop_front(struct packet_pool *pool, struct packet *packet, uint32_t length)
{
    while (packet && length >= packet_length(packet)) {
        struct packet *rest = packet->fragment;
        length -= packet_length(packet);
        packet->fragment = NULL;
        packet_release(pool, packet);
        packet = rest;
    }
    if (packet)
        packet_pull(packet, (uint16_t)length);
    return packet;
}

struct packet *packet_cut(struct packet_pool *pool, struct packet **rest, uint16_t length,
                          uint16_t headroom)
{
    struct packet *first = *rest;
    if (packet_length(first) == length && first->references == 1 && first->start >= headroom) {
        *rest = first->fragment;
        first->fragment = NULL;
        return first;
    }
    struct packet *piece = packet_alloc(pool, PACKET_HEADROOM);
    if (!piece)
        return NULL;
    packet_read(first, 0, packet_append(piece, length), length);
    *rest = packet_drop_front(pool, first, length);
    return piece;
}

bool packet_gather(struct packet_pool *pool, struct packet *packet, uint16_t length)
{
    while (packet_length(packet) < length) {
        struct packet *rest = packet->fragment;
        if (!rest)
            return false;
        uint16_t size = (uint16_t)(length - packet_length(packet));
        if (size > packet_length(rest))
            size = packet_length(rest);
        uint8_t *to = packet_append(packet, size);
        if (!to)
            return false;
        memcpy(to, packet_bytes(rest), size);
        packet->fragment = packet_drop_front(pool, rest, size);
    }
    return true;
}

struct packet *packet_copy(struct packet_pool *pool, const struct packet *from, uint16_t headroom)
{
    struct packet *first = NULL, **link = &first;
    for (; from; from = from->fragment, headroom = 0) {
        const uint16_t start = headroom + packet_length(from) <= PACKET_SIZE ? headroom : 0;
        struct packet *piece = packet_alloc(pool, start);
        if (!piece) {
            packet_release(pool, first);
            return NULL;
        }
        memcpy(packet_append(piece, packet_length(from)), from->data + from->start,
               packet_length(from));
        piece->flags = from->flags;
        piece->arrived = from->arrived;
        piece->checksum_offset = from->checksum_offset;
        piece->checksum_start = (uint16_t)(from->checksum_start - from->start + piece->start);
        piece->sum = from->sum;
        piece->segment_size = from->segment_size;
        *link = piece;
        link = &piece->fragment;
    }
    return first;
}

bool packet_read(const struct packet *packet, uint32_t offset, void *to, uint32_t length)
{
    uint8_t *at = to;
    for (; packet && length > 0; packet = packet->fragment) {
        const uint32_t here = packet_length(packet);
        if (offset < here) {
            const uint32_t part = length < here - offset ? length : here - offset;
            memcpy(at, packet->data + packet->start + offset, part);
            at += part;
            length -= part;
            offset = 0;
        } else {
            offset -= here;
        }
    }
    return length == 0;
}

uint16_t packet_checksum(uint16_t sum, const struct packet *packet)
{
    bool odd = false;
    for (; packet; packet = packet->fragment) {
        const uint8_t *data = packet->data + packet->start;
        sum = odd ? checksum_add_odd(sum, data, packet_length(packet))
                  : checksum_add(sum, data, packet_length(packet));
        odd ^= packet_length(packet) & 1;
    }
    return sum;
}

void packet_queue_put(struct packet_queue *queue, struct packet *packet)
{
    packet->next = NULL;
    if (queue->last)
        queue->last->next = packet;
    else
        queue->first = packet;
    queue->last = packet;
    queue->count++;
    queue->bytes += packet_total(packet);
}

struct packet *packet_queue_take(struct packet_queue *queue)
{
    struct packet *packet = queue->first;
    if (!packet)
        return NULL;
    queue->first = packet->next;
    if (!queue->first)
        queue->last = NULL;
    packet->next = NULL;
    queue->count--;
    queue->bytes -= packet_total(packet);
    return packet;
}

void packet_queue_clear(struct packet_pool *pool, struct packet_queue *queue)
{
    struct packet *packet;
    while ((packet = packet_queue_take(queue)))
        packet_release(pool, packet);
}
