/* struct sockaddr to struct net_address, and back. */
#include "sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

int sockaddr_take(const struct sockaddr *address, socklen_t size, struct net_address *native)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    *native = (struct net_address){0};
    if (!address || size < sizeof address->sa_family)
        return -EINVAL;
    switch (address->sa_family) {
    case AF_UNSPEC:
        return 0;
    case AF_INET:
        if (size < sizeof v4)
            return -EINVAL;
        memcpy(&v4, address, sizeof v4);
        native->family = NET_INET;
        native->port = ntohs(v4.sin_port);
        memcpy(native->bytes, &v4.sin_addr, sizeof v4.sin_addr);
        return 0;
    case AF_INET6:
        if (size < sizeof v6)
            return -EINVAL;
        memcpy(&v6, address, sizeof v6);
        native->family = NET_INET6;
        native->port = ntohs(v6.sin6_port);
        native->interface = v6.sin6_scope_id;
        memcpy(native->bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
        return 0;
    default:
        return -EAFNOSUPPORT;
    }
}

socklen_t sockaddr_make(const struct net_address *native, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (native->family == NET_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(native->port);
        memcpy(&v4->sin_addr, native->bytes, sizeof v4->sin_addr);
        return sizeof *v4;
    }
    if (native->family == NET_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(native->port);
        v6->sin6_scope_id = native->interface;
        memcpy(&v6->sin6_addr, native->bytes, sizeof v6->sin6_addr);
        return sizeof *v6;
    }
    return 0;
}

void sockaddr_give(const struct net_address *native, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_storage whole;
    socklen_t length = sockaddr_make(native, &whole);
    memcpy(address, &whole, length < *size ? length : *size);
    *size = length;
}
