/* The neighbour cache: a table of entries with one state machine each (RFC 4861 7.3.2 and appendix
 * C). Invariants: only an INCOMPLETE entry has packets that wait; a FREE one is in no hash chain,
 * and its timer does not run. */
#include "neighbour.h"
#include "../ip/ipv4.h"
#include "../ip6/ipv6.h"
#include "../ip6/ndp/ndp.h"
#include "../netif.h"
#include "../stack.h"
#include "arp.h"
#include "ethernet.h"
#include <errno.h>
#include <string.h>

#define MS                     1000000ull /* ns */
#define SECOND                 (1000 * MS)
#define REACHABLE_MS           30000u /* RFC 4861 10, as the next ones */
#define DELAY_FIRST_PROBE_TIME (5 * SECOND)
#define MAX_MULTICAST_SOLICIT  3u
#define MAX_UNICAST_SOLICIT    3u
#define RETRANSMIT_TIME        SECOND
/* A host that has not answered is not asked again before (RFC 1122 2.3.2.1: one request a second
 * and destination). */
#define FAILED_TIME SECOND
/* An entry that has carried traffic so recently is not given away. */
#define IN_USE_TIME (10 * SECOND)
#define BUCKETS     64u

struct neighbour {
    struct neighbour *next; /* in its bucket, or in the free list */
    struct neighbours *table;
    struct netif *netif;
    struct ip_address address;
    uint8_t mac[MAC_SIZE];
    uint8_t state;            /* enum neighbour_state */
    uint8_t solicitations;    /* sent in this state */
    struct ip_address source; /* of the packet that made us ask */
    struct packet_queue waiting;
    struct timer timer;
    uint64_t used;      /* when a packet was last sent to it */
    uint64_t reachable; /* until when it counts as such */
};

struct neighbours {
    struct stack *stack;
    struct neighbour *free, *buckets[BUCKETS];
    uint32_t count;
    uint32_t waiting; /* packets, in all entries */
    struct neighbour entries[];
};

/* Not more than this part of all packets waits here. */
#define WAITING_SHARE 8u

/* --- the table --- */

static void expired(struct timer *timer, uint64_t now);

int neighbours_create(struct stack *stack)
{
    const uint32_t count = stack->config.neighbours;
    struct neighbours *table =
        stack->config.allocate(sizeof *table + count * sizeof table->entries[0]);
    if (!table)
        return -ENOMEM;
    table->stack = stack;
    table->count = count;
    for (uint32_t i = count; i-- > 0;) {
        table->entries[i] =
            (struct neighbour){.table = table, .timer.expired = expired, .next = table->free};
        table->free = &table->entries[i];
    }
    stack->neighbours = table;
    return 0;
}

static struct neighbour **bucket_of(struct neighbours *table, const struct ip_address *address)
{
    uint32_t words[4];
    memcpy(words, address->bytes, sizeof words);
    const uint32_t mixed = (words[0] ^ words[1] ^ words[2] ^ words[3]) * 0x9e3779b1u;
    return &table->buckets[mixed >> 26];
}
_Static_assert(BUCKETS == 1u << (32 - 26), "the hash's upper bits");

static struct neighbour *find(const struct netif *netif, const struct ip_address *address)
{
    struct neighbour *entry = *bucket_of(netif->stack->neighbours, address);
    while (entry && (entry->netif != netif || !ip_equal(&entry->address, address)))
        entry = entry->next;
    return entry;
}

static struct packet *take_waiting(struct neighbour *entry)
{
    struct packet *packet = packet_queue_take(&entry->waiting);
    if (packet)
        entry->table->waiting--;
    return packet;
}

static void forget(struct neighbour *entry)
{
    struct neighbours *table = entry->table;
    struct neighbour **link = bucket_of(table, &entry->address);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    while (entry->waiting.count)
        packet_release(table->stack->pool, take_waiting(entry));
    timer_stop(&table->stack->timers, &entry->timer);
    entry->state = NEIGHBOUR_FREE;
    entry->next = table->free;
    table->free = entry;
}

void neighbours_destroy(struct stack *stack)
{
    struct neighbours *table = stack->neighbours;
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->entries[i].state != NEIGHBOUR_FREE)
            forget(&table->entries[i]);
    }
    stack->config.release(table);
}

