/* getnameinfo (RFC 3493 6.2): a socket address as names, or as numbers. */
#include "lookup.h"
#include "sockaddr.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int put(char *to, socklen_t size, const char *text)
{
    if (strlen(text) >= size)
        return EAI_OVERFLOW;
    strcpy(to, text);
    return 0;
}

static int numeric_host(const struct net_address *address, char *host, socklen_t size)
{
    char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE], name[IF_NAMESIZE];
    inet_ntop(address->family, address->bytes, text, INET6_ADDRSTRLEN);
    const struct in6_addr *v6 = (const void *)address->bytes;
    if (address->family == AF_INET6 && address->interface &&
        (IN6_IS_ADDR_LINKLOCAL(v6) || IN6_IS_ADDR_MC_LINKLOCAL(v6))) {
        if (!if_indextoname(address->interface, name))
            snprintf(name, sizeof name, "%u", (unsigned)address->interface);
        strcat(strcat(text, "%"), name);
    }
    return put(host, size, text);
}

static int host_name(const struct net_address *address, char *host, socklen_t size, int flags)
{
    if (!(flags & NI_NUMERICHOST)) {
        int error = lookup_address(address, host, size);
        if (error == 0 || error == EAI_OVERFLOW)
            return error;
        if (flags & NI_NAMEREQD)
            return EAI_NONAME;
    } else if (flags & NI_NAMEREQD) {
        return EAI_NONAME;
    }
    return numeric_host(address, host, size);
}

static int service_name(unsigned port, char *service, socklen_t size, int flags)
{
    char text[12];
    if (!(flags & NI_NUMERICSERV) &&
        lookup_port(port, flags & NI_DGRAM ? "udp" : "tcp", service, size) == 0)
        return 0;
    snprintf(text, sizeof text, "%u", port);
    return put(service, size, text);
}

int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size,
                char *service, socklen_t service_size, int flags)
{
    struct net_address native;
    bool wants_host = host && host_size, wants_service = service && service_size;
    if (flags & ~(NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM))
        return EAI_BADFLAGS;
    if (sockaddr_take(address, size, &native) != 0 || native.family == 0)
        return EAI_FAMILY;
    if (!wants_host && !wants_service)
        return EAI_NONAME;
    int error = wants_host ? host_name(&native, host, host_size, flags) : 0;
    if (!error && wants_service)
        error = service_name(native.port, service, service_size, flags);
    return error;
}
