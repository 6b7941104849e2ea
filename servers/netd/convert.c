/* Addresses of the protocol to the stack's, and back. */
#include "netd/convert.h"

#include <string.h>

_Static_assert((int)NET_INET == (int)IP_V4 && (int)NET_INET6 == (int)IP_V6, "the same numbers");

bool endpoint_from(const struct net_address *address, struct endpoint *endpoint)
{
    *endpoint = (struct endpoint){.port = address->port};
    endpoint->interface = address->interface <= UINT16_MAX ? (uint16_t)address->interface : 0;
    if (address->family == NET_INET)
        endpoint->address = ip_v4_bytes(address->bytes);
    else if (address->family == NET_INET6)
        endpoint->address = ip_v6_bytes(address->bytes);
    return address->family == NET_INET || address->family == NET_INET6;
}

struct net_address endpoint_to(const struct endpoint *endpoint)
{
    struct net_address address = {.family = endpoint->address.family,
                                  .port = endpoint->port,
                                  .interface = endpoint->interface};
    memcpy(address.bytes, endpoint->address.bytes, sizeof address.bytes);
    return address;
}
