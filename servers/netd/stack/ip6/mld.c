/* Multicast listener reports. A group is in one of three conditions: joined and just reported
 * (report_at 0), with reports to be sent (reports_left at report_at), or left (members 0), with
 * the last reports to be sent before its slot is free. */
#include "mld.h"
#include "../stack.h"
#include "icmpv6.h"
#include "link.h"

#define MILLISECOND                 1000000ull
#define SECOND                      1000000000ull
#define ROBUSTNESS                  2              /* RFC 3810 9.1: each change is reported twice */
#define UNSOLICITED_REPORT_INTERVAL SECOND         /* RFC 3810 9.11 */
#define V1_QUERIER_PRESENT          (260 * SECOND) /* RFC 3810 9.12 with the default intervals */

static const struct ip_address all_mldv2_routers = {IP_V6, {0}, {0xff, 0x02, [15] = 0x16}};

/* --- reports --- */

/* Groups of the node itself, and that of all nodes, are never reported (RFC 3810 6). */
static bool is_reported(const struct netif_group *group)
{
    return group->address.family == IP_V6 && (group->address.bytes[1] & 15) > 1 &&
           !ip_equal(&group->address, &ipv6_all_nodes);
}

static bool v1_mode(const struct netif *netif)
{
    return netif->ipv6.mld_v1_until > netif->stack->now;
}

static void send(struct netif *netif, const struct ip_address *destination, struct packet *packet)
{
    /* From the unspecified address while there is no other (RFC 3810 5.2.13): the solicited-node
     * group must be joined before our first address may be used. */
    const struct ip_address source = ipv6_link_local(netif);
    const struct ip_send report = {.source = source,
                                   .destination = *destination,
                                   .interface = netif->index,
                                   .hop_limit = 1,
                                   .unspecified_source = ip_is_any(&source),
                                   .router_alert = true};
    netif->stack->counters.mld_out++;
    icmpv6_send(netif->stack, &report, packet);
}

static void report_v1(struct netif *netif, const struct netif_group *group)
{
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    mld_v1_emit(packet_append(packet, MLD_V1_SIZE), group->members ? MLD_REPORT_V1 : MLD_DONE,
                &group->address);
    send(netif, group->members ? &group->address : &ipv6_all_routers, packet);
}

static void report_v2(struct netif *netif, const struct netif_group *group,
                      enum mld_record_type type)
{
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    uint8_t *at = packet_append(packet, ICMPV6_ERROR_HEADER + MLD_RECORD_SIZE);
    mld_record_emit(mld_v2_emit(at, 1), type, &group->address);
    send(netif, &all_mldv2_routers, packet);
}

/* The answer to a general query: all groups in one message. */
static void report_all(struct netif *netif)
{
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    uint16_t records = 0;
    if (!packet)
        return;
    uint8_t *start = packet_append(packet, ICMPV6_ERROR_HEADER);
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        const struct netif_group *group = &netif->groups[i];
        if (!is_reported(group) || !group->members)
            continue;
        mld_record_emit(packet_append(packet, MLD_RECORD_SIZE), MLD_IS_EXCLUDE, &group->address);
        records++;
    }
    mld_v2_emit(start, records);
    send(netif, &all_mldv2_routers, packet);
}

/* A change is told ROBUSTNESS times, an answer to a query once. */
static void report(struct netif *netif, const struct netif_group *group)
{
    if (v1_mode(netif))
        report_v1(netif, group);
    else if (!group->members)
        report_v2(netif, group, MLD_TO_INCLUDE);
    else
        report_v2(netif, group, group->reports_left > 0 ? MLD_TO_EXCLUDE : MLD_IS_EXCLUDE);
}

/* --- changes --- */

static void begin(struct netif *netif, struct netif_group *group)
{
    group->reports_left = ROBUSTNESS;
    group->report_at = netif->stack->now ? netif->stack->now : 1;
    ipv6_link_schedule(netif, group->report_at);
}

static bool is_running(const struct netif *netif) { return netif->up && netif->link; }

void mld_joined(struct netif *netif, struct netif_group *group)
{
    if (is_reported(group) && is_running(netif))
        begin(netif, group);
}

void mld_left(struct netif *netif, struct netif_group *group)
{
    if (is_reported(group) && is_running(netif))
        begin(netif, group);
    else
        *group = (struct netif_group){0};
}

void mld_link_up(struct netif *netif)
{
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (!is_reported(group))
            continue;
        if (group->members)
            begin(netif, group);
        else
            *group = (struct netif_group){0};
    }
}

static void report_group(struct netif *netif, struct netif_group *group, uint64_t now)
{
    report(netif, group);
    if (group->reports_left > 0)
        group->reports_left--;
    group->report_at =
        group->reports_left ? now + 1 + ipv6_random_delay(netif, UNSOLICITED_REPORT_INTERVAL) : 0;
    if (!group->report_at && !group->members)
        *group = (struct netif_group){0};
}

uint64_t mld_run(struct netif *netif, uint64_t now)
{
    struct ipv6_link *link = &netif->ipv6;
    if (link->mld_report_at && link->mld_report_at <= now) {
        link->mld_report_at = 0;
        report_all(netif);
    }
    uint64_t next = link->mld_report_at;
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (group->address.family != IP_V6 || !group->report_at)
            continue;
        if (group->report_at <= now)
            report_group(netif, group, now);
        next = ipv6_earlier(next, group->report_at);
    }
    return next;
}

/* --- queries --- */

/* The answer comes at a random moment of the time allowed, or with a report that is due sooner. */
static void answer_at(struct netif *netif, uint64_t *report_at, uint64_t at)
{
    *report_at = ipv6_earlier(*report_at, at);
    ipv6_link_schedule(netif, *report_at);
}

static void answer_query(struct netif *netif, const struct mld_query *query)
{
    const uint64_t limit = query->max_response_ms * MILLISECOND;
    const uint64_t at = netif->stack->now + 1 + ipv6_random_delay(netif, limit);
    const bool general = ip_is_any(&query->group);
    if (general && !v1_mode(netif)) {
        answer_at(netif, &netif->ipv6.mld_report_at, at);
        return;
    }
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (is_reported(group) && group->members &&
            (general || ip_equal(&group->address, &query->group)))
            answer_at(netif, &group->report_at, at);
    }
}

/* RFC 2710 5: another host of the group has answered already; the router wants to hear one. */
static void heard_report(struct netif *netif, const struct ip_address *address)
{
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *group = &netif->groups[i];
        if (ip_equal(&group->address, address) && group->members && v1_mode(netif)) {
            group->report_at = 0;
            group->reports_left = 0;
        }
    }
}

/* RFC 3810 5.1.14, 6.2: what was routed, or comes from no neighbour, is no query. Sources that a
 * query names are not looked at: we are in every group with all of its sources. */
void mld_input(struct stack *stack, const struct ip_received *ip, uint8_t type,
               struct cursor message)
{
    struct netif *netif = ip->netif;
    struct mld_query query;
    struct ip_address group;
    if (netif->kind != NETIF_ETHERNET || ip->hop_limit != 1 || !ip_is_link_local(&ip->source))
        return;
    stack->counters.mld_in++;
    if (type == MLD_REPORT_V1) {
        if (mld_v1_parse(&message, &group))
            heard_report(netif, &group);
    } else if (mld_query_parse(&message, &query)) {
        if (!query.v2)
            netif->ipv6.mld_v1_until = stack->now + V1_QUERIER_PRESENT;
        answer_query(netif, &query);
    }
}