/* How much an entry is needed: the one with the lowest rank gives way to a new one. */
enum rank { UNUSED, ASKED_FOR, IN_USE };

static enum rank rank(const struct neighbour *entry, uint64_t now)
{
    if (entry->state == NEIGHBOUR_INCOMPLETE)
        return ASKED_FOR;
    if (entry->state != NEIGHBOUR_FAILED && entry->used && now - entry->used < IN_USE_TIME)
        return IN_USE;
    return UNUSED;
}

/* evict: frees the entry that is least needed, the one unused for longest among equals; not one in
 * use. So what a flood asks for competes only with what else is being asked for. */
static void evict(struct neighbours *table)
{
    struct neighbour *victim = NULL;
    const uint64_t now = table->stack->now;
    for (uint32_t i = 0; i < table->count; i++) {
        struct neighbour *entry = &table->entries[i];
        const enum rank mine = rank(entry, now);
        if (mine == IN_USE)
            continue;
        if (!victim || mine < rank(victim, now) ||
            (mine == rank(victim, now) && entry->used < victim->used))
            victim = entry;
    }
    if (victim) {
        table->stack->counters.neighbour_evicted++;
        forget(victim);
    }
}

static struct neighbour *create(struct netif *netif, const struct ip_address *address)
{
    struct neighbours *table = netif->stack->neighbours;
    if (!table->free)
        evict(table);
    struct neighbour *entry = table->free;
    if (!entry)
        return NULL;
    table->free = entry->next;
    struct neighbour **bucket = bucket_of(table, address);
    *entry = (struct neighbour){.next = *bucket,
                                .table = table,
                                .netif = netif,
                                .address = *address,
                                .timer.expired = expired};
    *bucket = entry;
    return entry;
}

/* --- the states --- */

static uint64_t now_of(const struct neighbour *entry) { return entry->table->stack->now; }

static void start_timer(struct neighbour *entry, uint64_t delay)
{
    timer_start(&entry->table->stack->timers, &entry->timer, now_of(entry) + delay);
}

static uint64_t retransmit_time(const struct neighbour *entry)
{
    const uint32_t advertised = entry->netif->retransmit_ms;
    return entry->address.family == IP_V6 && advertised ? advertised * MS : RETRANSMIT_TIME;
}

/* Between half and one and a half of the base, so that hosts do not ask in step (RFC 4861 6.3.2).
 */
static uint64_t reachable_time(const struct neighbour *entry)
{
    const uint32_t advertised = entry->netif->reachable_ms;
    const uint32_t base = entry->address.family == IP_V6 && advertised ? advertised : REACHABLE_MS;
    uint32_t random;
    entry->table->stack->config.random(&random, sizeof random);
    return (base / 2 + random % base) * MS;
}

static void solicit(struct neighbour *entry)
{
    const uint8_t *whom = entry->state == NEIGHBOUR_PROBE ? entry->mac : NULL;
    entry->solicitations++;
    start_timer(entry, retransmit_time(entry));
    if (entry->address.family == IP_V4)
        arp_solicit(entry->netif, &entry->address, &entry->source, whom);
    else
        ndp_solicit(entry->netif, &entry->address, &entry->source, whom);
}

static void ask(struct neighbour *entry, enum neighbour_state state)
{
    entry->state = (uint8_t)state;
    entry->solicitations = 0;
    solicit(entry);
}

static void become_stale(struct neighbour *entry)
{
    entry->state = NEIGHBOUR_STALE;
    timer_stop(&entry->table->stack->timers, &entry->timer);
}

static void become_reachable(struct neighbour *entry)
{
    const uint64_t time = reachable_time(entry);
    entry->state = NEIGHBOUR_REACHABLE;
    entry->reachable = now_of(entry) + time;
    start_timer(entry, time);
}

static int transmit(struct neighbour *entry, struct packet *packet)
{
    const enum ethertype type = entry->address.family == IP_V4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    return ethernet_output(entry->netif, entry->mac, type, packet);
}

