/* IGMP as a host: reports are sent when a group is joined or left, and after a random part of the
 * time that a query allows. Version 3 is spoken until a router of an older version is heard. */
#include "igmp.h"
#include "../checksum.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/igmp.h"
#include "layer.h"

#define MS             1000000ull /* ns */
#define SECOND         (1000 * MS)
#define ROBUSTNESS     2                         /* RFC 3376 8.1: reports of a change */
#define V3_INTERVAL_MS 1000u                     /* 8.11: between them */
#define V2_INTERVAL_MS 10000u                    /* RFC 2236 8.10 */
#define OLDER_PRESENT  ((2 * 125 + 10) * SECOND) /* RFC 3376 8.12 */

/* The version that the routers of the link understand (RFC 3376 7.2.1). */
static unsigned version(const struct netif *netif)
{
    const uint64_t now = netif->stack->now;
    if (now < netif->igmp_v1_until)
        return 1;
    return now < netif->igmp_v2_until ? 2 : 3;
}

static uint64_t random_delay(struct stack *stack, uint32_t most_ms)
{
    uint32_t random;
    stack->config.random(&random, sizeof random);
    return (uint64_t)random * most_ms / UINT32_MAX * MS;
}

static void send(struct netif *netif, struct packet *packet, struct ip_address destination)
{
    struct stack *stack = netif->stack;
    struct ip_route route;
    struct ip_send message = {.destination = destination,
                              .interface = netif->index,
                              .protocol = PROTOCOL_IGMP,
                              .hop_limit = 1,
                              .router_alert = true};
    /* RFC 3376 4.2.13: 0.0.0.0 while there is no address. */
    message.unspecified_source =
        ip_route_find(stack, &destination, NULL, netif->index, &route) || ip_is_any(&route.source);
    stack->counters.igmp_out++;
    ip_output(stack, &message, packet);
}

/* report: says what a group's state is, in the version of the link. */
static void report(struct netif *netif, const struct netif_group *group)
{
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    const bool leaving = group->members == 0;
    if (!packet)
        return;
    switch (version(netif)) {
    case 3:
        igmp_emit_v3(packet_append(packet, IGMP_V3_REPORT),
                     leaving               ? IGMP_TO_INCLUDE
                     : group->reports_left ? IGMP_TO_EXCLUDE
                                           : IGMP_IS_EXCLUDE,
                     &group->address);
        send(netif, packet, ip_v4(224, 0, 0, 22));
        break;
    case 2:
        igmp_emit(packet_append(packet, IGMP_SIZE), leaving ? IGMP_LEAVE : IGMP_REPORT_V2,
                  &group->address);
        send(netif, packet, leaving ? ip_v4(224, 0, 0, 2) : group->address);
        break;
    case 1: /* knows no leaving */
        igmp_emit(packet_append(packet, IGMP_SIZE), IGMP_REPORT_V1, &group->address);
        if (leaving)
            packet_release(netif->stack->pool, packet);
        else
            send(netif, packet, group->address);
    }
}

/* Nobody is told of 224.0.0.1, nor of groups that do not leave a host. */
static bool is_reported(const struct netif_group *group)
{
    const struct ip_address all_hosts = ip_v4(224, 0, 0, 1);
    return group->address.family == IP_V4 && !ip_equal(&group->address, &all_hosts);
}

/* The timer runs for the report that is due first. */
static void schedule(struct stack *stack)
{
    uint64_t first = 0;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        for (size_t i = 0; i < NETIF_GROUPS; i++) {
            const struct netif_group *group = &netif->groups[i];
            if (is_reported(group) && group->report_at && (!first || group->report_at < first))
                first = group->report_at;
        }
    }
    if (first)
        timer_start(&stack->timers, &stack->ip->igmp_timer, first);
    else
        timer_stop(&stack->timers, &stack->ip->igmp_timer);
}

/* report_now: and, after a change, once more a little later. A group that has been left for good
 * frees its slot. */
static void report_now(struct netif *netif, struct netif_group *group)
{
    const uint32_t interval = version(netif) == 3 ? V3_INTERVAL_MS : V2_INTERVAL_MS;
    report(netif, group);
    group->report_at = 0;
    if (group->reports_left)
        group->reports_left--;
    if (group->reports_left)
        group->report_at = netif->stack->now + random_delay(netif->stack, interval) + 1;
    else if (group->members == 0)
        *group = (struct netif_group){0};
}

static void expired(struct timer *timer, uint64_t now)
{
    struct ip_layer *layer =
        (struct ip_layer *)((char *)timer - offsetof(struct ip_layer, igmp_timer));
    struct stack *stack = layer->stack;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        for (size_t i = 0; i < NETIF_GROUPS; i++) {
            struct netif_group *group = &netif->groups[i];
            if (is_reported(group) && group->report_at && group->report_at <= now)
                report_now(netif, group);
        }
    }
    schedule(stack);
}

void igmp_create(struct stack *stack) { stack->ip->igmp_timer.expired = expired; }

static void change(struct netif *netif, struct netif_group *group)
{
    group->reports_left = ROBUSTNESS;
    if (is_reported(group))
        report_now(netif, group);
    schedule(netif->stack);
}

void igmp_joined(struct netif *netif, struct netif_group *group) { change(netif, group); }

void igmp_left(struct netif *netif, struct netif_group *group)
{
    if (is_reported(group))
        change(netif, group);
    else
        *group = (struct netif_group){0};
}

void igmp_link_up(struct netif *netif)
{
    netif->igmp_v1_until = netif->igmp_v2_until = 0;
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        if (is_reported(&netif->groups[i]) && netif->groups[i].members)
            change(netif, &netif->groups[i]);
    }
}

/* answer: within the time that a query allows, unless a report is due earlier (RFC 3376 5.2). */
static void answer(struct netif *netif, const struct igmp *query)
{
    struct stack *stack = netif->stack;
    if (query->version == 1)
        netif->igmp_v1_until = stack->now + OLDER_PRESENT;
    if (query->version == 2)
        netif->igmp_v2_until = stack->now + OLDER_PRESENT;
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (!is_reported(group) || group->members == 0 ||
            !(ip_is_any(&query->group) || ip_equal(&query->group, &group->address)))
            continue;
        const uint64_t at = stack->now + random_delay(stack, query->max_response_ms) + 1;
        if (!group->report_at || at < group->report_at)
            group->report_at = at;
    }
    schedule(stack);
}

/* overhear: in version 2 one member's report is enough for the link (RFC 2236 3). */
static void overhear(struct netif *netif, const struct ip_address *address)
{
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (ip_equal(&group->address, address) && group->members && version(netif) < 3) {
            group->report_at = 0;
            group->reports_left = 0;
        }
    }
    schedule(netif->stack);
}

void igmp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    struct igmp message;
    stack->counters.igmp_in++;
    /* Nothing of it crosses a router: hop limit 1 (RFC 2236 2, RFC 3376 4). */
    if (igmp_parse(&cursor, &message) && packet_checksum(0, packet) == 0xffff &&
        ip->hop_limit == 1 && !(packet->flags & PACKET_LOCAL)) {
        if (message.type == IGMP_QUERY)
            answer(ip->netif, &message);
        else if (message.type == IGMP_REPORT_V1 || message.type == IGMP_REPORT_V2)
            overhear(ip->netif, &message.group);
    }
    packet_release(stack->pool, packet);
}
