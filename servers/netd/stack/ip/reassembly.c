/* Reassembly. Invariants: a datagram's fragments are in the order of their offsets and do not
 * overlap; `received` is the sum of their lengths; layer->pieces counts the packets of all. */
#include "reassembly.h"
#include "../stack.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_UNKNOWN UINT32_MAX

struct datagram {
    struct datagram *next; /* younger, or free */
    struct ip_received ip; /* of the first fragment once it is there, else of any */
    uint32_t identification;
    uint32_t length, received; /* bytes of payload */
    uint64_t deadline;
    bool abandoned; /* holds nothing: what still comes of it is dropped */
    void (*expired)(struct stack *stack, const struct ip_received *ip, struct packet *packet);
    struct packet *fragments; /* through `next` */
};

struct reassembly {
    struct stack *stack;
    struct timer timer; /* the oldest datagram's */
    struct datagram *oldest, *free;
    uint32_t pieces;
    struct datagram datagrams[REASSEMBLY_DATAGRAMS];
};

/* Where in the datagram a fragment lies; kept with the packet. */
static uint32_t begin_of(const struct packet *packet) { return packet->word[0]; }
static uint32_t end_of(const struct packet *packet) { return packet->word[1]; }

static uint32_t pieces_of(const struct packet *packet)
{
    uint32_t pieces = 0;
    for (; packet; packet = packet->fragment)
        pieces++;
    return pieces;
}

static void release_fragments(struct reassembly *layer, struct datagram *datagram)
{
    while (datagram->fragments) {
        struct packet *packet = datagram->fragments;
        datagram->fragments = packet->next;
        layer->pieces -= pieces_of(packet);
        packet_release(layer->stack->pool, packet);
    }
}

static void abandon(struct reassembly *layer, struct datagram *datagram)
{
    if (!datagram->abandoned)
        layer->stack->counters.ip_reassembly_failed++;
    datagram->abandoned = true;
    release_fragments(layer, datagram);
}

static void unlink_datagram(struct reassembly *layer, struct datagram *datagram)
{
    struct datagram **link = &layer->oldest;
    while (*link != datagram)
        link = &(*link)->next;
    *link = datagram->next;
    datagram->next = layer->free;
    layer->free = datagram;
    if (layer->oldest)
        timer_start(&layer->stack->timers, &layer->timer, layer->oldest->deadline);
    else
        timer_stop(&layer->stack->timers, &layer->timer);
}

static void expire(struct timer *timer, uint64_t now)
{
    struct reassembly *layer =
        (struct reassembly *)((char *)timer - offsetof(struct reassembly, timer));
    while (layer->oldest && layer->oldest->deadline <= now) {
        struct datagram *datagram = layer->oldest;
        struct packet *first = datagram->fragments;
        if (first && begin_of(first) == 0)
            datagram->expired(layer->stack, &datagram->ip, first);
        abandon(layer, datagram);
        unlink_datagram(layer, datagram);
    }
}

int reassembly_create(struct stack *stack)
{
    struct reassembly *layer = stack->config.allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    layer->stack = stack;
    layer->timer.expired = expire;
    for (unsigned i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        layer->datagrams[i].next = layer->free;
        layer->free = &layer->datagrams[i];
    }
    stack->reassembly = layer;
    return 0;
}

void reassembly_destroy(struct stack *stack)
{
    struct reassembly *layer = stack->reassembly;
    while (layer->oldest) {
        release_fragments(layer, layer->oldest);
        unlink_datagram(layer, layer->oldest);
    }
    stack->config.release(layer);
}

/* The protocol tells IPv4 datagrams apart (RFC 791 3.2), IPv6 ones not (RFC 8200 4.5). */
static bool belongs(const struct datagram *datagram, const struct ip_received *ip,
                    uint32_t identification)
{
    return datagram->identification == identification && datagram->ip.netif == ip->netif &&
           ip_equal(&datagram->ip.source, &ip->source) &&
           ip_equal(&datagram->ip.destination, &ip->destination) &&
           (ip->source.family == IP_V6 || datagram->ip.protocol == ip->protocol);
}