static void send_waiting(struct neighbour *entry)
{
    struct packet *packet;
    while ((packet = take_waiting(entry)))
        transmit(entry, packet);
}

/* Nobody answers. The senders of what waits are told; after a failed probe the next packet asks
 * everybody again. */
static void fail(struct neighbour *entry)
{
    struct packet_queue waiting = entry->waiting;
    struct netif *netif = entry->netif;
    const bool v4 = entry->address.family == IP_V4;
    struct packet *packet;
    entry->table->stack->counters.neighbour_failed++;
    entry->waiting = (struct packet_queue){0};
    entry->table->waiting -= waiting.count;
    entry->reachable = now_of(entry) + (entry->state == NEIGHBOUR_PROBE ? 0 : FAILED_TIME);
    entry->state = NEIGHBOUR_FAILED;
    while ((packet = packet_queue_take(&waiting))) {
        if (v4)
            ipv4_unresolved(netif, packet);
        else
            ipv6_unresolved(netif, packet);
    }
}

static void expired(struct timer *timer, uint64_t now)
{
    struct neighbour *entry =
        (struct neighbour *)((char *)timer - offsetof(struct neighbour, timer));
    switch (entry->state) {
    case NEIGHBOUR_INCOMPLETE:
        if (entry->solicitations < MAX_MULTICAST_SOLICIT)
            solicit(entry);
        else
            fail(entry);
        break;
    case NEIGHBOUR_REACHABLE: /* it may have been confirmed since the timer was started */
        if (entry->reachable > now)
            start_timer(entry, entry->reachable - now);
        else
            become_stale(entry);
        break;
    case NEIGHBOUR_DELAY:
        ask(entry, NEIGHBOUR_PROBE);
        break;
    case NEIGHBOUR_PROBE:
        if (entry->solicitations < MAX_UNICAST_SOLICIT)
            solicit(entry);
        else
            fail(entry);
        break;
    }
}

/* --- output --- */

/* The addresses in front of a packet that waits: whom NDP should ask from (RFC 4861 7.2.2). */
static struct ip_address source_of(const struct packet *packet, uint8_t family)
{
    const uint8_t *header = packet->data + packet->start;
    return family == IP_V4 ? ip_v4_bytes(header + 12) : ip_v6_bytes(header + 8);
}

static int resolve(struct neighbour *entry, struct packet *packet)
{
    struct packet_pool *pool = entry->table->stack->pool;
    int error = 0;
    entry->source = source_of(packet, entry->address.family);
    if (entry->waiting.count == NEIGHBOUR_QUEUE) /* RFC 4861 7.2.2: the oldest gives way */
        packet_release(pool, take_waiting(entry));
    if (entry->table->waiting >= pool->total / WAITING_SHARE) {
        packet_release(pool, packet);
        error = -ENOBUFS;
    } else {
        packet_queue_put(&entry->waiting, packet);
        entry->table->waiting++;
    }
    if (entry->state != NEIGHBOUR_INCOMPLETE)
        ask(entry, NEIGHBOUR_INCOMPLETE);
    return error;
}

static int refuse(struct netif *netif, struct packet *packet, int error)
{
    packet_release(netif->stack->pool, packet);
    return error;
}

static int send_to_entry(struct neighbour *entry, struct packet *packet)
{
    entry->used = now_of(entry);
    switch (entry->state) {
    case NEIGHBOUR_FAILED:
        if (entry->used < entry->reachable)
            return refuse(entry->netif, packet, -EHOSTUNREACH);
        return resolve(entry, packet);
    case NEIGHBOUR_FREE: /* new */
    case NEIGHBOUR_INCOMPLETE:
        return resolve(entry, packet);
    case NEIGHBOUR_STALE:
        entry->state = NEIGHBOUR_DELAY;
        entry->source = source_of(packet, entry->address.family);
        start_timer(entry, DELAY_FIRST_PROBE_TIME);
        break;
    }
    return transmit(entry, packet);
}

