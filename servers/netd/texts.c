/* The files of net:. Each is a table that a person reads; programs have messages. */
#include "netd/calls.h"
#include "netd/capture.h"
#include "netd/configure.h"
#include "netd/info.h"
#include "netd/stack/dhcp/dhcp.h"
#include "netd/stack/dns/dns.h"
#include "netd/stack/ip.h"
#include "netd/stack/link/neighbour.h"
#include "netd/stack/socket.h"
#include "netd/stack/transport.h"
#include <errno.h>
#include <string.h>

#define END_MAX (IP_TEXT_MAX + 16) /* address and port as text */

/* ---- net:status --------------------------------------------------------------------------- */

static void print_addresses(struct text *out, const struct netif *netif)
{
    static const char *const states[] = {"", "tentative", "", "deprecated"};
    char address[IP_TEXT_MAX];
    for (unsigned i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *a = &netif->addresses[i];
        if (a->state == ADDRESS_FREE)
            continue;
        text_print(out, "    address %s/%u%s%s\n", ip_format(&a->address, address), a->prefix,
                   states[a->state][0] ? " " : "", states[a->state]);
    }
}

static void print_lease(struct text *out, const struct dhcp_client *dhcp)
{
    char address[IP_TEXT_MAX];
    text_print(out, "    dhcp %s%s", dhcp_state_name(dhcp->state),
               dhcp->configured && dhcp->lease.fallback ? " (fallback address)" : "");
    if (dhcp->configured && dhcp->lease.expires_at > netd.now)
        text_print(out, ", %llu s left",
                   (unsigned long long)(dhcp->lease.expires_at - netd.now) / 1000000000);
    text_print(out, "\n");
    for (unsigned i = 0; dhcp->configured && i < dhcp->lease.router_count; i++)
        text_print(out, "    router %s\n", ip_format(&dhcp->lease.routers[i], address));
    for (unsigned i = 0; dhcp->configured && i < dhcp->lease.name_server_count; i++)
        text_print(out, "    nameserver %s\n", ip_format(&dhcp->lease.name_servers[i], address));
}

static int status(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    for (const struct netif *netif = netd.stack->netifs; netif; netif = netif->next) {
        const struct netif_counters *c = &netif->counters;
        bool ethernet = netif->kind == NETIF_ETHERNET;
        text_print(out, "%s: %s, mtu %u\n", netif->name,
                   !netif->up                 ? "off"
                   : netif->link || !ethernet ? "up"
                                              : "no link",
                   netif->mtu);
        if (ethernet) {
            const uint8_t *m = netif->mac;
            const struct dhcp_client *dhcp =
                configure_dhcp(((struct virtio_net *)netif->device)->number);
            text_print(out, "    ether %02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3],
                       m[4], m[5]);
            if (dhcp)
                print_lease(out, dhcp);
        }
        print_addresses(out, netif);
        text_print(out, "    received %llu packets, %llu bytes, %llu errors, %llu dropped\n",
                   (unsigned long long)c->rx_packets, (unsigned long long)c->rx_bytes,
                   (unsigned long long)c->rx_errors, (unsigned long long)c->rx_dropped);
        text_print(out, "    sent %llu packets, %llu bytes, %llu errors, %llu dropped\n",
                   (unsigned long long)c->tx_packets, (unsigned long long)c->tx_bytes,
                   (unsigned long long)c->tx_errors, (unsigned long long)c->tx_dropped);
    }
    return 0;
}

/* ---- net:routes, net:neighbours, net:sockets ---------------------------------------------- */

static void print_route(void *context, const struct ip_route_entry *entry)
{
    char destination[IP_TEXT_MAX], gateway[IP_TEXT_MAX];
    text_print(context, "%s/%u via %s dev %s metric %u\n",
               ip_format(&entry->destination, destination), entry->prefix,
               entry->connected || entry->gateway.family == IP_NONE
                   ? "link"
                   : ip_format(&entry->gateway, gateway),
               entry->netif ? entry->netif->name : "-", entry->metric);
}

static int routes(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    ip_route_list(netd.stack, print_route, out);
    return 0;
}

static void print_neighbour(void *context, const struct neighbour_facts *facts)
{
    static const char *const states[] = {
        [NEIGHBOUR_FREE] = "FREE",    [NEIGHBOUR_INCOMPLETE] = "INCOMPLETE",
        [NEIGHBOUR_STALE] = "STALE",  [NEIGHBOUR_REACHABLE] = "REACHABLE",
        [NEIGHBOUR_DELAY] = "DELAY",  [NEIGHBOUR_PROBE] = "PROBE",
        [NEIGHBOUR_FAILED] = "FAILED"};
    char address[IP_TEXT_MAX];
    const uint8_t *m = facts->mac;
    text_print(context, "%s at %02x:%02x:%02x:%02x:%02x:%02x dev %s %s\n",
               ip_format(&facts->address, address), m[0], m[1], m[2], m[3], m[4], m[5],
               facts->netif->name, states[facts->state]);
}

