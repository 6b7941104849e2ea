/* Multicast memberships of a socket, and its options about sending to groups (RFC 1112, RFC 3493
 * 5.2). A membership is the interface's while the socket has it. */
#include "../netif.h"
#include "../stack.h"
#include "datagram.h"
#include <errno.h>
#include <string.h>

/* The interface that a program means: by its index, by an address of it, or none in particular. */
static struct netif *find_netif(struct stack *stack, unsigned index,
                                const struct ip_address *address, const struct ip_address *group)
{
    struct ip_route route;
    if (index)
        return netif_find(stack, index);
    if (!ip_is_any(address)) {
        for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
            if (netif_address_find(netif, address))
                return netif;
        }
        return NULL;
    }
    return ip_route_find(stack, group, NULL, 0, &route) ? NULL : route.netif;
}

static struct membership *find_membership(struct datagram_socket *datagram,
                                          const struct ip_address *group, unsigned interface)
{
    for (size_t i = 0; i < DATAGRAM_GROUPS; i++) {
        struct membership *membership = &datagram->groups[i];
        if (ip_equal(&membership->group, group) &&
            (interface == 0 || membership->interface == interface))
            return membership;
    }
    return NULL;
}

static int join(struct datagram_socket *datagram, const struct ip_address *group,
                struct netif *netif)
{
    const struct ip_address none = {0};
    if (!netif)
        return -ENODEV;
    if (find_membership(datagram, group, netif->index))
        return -EADDRINUSE;
    struct membership *membership = find_membership(datagram, &none, 0);
    if (!membership)
        return -ENOBUFS;
    const int error = netif_join(netif, group);
    if (error)
        return error == -ENOSPC ? -ENOBUFS : error;
    *membership = (struct membership){.group = *group, .interface = netif->index};
    return 0;
}

static int leave(struct datagram_socket *datagram, struct membership *membership)
{
    struct netif *netif = netif_find(datagram->socket.stack, membership->interface);
    const struct ip_address group = membership->group;
    *membership = (struct membership){0};
    return netif ? netif_leave(netif, &group) : -ENODEV;
}

void multicast_leave_all(struct datagram_socket *datagram)
{
    for (size_t i = 0; i < DATAGRAM_GROUPS; i++) {
        if (datagram->groups[i].group.family != IP_NONE)
            leave(datagram, &datagram->groups[i]);
    }
}

bool datagram_hears(const struct datagram_socket *datagram, const struct ip_received *ip)
{
    return find_membership((struct datagram_socket *)datagram, &ip->destination,
                           ip->netif->index) != NULL;
}

/* struct ip_mreq { group, interface address }, struct ip_mreqn { the same, index }, struct
 * ipv6_mreq { group, index }. */
#define MREQ_SIZE    8u
#define MREQN_SIZE   12u
#define V6_MREQ_SIZE 20u

static int change_membership(struct datagram_socket *datagram, bool joins, int level,
                             const uint8_t *value, size_t size)
{
    struct stack *stack = datagram->socket.stack;
    const bool v4 = level == LEVEL_IP;
    struct ip_address group, address = ip_any(IP_V4);
    int index = 0;
    if (size < (v4 ? MREQ_SIZE : V6_MREQ_SIZE))
        return -EINVAL;
    group = v4 ? ip_v4_bytes(value) : ip_v6_bytes(value);
    if (v4)
        address = ip_v4_bytes(value + 4);
    if (!v4)
        memcpy(&index, value + 16, sizeof index);
    else if (size >= MREQN_SIZE)
        memcpy(&index, value + 8, sizeof index);
    if (!ip_is_multicast(&group) || index < 0)
        return -EINVAL;
    if (joins)
        return join(datagram, &group, find_netif(stack, (unsigned)index, &address, &group));
    if (!index && !ip_is_any(&address)) {
        const struct netif *netif = find_netif(stack, 0, &address, &group);
        index = netif ? netif->index : 0;
    }
    struct membership *membership = find_membership(datagram, &group, (unsigned)index);
    return membership ? leave(datagram, membership) : -EADDRNOTAVAIL;
}