int neighbour_output(struct netif *netif, const struct ip_address *next_hop, struct packet *packet)
{
    uint8_t mac[MAC_SIZE];
    const enum ethertype type = next_hop->family == IP_V4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    if (netif->kind == NETIF_LOOPBACK)
        return netif_output(netif, packet);
    if (ip_is_broadcast(next_hop))
        return ethernet_output(netif, ethernet_broadcast, type, packet);
    if (ip_is_multicast(next_hop)) {
        ethernet_multicast(next_hop, mac);
        return ethernet_output(netif, mac, type, packet);
    }
    struct neighbour *entry = find(netif, next_hop);
    if (!entry)
        entry = create(netif, next_hop);
    return entry ? send_to_entry(entry, packet) : refuse(netif, packet, -ENOBUFS);
}

/* --- what is heard --- */

static void set_mac(struct neighbour *entry, const uint8_t mac[MAC_SIZE])
{
    memcpy(entry->mac, mac, MAC_SIZE);
    become_stale(entry);
    send_waiting(entry);
}

static bool same_mac(const struct neighbour *entry, const uint8_t mac[MAC_SIZE])
{
    return memcmp(entry->mac, mac, MAC_SIZE) == 0;
}

static bool knows_mac(const struct neighbour *entry)
{
    return entry->state != NEIGHBOUR_INCOMPLETE && entry->state != NEIGHBOUR_FAILED;
}

void neighbour_learn(struct netif *netif, const struct ip_address *address,
                     const uint8_t mac[MAC_SIZE])
{
    struct neighbour *entry = find(netif, address);
    if (entry && knows_mac(entry) && same_mac(entry, mac))
        return;
    if (!entry)
        entry = create(netif, address);
    if (entry)
        set_mac(entry, mac);
}

bool neighbour_update(struct netif *netif, const struct ip_address *address,
                      const uint8_t mac[MAC_SIZE])
{
    struct neighbour *entry = find(netif, address);
    if (!entry)
        return false;
    if (knows_mac(entry) && same_mac(entry, mac))
        return true;
    switch (entry->state) {
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_DELAY:
        ask(entry, NEIGHBOUR_PROBE);
        break;
    case NEIGHBOUR_PROBE:
        break;
    default:
        set_mac(entry, mac);
    }
    return true;
}

bool neighbour_advertised(struct netif *netif, const struct ip_address *address, const uint8_t *mac,
                          bool solicited, bool override)
{
    struct neighbour *entry = find(netif, address);
    if (!entry)
        return false;
    if (!knows_mac(entry)) {
        if (!mac)
            return false;
        set_mac(entry, mac);
        if (solicited)
            become_reachable(entry);
        return true;
    }
    const bool differs = mac && !same_mac(entry, mac);
    if (differs && !override) {
        if (entry->state == NEIGHBOUR_REACHABLE)
            become_stale(entry);
        return false;
    }
    if (differs)
        set_mac(entry, mac);
    if (solicited)
        become_reachable(entry);
    return true;
}

void neighbour_confirm(struct netif *netif, const struct ip_address *address)
{
    struct neighbour *entry = find(netif, address);
    if (!entry || !knows_mac(entry))
        return;
    if (entry->state == NEIGHBOUR_REACHABLE)
        entry->reachable = now_of(entry) + REACHABLE_MS * MS; /* the timer finds out */
    else
        become_reachable(entry);
}

bool neighbour_usable(const struct netif *netif, const struct ip_address *address)
{
    const struct neighbour *entry = find(netif, address);
    return !entry || knows_mac(entry);
}

/* --- by hand --- */

void neighbour_flush(struct netif *netif)
{
    struct neighbours *table = netif->stack->neighbours;
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->entries[i].state != NEIGHBOUR_FREE && table->entries[i].netif == netif)
            forget(&table->entries[i]);
    }
}

void neighbour_list(struct stack *stack,
                    void (*visit)(void *context, const struct neighbour_facts *facts),
                    void *context)
{
    const struct neighbours *table = stack->neighbours;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct neighbour *entry = &table->entries[i];
        struct neighbour_facts facts = {.netif = entry->netif,
                                        .address = entry->address,
                                        .state = (enum neighbour_state)entry->state,
                                        .waiting = entry->waiting.count};
        memcpy(facts.mac, entry->mac, MAC_SIZE);
        if (entry->state != NEIGHBOUR_FREE)
            visit(context, &facts);
    }
}