static int neighbours(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    neighbour_list(netd.stack, print_neighbour, out);
    return 0;
}

static void print_end(struct text *out, const struct endpoint *end)
{
    char address[IP_TEXT_MAX], text[END_MAX];
    struct text line = {.data = text, .size = sizeof text};
    const char *host = ip_is_any(&end->address) ? "*" : ip_format(&end->address, address);
    text_print(&line, end->address.family == IP_V6 && host != address ? "[%s]" : "%s", host);
    text_print(&line, end->port ? ":%u" : ":*", end->port);
    text_print(out, "  %-*.*s", 28, (int)line.len, text);
}

static void print_socket(void *context, const struct socket_facts *facts)
{
    static const char *const types[] = {"?", "tcp", "udp", "raw"};
    struct text *out = context;
    char proto[8];
    struct text kind = {.data = proto, .size = sizeof proto};
    text_print(&kind, "%s%s", types[facts->type & 3], facts->family == IP_V6 ? "6" : "");
    text_print(out, "%-5.*s %7u %7u", (int)kind.len, proto, facts->receive_queue,
               facts->send_queue);
    print_end(out, &facts->local);
    print_end(out, &facts->peer);
    text_print(out, "  %s\n", facts->state);
}

static int sockets(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    text_print(out, "proto  recv-q  send-q  %-28s  %-28s  state\n", "local", "peer");
    socket_list(netd.stack, print_socket, out);
    return 0;
}

/* ---- net:counters ------------------------------------------------------------------------- */

#define COUNTER(field)                                                                             \
    {                                                                                              \
#field, offsetof(struct stack_counters, field)                                             \
    }
static const struct {
    const char *name;
    size_t offset;
} counter_table[] = {
    COUNTER(ip_in),
    COUNTER(ip_in_header_errors),
    COUNTER(ip_in_address_errors),
    COUNTER(ip_in_unknown_protocol),
    COUNTER(ip_in_delivered),
    COUNTER(ip_out),
    COUNTER(ip_out_no_route),
    COUNTER(ip_out_dropped),
    COUNTER(ip_fragments_in),
    COUNTER(ip_fragments_made),
    COUNTER(ip_reassembled),
    COUNTER(ip_reassembly_failed),
    COUNTER(icmp_in),
    COUNTER(icmp_in_errors),
    COUNTER(icmp_out),
    COUNTER(icmp_out_limited),
    COUNTER(arp_in),
    COUNTER(arp_out),
    COUNTER(arp_ignored),
    COUNTER(nd_in),
    COUNTER(nd_out),
    COUNTER(nd_ignored),
    COUNTER(neighbour_evicted),
    COUNTER(neighbour_failed),
    COUNTER(udp_in),
    COUNTER(udp_in_errors),
    COUNTER(udp_no_port),
    COUNTER(udp_out),
    COUNTER(udp_queue_full),
    COUNTER(raw_in),
    COUNTER(raw_queue_full),
    COUNTER(igmp_in),
    COUNTER(igmp_out),
    COUNTER(mld_in),
    COUNTER(mld_out),
};

static void print_counter(void *context, const char *name, uint64_t value)
{
    text_print(context, "%s %llu\n", name, (unsigned long long)value);
}

static int counters(void *context, const char *name, struct text *out)
{
    const struct packet_pool *pool = &netd.packets.pool;
    (void)context;
    (void)name;
    for (size_t i = 0; i < sizeof counter_table / sizeof counter_table[0]; i++) {
        const char *at = (const char *)&netd.stack->counters + counter_table[i].offset;
        print_counter(out, counter_table[i].name, *(const uint64_t *)(const void *)at);
    }
    transports_statistics(netd.stack, print_counter, out);
    text_print(out, "packets %u\npackets_in_use %u\npackets_peak %u\npacket_failures %llu\n",
               pool->total, pool->in_use, pool->peak, (unsigned long long)pool->failures);
    text_print(out, "sockets %u\nsocket_packets %u\nrequests_waiting %u\n",
               netd.stack->socket_count, netd.stack->socket_packets, calls_waiting());
    return 0;
}

/* ---- The tree ----------------------------------------------------------------------------- */

static int no_text(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    (void)out;
    return -ENODEV; /* net:capture:NAME is opened by capture.c; what comes here is no interface */
}

static int list_interfaces(void *context, size_t index, char *value)
{
    (void)context;
    const struct netif *netif = netif_find(netd.stack, (unsigned)index + 1);
    if (!netif)
        return -ENOENT;
    strcpy(value, netif->name);
    return 0;
}

static const struct text_file files[] = {
    {.name = "status", .generate = status},
    {.name = "routes", .generate = routes},
    {.name = "neighbours", .generate = neighbours},
    {.name = "sockets", .generate = sockets},
    {.name = "counters", .generate = counters},
    {.name = "capture:*", .generate = no_text, .list = list_interfaces},
};
const struct text_tree info_tree = {
    .badge = 0, .files = files, .count = sizeof files / sizeof files[0]};