/* IP_MULTICAST_IF takes an address or a struct ip_mreqn, IPV6_MULTICAST_IF an index. */
static int set_interface(struct datagram_socket *datagram, int level, const uint8_t *value,
                         size_t size)
{
    struct ip_address address = ip_any(IP_V4);
    const struct ip_address none = ip_any(IP_NONE);
    int index = 0;
    if (size < sizeof index)
        return -EINVAL;
    if (level == LEVEL_IPV6)
        memcpy(&index, value, sizeof index);
    else if (size >= MREQN_SIZE)
        memcpy(&index, value + 8, sizeof index);
    if (level == LEVEL_IP)
        address = ip_v4_bytes(value + (size >= MREQ_SIZE ? 4 : 0));
    if (index == 0 && ip_is_any(&address)) {
        datagram->multicast_interface = 0;
        return 0;
    }
    const struct netif *netif =
        find_netif(datagram->socket.stack, (unsigned)index, &address, &none);
    if (!netif)
        return -EADDRNOTAVAIL;
    datagram->multicast_interface = netif->index;
    return 0;
}

/* The options with the same meaning for both families, under the names of IPv4. */
static int common_name(int level, int name)
{
    if (level == LEVEL_IP)
        return name;
    switch (level == LEVEL_IPV6 ? name : 0) {
    case OPTION_IPV6_MULTICAST_IF:
        return OPTION_IP_MULTICAST_IF;
    case OPTION_IPV6_MULTICAST_HOPS:
        return OPTION_IP_MULTICAST_TTL;
    case OPTION_IPV6_MULTICAST_LOOP:
        return OPTION_IP_MULTICAST_LOOP;
    case OPTION_IPV6_ADD_MEMBERSHIP:
        return OPTION_IP_ADD_MEMBERSHIP;
    case OPTION_IPV6_DROP_MEMBERSHIP:
        return OPTION_IP_DROP_MEMBERSHIP;
    }
    return 0;
}

int multicast_get_option(struct datagram_socket *datagram, int level, int name, int *value)
{
    switch (common_name(level, name)) {
    case OPTION_IP_MULTICAST_IF:
        *value = datagram->multicast_interface;
        return 0;
    case OPTION_IP_MULTICAST_TTL:
        *value = datagram->multicast_hops;
        return 0;
    case OPTION_IP_MULTICAST_LOOP:
        *value = datagram->multicast_loop;
        return 0;
    }
    return -ENOPROTOOPT;
}

int multicast_set_option(struct datagram_socket *datagram, int level, int name, const void *value,
                         size_t size)
{
    const int common = common_name(level, name);
    int number;
    switch (common) {
    case OPTION_IP_ADD_MEMBERSHIP:
    case OPTION_IP_DROP_MEMBERSHIP:
        return change_membership(datagram, common == OPTION_IP_ADD_MEMBERSHIP, level, value, size);
    case OPTION_IP_MULTICAST_IF:
        return set_interface(datagram, level, value, size);
    case OPTION_IP_MULTICAST_TTL:
    case OPTION_IP_MULTICAST_LOOP:
        break;
    default:
        return -ENOPROTOOPT;
    }
    /* IPv4's two may also be one byte long (ip(7)). */
    if (size == 0)
        return -EINVAL;
    number = *(const uint8_t *)value;
    if (size >= sizeof number)
        memcpy(&number, value, sizeof number);
    if (common == OPTION_IP_MULTICAST_LOOP) {
        datagram->multicast_loop = number != 0;
        return 0;
    }
    if (number < -1 || number > 255)
        return -EINVAL;
    datagram->multicast_hops = (uint8_t)(number == -1 ? 1 : number);
    return 0;
}