static struct datagram *find_or_begin(struct reassembly *layer, const struct ip_received *ip,
                                      const struct reassembly_fragment *fragment)
{
    struct datagram **link = &layer->oldest, *datagram;
    for (; *link; link = &(*link)->next)
        if (belongs(*link, ip, fragment->identification))
            return *link;
    if (!layer->free) {
        abandon(layer, layer->oldest);
        unlink_datagram(layer, layer->oldest);
        link = &layer->oldest;
        while (*link)
            link = &(*link)->next;
    }
    datagram = layer->free;
    layer->free = datagram->next;
    *datagram = (struct datagram){.ip = *ip,
                                  .identification = fragment->identification,
                                  .length = LENGTH_UNKNOWN,
                                  .deadline = layer->stack->now + REASSEMBLY_TIME,
                                  .expired = fragment->expired};
    *link = datagram;
    if (!timer_running(&layer->timer))
        timer_start(&layer->stack->timers, &layer->timer, datagram->deadline);
    return datagram;
}

static bool same_bytes(const struct packet *a, const struct packet *b)
{
    return !a->fragment && !b->fragment && packet_length(a) == packet_length(b) &&
           memcmp(a->data + a->start, b->data + b->start, packet_length(a)) == 0;
}

enum placement { PLACED, REPEATED, OVERLAPS };

/* exercise 7.8 */
/* Puts a fragment where it belongs, unless one is there already. */
static enum placement place(struct datagram *datagram, struct packet *packet)
{
    struct packet **link = &datagram->fragments;
    while (*link && end_of(*link) <= begin_of(packet))
        link = &(*link)->next;
    struct packet *next = *link;
    if (next && begin_of(next) < end_of(packet)) {
        const bool same = begin_of(next) == begin_of(packet) && same_bytes(next, packet);
        return same ? REPEATED : OVERLAPS;
    }
    packet->next = next;
    *link = packet;
    datagram->received += end_of(packet) - begin_of(packet);
    return PLACED;
}

/* The last fragment fixes the length: nothing may lie behind it, and no other may end elsewhere. */
static bool length_agrees(struct datagram *datagram, const struct packet *packet, bool more)
{
    if (more)
        return end_of(packet) <= datagram->length;
    for (const struct packet *p = datagram->fragments; p; p = p->next)
        if (end_of(p) > end_of(packet))
            return false;
    if (datagram->length != LENGTH_UNKNOWN && datagram->length != end_of(packet))
        return false;
    datagram->length = end_of(packet);
    return true;
}

/* All are there: they become the pieces of one packet. */
static struct packet *join(struct reassembly *layer, struct datagram *datagram)
{
    struct packet *whole = datagram->fragments, *last = whole;
    for (struct packet *packet = whole; packet;) {
        struct packet *next = packet->next;
        layer->pieces -= pieces_of(packet);
        whole->flags |= packet->flags & PACKET_BROADCAST;
        for (last = packet; last->fragment;)
            last = last->fragment;
        last->fragment = next;
        packet->next = NULL;
        packet = next;
    }
    whole->flags &= PACKET_BROADCAST; /* no device has seen all of it */
    datagram->fragments = NULL;
    return whole;
}
/* end 7.8 */

/* Older datagrams give way to the newest, and at last its own fragments. */
static void keep_within_bounds(struct reassembly *layer)
{
    for (struct datagram *d = layer->oldest; d; d = d->next) {
        if ((uint64_t)layer->pieces * PACKET_SIZE <= layer->stack->config.reassembly_bytes)
            return;
        if (!d->abandoned)
            abandon(layer, d);
    }
}

struct packet *reassemble(struct stack *stack, const struct reassembly_fragment *fragment,
                          struct ip_received *ip, struct packet *packet)
{
    struct reassembly *layer = stack->reassembly;
    struct datagram *datagram = find_or_begin(layer, ip, fragment);
    stack->counters.ip_fragments_in++;
    packet->word[0] = fragment->offset;
    packet->word[1] = fragment->offset + packet_total(packet);
    if (datagram->abandoned)
        goto drop;
    if (begin_of(packet) == end_of(packet) || end_of(packet) > UINT16_MAX ||
        !length_agrees(datagram, packet, fragment->more)) {
        abandon(layer, datagram);
        goto drop;
    }
    switch (place(datagram, packet)) {
    case PLACED:
        break;
    case OVERLAPS:
        abandon(layer, datagram);
        goto drop;
    case REPEATED:
        goto drop;
    }
    layer->pieces += pieces_of(packet);
    if (fragment->offset == 0)
        datagram->ip = *ip;
    if (datagram->received != datagram->length) {
        keep_within_bounds(layer);
        return NULL;
    }
    *ip = datagram->ip;
    packet = join(layer, datagram);
    unlink_datagram(layer, datagram);
    stack->counters.ip_reassembled++;
    return packet;
drop:
    packet_release(stack->pool, packet);
    return NULL;
}
