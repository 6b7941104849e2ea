/* Applies what DHCP finds out to the interfaces, and tells the resolver its servers. */
#include "netd/configure.h"

#include "netd/stack/dhcp/dhcp.h"
#include "netd/stack/dns/dns.h"
#include "netd/stack/ip.h"
#include "netd/stack/link/arp.h"
#include "netd/watches.h"
#include "proto/net.h"
#include <errno.h>
#include <stdlib.h>

#define HOSTNAME "cairn"
#define METRIC   100 /* of a DHCP router; the next has one more */
#define NEVER    (UINT64_MAX / 2)
#define WAIT     3000000000ull /* ns that a first lease is waited for */

static struct configured {
    struct dhcp_client dhcp;
    bool running;
    uint64_t expected_until;    /* whoever needs a lease waits */
    struct dhcp_lease lease;    /* as it was applied */
    struct ip_address conflict; /* somebody else has it; family IP_NONE: nobody */
} configured[INTERFACES_MAX];

static struct dns_resolver *resolver;

/* The name servers of all leases, those of the first interface first. */
static void set_name_servers(void)
{
    struct endpoint servers[DNS_SERVERS];
    unsigned count = 0;
    const char *domain = NULL;
    for (unsigned i = 0; i < netd.net_count; i++) {
        const struct dhcp_lease *lease = &configured[i].lease;
        for (unsigned n = 0; n < lease->name_server_count && count < DNS_SERVERS; n++)
            servers[count++] = (struct endpoint){.address = lease->name_servers[n]};
        if (!domain && lease->domain[0])
            domain = lease->domain;
    }
    if (resolver)
        dns_set_servers(resolver, servers, count, domain);
}

static void set_routes(struct netif *netif, const struct dhcp_lease *lease, bool add)
{
    for (unsigned i = 0; i < lease->router_count; i++) {
        const struct ip_route_entry entry = {.destination = ip_any(IP_V4),
                                             .metric = (uint16_t)(METRIC + i),
                                             .gateway = lease->routers[i],
                                             .netif = netif};
        if (add)
            ip_route_add(netif->stack, &entry);
        else
            ip_route_delete(netif->stack, &entry);
    }
}

static void lease_changed(void *context, const struct dhcp_lease *lease)
{
    struct virtio_net *net = context;
    struct netif *netif = &net->netif;
    struct dhcp_lease *applied = &configured[net->number].lease;
    char text[IP_TEXT_MAX];
    bool same = ip_equal(&applied->address, &lease->address) && applied->prefix == lease->prefix;
    set_routes(netif, applied, false);
    if (!same && applied->address.family != IP_NONE)
        netif_address_remove(netif, &applied->address);
    *applied = *lease;
    if (!same && lease->address.family != IP_NONE) {
        netif_address_add(netif, &lease->address, lease->prefix, ADDRESS_DHCP);
        arp_announce(netif, &lease->address);
        driver_log("netd: %s is %s/%u%s", netif->name, ip_format(&lease->address, text),
                   lease->prefix, lease->fallback ? " (no DHCP server has answered)" : "");
    }
    set_routes(netif, lease, true);
    if (lease->mtu >= IPV4_MTU_MIN && lease->mtu < netif->mtu)
        netif->mtu = lease->mtu;
    set_name_servers();
    watches_tell(NET_EVENT_ADDRESS);
}

static void probe(void *context, const struct ip_address *address)
{
    struct virtio_net *net = context;
    arp_probe(&net->netif, address);
}

/* Called from within the stack, where nothing may be sent: configure_poll tells the client. */
static void conflict(struct netif *netif, const struct ip_address *address)
{
    struct virtio_net *net = netif->device;
    configured[net->number].conflict = *address;
}

static void start_dhcp(struct virtio_net *net)
{
    struct configured *c = &configured[net->number];
    const struct dhcp_config config = {.fallback_after = net->number == 0 ? 0 : NEVER,
                                       .hostname = HOSTNAME,
                                       .changed = lease_changed,
                                       .probe = probe,
                                       .context = net};
    int error = dhcp_start(&c->dhcp, netd.stack, &net->netif, &config);
    c->running = error == 0;
    c->expected_until = netd.now + WAIT;
    if (error)
        driver_log("netd: no DHCP on %s (error %d)", net->netif.name, -error);
}

void configure_start(void)
{
    const struct dns_config config = {0};
    resolver = dns_create(netd.stack, &config);
    for (unsigned i = 0; i < netd.net_count; i++) {
        netd.nets[i].netif.conflict = conflict;
        if (netd.nets[i].netif.link)
            start_dhcp(&netd.nets[i]);
    }
}

void configure_poll(void)
{
    for (unsigned i = 0; i < netd.net_count; i++) {
        struct configured *c = &configured[i];
        if (!c->running)
            continue;
        if (c->conflict.family == IP_V4)
            dhcp_conflict(&c->dhcp, &c->conflict, netd.now);
        c->conflict = (struct ip_address){.family = IP_NONE};
        dhcp_poll(&c->dhcp, netd.now);
    }
    if (resolver)
        dns_poll(resolver, netd.now);
}

static uint64_t sooner(uint64_t a, uint64_t b) { return a && (a < b || !b) ? a : b; }

/* expected: this interface has no lease yet, but there may soon be one. */
static bool expected(const struct configured *c)
{
    return c->running && c->lease.address.family == IP_NONE && netd.now < c->expected_until;
}

bool configure_pending(void)
{
    bool pending = false;
    for (unsigned i = 0; i < netd.net_count; i++) {
        if (configured[i].lease.address.family != IP_NONE)
            return false;
        pending |= expected(&configured[i]);
    }
    return pending;
}

uint64_t configure_deadline(void)
{
    uint64_t deadline = resolver ? dns_deadline(resolver) : 0;
    for (unsigned i = 0; i < netd.net_count; i++)
        if (expected(&configured[i]))
            deadline = sooner(deadline, configured[i].expected_until);
    for (unsigned i = 0; i < netd.net_count; i++)
        if (configured[i].running)
            deadline = sooner(deadline, dhcp_deadline(&configured[i].dhcp));
    return deadline;
}

void configure_link_changed(struct virtio_net *net)
{
    struct configured *c = &configured[net->number];
    driver_log("netd: the link of %s is %s", net->netif.name, net->netif.link ? "up" : "down");
    if (c->running)
        dhcp_link(&c->dhcp, net->netif.link, netd.now);
    else if (net->netif.link)
        start_dhcp(net);
    watches_tell(NET_EVENT_LINK);
}

int configure_renew(struct virtio_net *net)
{
    struct configured *c = &configured[net->number];
    if (!net->netif.link)
        return -ENETDOWN;
    if (c->running)
        dhcp_stop(&c->dhcp);
    start_dhcp(net);
    return c->running ? 0 : -ENODEV;
}

struct dns_resolver *configure_resolver(void) { return resolver; }

const struct dhcp_client *configure_dhcp(unsigned number)
{
    return number < netd.net_count && configured[number].running ? &configured[number].dhcp : NULL;
}
