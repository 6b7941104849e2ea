/* The wire: a heap of departures and arrivals. A packet is read when it leaves, not when it is
 * given to the device, so that whoever changes it in between is found out. */
#include "wire.h"
#include "../../checksum.h"
#include "../../test/check.h"
#include "../../wire/cursor.h"
#include <stdlib.h>
#include <string.h>

#define SEQ_FIELD 4u /* offset in the header */

uint32_t random_below(uint64_t *state, uint32_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    const uint32_t word = (uint32_t)(*state * UINT64_C(2685821657736338717) >> 32);
    return (uint32_t)((uint64_t)word * limit >> 32);
}

bool random_chance(uint64_t *state, uint32_t per_thousand)
{
    return per_thousand > 0 && random_below(state, 1000) < per_thousand;
}

/* ---- The heap -------------------------------------------------------------------------------- */

static bool before(const struct wire_event *a, const struct wire_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void push(struct wire *wire, struct wire_event event)
{
    if (wire->count + 2 > wire->capacity) {
        wire->capacity = wire->capacity ? 2 * wire->capacity : 64;
        wire->heap = realloc(wire->heap, wire->capacity * sizeof *wire->heap);
    }
    event.order = wire->order++;
    uint32_t hole = ++wire->count;
    for (; hole > 1 && before(&event, &wire->heap[hole / 2]); hole /= 2)
        wire->heap[hole] = wire->heap[hole / 2];
    wire->heap[hole] = event;
}

static struct wire_event pop(struct wire *wire)
{
    const struct wire_event first = wire->heap[1], last = wire->heap[wire->count--];
    uint32_t hole = 1;
    for (uint32_t child; (child = 2 * hole) <= wire->count; hole = child) {
        if (child < wire->count && before(&wire->heap[child + 1], &wire->heap[child]))
            child++;
        if (!before(&wire->heap[child], &last))
            break;
        wire->heap[hole] = wire->heap[child];
    }
    wire->heap[hole] = last;
    return first;
}

/* ---- Departure ------------------------------------------------------------------------------- */

static void sent(struct host *host, const struct ip_send *send, struct packet *packet)
{
    struct wire *wire = host->context;
    const int side = host == &wire->host[1];
    const uint64_t rate = wire->quality.bytes_per_s, now = host->stack.now;
    if (wire->quality.queue && wire->waiting[side] >= wire->quality.queue) {
        wire->lost++;
        packet_release(host->stack.pool, packet);
        return;
    }
    if (wire->free_at[side] < now)
        wire->free_at[side] = now;
    if (rate)
        wire->free_at[side] += (packet_total(packet) + IPV4_HEADER_MIN + 18) * NS_PER_S / rate;
    wire->waiting[side]++;
    push(wire, (struct wire_event){.at = wire->free_at[side],
                                   .from = host,
                                   .to = &wire->host[!side],
                                   .source = send->source,
                                   .packet = packet});
}

/* blank: overwrites an option of a SYN with NOPs. */
static void blank(uint8_t *header, size_t size, uint8_t kind)
{
    for (uint8_t *at = header + TCP_HEADER; at < header + size && *at != TCP_OPTION_END;) {
        if (*at == TCP_OPTION_NOP) {
            at++;
            continue;
        }
        const uint8_t length = at[1];
        if (*at == kind)
            memset(at, TCP_OPTION_NOP, length);
        at += length;
    }
}

static void sum_up(const struct wire_event *event)
{
    uint8_t *field = event->bytes + TCP_CHECKSUM_FIELD;
    put_u16(field, 0);
    uint16_t sum =
        checksum_pseudo(&event->source, &event->to->address, PROTOCOL_TCP, event->length);
    sum = checksum_finish(checksum_add(sum, event->bytes, event->length));
    put_bytes(field, &sum, sizeof sum);
}

static void middlebox(const struct wire *wire, const struct wire_event *event)
{
    const struct wire_quality *quality = &wire->quality;
    uint8_t *bytes = event->bytes;
    const size_t size = segment_header_size(bytes);
    if (!(bytes[13] & TCP_SYN))
        return;
    if (quality->no_sack)
        blank(bytes, size, TCP_OPTION_SACK_PERMITTED);
    if (quality->no_timestamps)
        blank(bytes, size, TCP_OPTION_TIMESTAMPS);
    if (quality->no_scaling)
        blank(bytes, size, TCP_OPTION_WINDOW_SCALE);
    sum_up(event);
}

static void arrive_later(struct wire *wire, const struct wire_event *event)
{
    const struct wire_quality *quality = &wire->quality;
    struct wire_event arrival = *event;
    uint64_t delay = quality->delay;
    arrival.bytes = malloc(event->length);
    memcpy(arrival.bytes, event->bytes, event->length);
    if (random_chance(&wire->random, quality->corruption)) {
        const uint32_t bit = random_below(&wire->random, 8 * event->length);
        arrival.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    if (quality->jitter)
        delay += random_below(&wire->random, (uint32_t)quality->jitter);
    if (random_chance(&wire->random, quality->reordering))
        delay += random_below(&wire->random, (uint32_t)(3 * quality->delay));
    arrival.at += delay;
    arrival.from = NULL;
    arrival.packet = NULL;
    push(wire, arrival);
}

static void leave(struct wire *wire, const struct wire_event *event)
{
    wire->carried++;
    middlebox(wire, event);
    if (random_chance(&wire->random, wire->quality.loss)) {
        wire->lost++;
        return;
    }
    arrive_later(wire, event);
    if (random_chance(&wire->random, wire->quality.duplication))
        arrive_later(wire, event);
}

/* cut: a long frame, as a device does it: each piece with the headers, whose numbers go on. */
static void cut(struct wire *wire, struct wire_event *event)
{
    struct packet *frame = event->packet;
    const uint16_t size = packet_length(frame);
    struct cursor field = cursor_over(packet_bytes(frame) + SEQ_FIELD, sizeof(uint32_t));
    uint32_t seq = cursor_u32(&field);
    memcpy(event->bytes, packet_bytes(frame), size);
    for (struct packet *piece = frame->fragment; piece; piece = piece->fragment) {
        const uint16_t length = packet_length(piece);
        CHECK(length == frame->segment_size, "%u, not %u octets", length, frame->segment_size);
        put_u32(event->bytes + SEQ_FIELD, seq);
        seq += length;
        memcpy(event->bytes + size, packet_bytes(piece), length);
        event->length = (uint32_t)size + length;
        sum_up(event);
        leave(wire, event);
    }
}

static void depart(struct wire *wire, struct wire_event *event)
{
    struct packet *packet = event->packet;
    uint8_t bytes[PACKET_SIZE];
    event->bytes = bytes;
    wire->waiting[event->from == &wire->host[1]]--;
    if (packet->segment_size) {
        cut(wire, event);
    } else {
        event->length = packet_length(packet);
        memcpy(bytes, packet_bytes(packet), event->length);
        if (packet->flags & PACKET_CHECKSUM)
            sum_up(event);
        leave(wire, event);
    }
    packet_release(event->from->stack.pool, packet);
}

/* ---- Arrival --------------------------------------------------------------------------------- */

static void arrive(const struct wire_event *event)
{
    struct packet *packet = packet_alloc(event->to->stack.pool, PACKET_HEADROOM);
    if (packet) { /* otherwise the device had no buffer */
        put_bytes(packet_append(packet, (uint16_t)event->length), event->bytes, event->length);
        host_deliver(event->to, &event->source, packet);
    }
    free(event->bytes);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return b && b < a ? b : a; }

bool wire_step(struct wire *wire, uint64_t until)
{
    uint64_t next = until;
    for (int i = 0; i < 2; i++)
        next = earlier(next, timers_next(&wire->host[i].stack.timers));
    const bool event = wire->count > 0 && wire->heap[1].at <= next;
    if (event)
        next = wire->heap[1].at;
    if (next > wire->now)
        wire->now = next;
    for (int i = 0; i < 2; i++)
        host_run(&wire->host[i], wire->now);
    if (event) {
        struct wire_event first = pop(wire);
        if (first.from)
            depart(wire, &first);
        else
            arrive(&first);
    }
    return wire->now < until;
}

void wire_start(struct wire *wire, const struct wire_quality *quality, uint64_t seed,
                const struct host_limits *limits)
{
    *wire = (struct wire){.quality = *quality, .random = seed * 2654435769u + 1};
    for (int i = 0; i < 2; i++) {
        host_start(&wire->host[i], (uint8_t)(i + 1), limits);
        wire->host[i].netif.offloads = quality->offloads ? NETIF_CHECKSUM | NETIF_SEGMENT_V4 : 0;
        wire->host[i].sent = sent;
        wire->host[i].context = wire;
    }
    wire->now = wire->host[0].stack.now;
}

void wire_stop(struct wire *wire)
{
    while (wire->count > 0) {
        const struct wire_event event = pop(wire);
        if (event.from)
            packet_release(event.from->stack.pool, event.packet);
        else
            free(event.bytes);
    }
    free(wire->heap);
    host_stop(&wire->host[0]);
    host_stop(&wire->host[1]);
}
