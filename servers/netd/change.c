/* Changes the configuration by hand. What DHCP does later may change it again. */
#include "netd/change.h"

#include "netd/configure.h"
#include "netd/convert.h"
#include "netd/stack/ip.h"
#include "netd/stack/link/neighbour.h"
#include <errno.h>

struct change {
    struct netif *netif; /* NULL: none was named */
    struct endpoint address, gateway;
    unsigned prefix;
};

static int address_add(const struct change *c)
{
    unsigned bits = c->address.address.family == IP_V4 ? 32 : 128;
    if (ip_is_any(&c->address.address) || ip_is_multicast(&c->address.address) || c->prefix > bits)
        return -EINVAL;
    return netif_address_add(c->netif, &c->address.address, c->prefix, ADDRESS_STATIC);
}

static int address_remove(const struct change *c)
{
    if (!netif_address_find(c->netif, &c->address.address))
        return -ESRCH;
    return netif_address_remove(c->netif, &c->address.address);
}

static struct ip_route_entry route_of(const struct change *c)
{
    return (struct ip_route_entry){.destination = c->address.address,
                                   .prefix = (uint8_t)c->prefix,
                                   .gateway = c->gateway.address,
                                   .netif = c->netif};
}

static int route_add(const struct change *c)
{
    const struct ip_route_entry entry = route_of(c);
    return ip_route_add(netd.stack, &entry);
}

static int route_remove(const struct change *c)
{
    const struct ip_route_entry entry = route_of(c);
    return ip_route_delete(netd.stack, &entry);
}

static int link_up(const struct change *c)
{
    netif_set_link(c->netif, true);
    if (c->netif->kind == NETIF_ETHERNET)
        configure_link_changed(c->netif->device);
    return 0;
}

static int link_down(const struct change *c)
{
    netif_set_link(c->netif, false);
    if (c->netif->kind == NETIF_ETHERNET)
        configure_link_changed(c->netif->device);
    return 0;
}

static int dhcp_renew(const struct change *c)
{
    return c->netif->kind == NETIF_ETHERNET ? configure_renew(c->netif->device) : -ENODEV;
}

static int neighbours_flush(const struct change *c)
{
    neighbour_flush(c->netif);
    return 0;
}

static const struct {
    int (*make)(const struct change *change);
    bool needs_interface, needs_address;
} changes[] = {
    [NET_ADDRESS_ADD] = {address_add, true, true},
    [NET_ADDRESS_REMOVE] = {address_remove, true, true},
    [NET_ROUTE_ADD] = {route_add, false, true},
    [NET_ROUTE_REMOVE] = {route_remove, false, true},
    [NET_LINK_UP] = {link_up, true, false},
    [NET_LINK_DOWN] = {link_down, true, false},
    [NET_DHCP_RENEW] = {dhcp_renew, true, false},
    [NET_NEIGHBOURS_FLUSH] = {neighbours_flush, true, false},
};

int64_t change_request(struct request *request)
{
    const struct net_change_request *r = (const void *)request->message->data;
    struct change change = {.prefix = r->prefix};
    if (r->what >= sizeof changes / sizeof changes[0] || !changes[r->what].make)
        return -EINVAL;
    change.netif = r->interface ? netif_find(netd.stack, r->interface) : NULL;
    if (!change.netif && (r->interface || changes[r->what].needs_interface))
        return -ENODEV;
    if (!endpoint_from(&r->address, &change.address) && changes[r->what].needs_address)
        return -EINVAL;
    if (!endpoint_from(&r->gateway, &change.gateway) && r->gateway.family)
        return -EINVAL;
    return changes[r->what].make(&change);
}
