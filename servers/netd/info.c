/* NET_STATS and NET_INFO. */
#include "netd/info.h"

#include "netd/calls.h"
#include "netd/configure.h"
#include "netd/convert.h"
#include "netd/sessions.h"
#include "netd/stack/dhcp/dhcp.h"
#include "netd/stack/ip.h"
#include <errno.h>
#include <string.h>

int64_t stats_request(struct request *request)
{
    struct net_stats_reply *r = (void *)request->reply->data;
    unsigned tcp, udp, raw;
    memset(r, 0, sizeof *r);
    for (const struct netif *netif = netd.stack->netifs; netif; netif = netif->next) {
        if (netif->kind == NETIF_LOOPBACK)
            continue;
        r->tx_packets += netif->counters.tx_packets;
        r->rx_packets += netif->counters.rx_packets;
        r->tx_bytes += netif->counters.tx_bytes;
        r->rx_bytes += netif->counters.rx_bytes;
        r->tx_dropped += netif->counters.tx_dropped;
        r->rx_dropped += netif->counters.rx_dropped;
    }
    sessions_count(&tcp, &udp, &raw);
    r->tcp_connections = tcp;
    r->udp_sockets = udp;
    r->raw_sockets = raw;
    r->waiting = calls_waiting();
    r->packets = netd.packets.pool.total;
    r->packets_in_use = netd.packets.pool.in_use;
    r->packets_peak = netd.packets.pool.peak;
    request->reply->len = sizeof *r;
    return 0;
}

static unsigned flags_of(const struct netif *netif, const struct dhcp_client *dhcp)
{
    unsigned flags = netif->up ? NET_INFO_UP : 0;
    flags |= netif->link || netif->kind == NETIF_LOOPBACK ? NET_INFO_LINK : 0;
    flags |= netif->kind == NETIF_LOOPBACK ? NET_INFO_LOOPBACK : 0;
    return flags | (dhcp && dhcp->configured && !dhcp->lease.fallback ? NET_INFO_DHCP : 0);
}

static struct net_address plain(const struct ip_address *address)
{
    return endpoint_to(&(struct endpoint){.address = *address});
}

int64_t info_request(struct request *request)
{
    uint64_t index = request->message->words[0];
    struct netif *netif = index <= UINT16_MAX ? netif_find(netd.stack, (unsigned)index) : NULL;
    struct net_info_reply *r = (void *)request->reply->data;
    const struct dhcp_client *dhcp = NULL;
    int64_t count = 0;
    if (!netif)
        return -ENOENT;
    memset(r, 0, sizeof *r);
    if (netif->kind == NETIF_ETHERNET)
        dhcp = configure_dhcp(((struct virtio_net *)netif->device)->number);
    memcpy(r->name, netif->name, sizeof r->name);
    memcpy(r->mac, netif->mac, sizeof r->mac);
    r->mtu = netif->mtu;
    r->flags = flags_of(netif, dhcp);
    for (unsigned i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (address->state == ADDRESS_FREE)
            continue;
        if (count < NET_INFO_ADDRESSES)
            r->addresses[count] = (struct net_info_address){.address = plain(&address->address),
                                                            .prefix = address->prefix,
                                                            .state = address->state};
        count++;
    }
    if (dhcp && dhcp->configured && dhcp->lease.router_count)
        r->gateway = plain(&dhcp->lease.routers[0]);
    if (dhcp && dhcp->configured && dhcp->lease.name_server_count)
        r->dns = plain(&dhcp->lease.name_servers[0]);
    request->reply->len = sizeof *r;
    return count;
}
