/* gethostbyname and its relatives, for programs older than getaddrinfo. Each answers in memory of
 * its own, which the next call of the same function uses again. */
#include "lookup.h"
#include <netdb.h>
#include <stdio.h>
#include <string.h>

__thread int h_errno;

struct hostent *gethostbyname(const char *name)
{
    static struct hostent host;
    static char host_name[NI_MAXHOST];
    static struct in_addr list[NET_ADDRESSES_MAX];
    static char *pointers[NET_ADDRESSES_MAX + 1], *no_aliases[1];
    struct net_address found[NET_ADDRESSES_MAX];
    int count = inet_aton(name, &list[0]) ? 1 : 0;
    if (count == 0) {
        count = lookup_host(name, NET_INET, found);
        for (int i = 0; i < count; i++)
            memcpy(&list[i], found[i].bytes, sizeof list[i]);
    }
    if (count < 0) {
        h_errno = count == EAI_AGAIN    ? TRY_AGAIN
                  : count == EAI_NODATA ? NO_DATA
                  : count == EAI_NONAME ? HOST_NOT_FOUND
                                        : NO_RECOVERY;
        return NULL;
    }
    for (int i = 0; i < count; i++)
        pointers[i] = (char *)&list[i];
    pointers[count] = NULL;
    snprintf(host_name, sizeof host_name, "%s", name);
    host = (struct hostent){host_name, no_aliases, AF_INET, sizeof list[0], pointers};
    return &host;
}

static char *no_aliases[1];

struct servent *getservbyname(const char *name, const char *protocol)
{
    static struct servent service;
    static char service_name[NI_MAXSERV];
    const char *found;
    int port = lookup_service(name, protocol, &found);
    if (port < 0)
        return NULL;
    snprintf(service_name, sizeof service_name, "%s", name);
    service = (struct servent){service_name, no_aliases, htons((uint16_t)port), (char *)found};
    return &service;
}

struct servent *getservbyport(int port, const char *protocol)
{
    static struct servent service;
    static char service_name[NI_MAXSERV];
    if (lookup_port(ntohs((uint16_t)port), protocol, service_name, sizeof service_name) != 0)
        return NULL;
    service =
        (struct servent){service_name, no_aliases, port, (char *)(protocol ? protocol : "tcp")};
    return &service;
}
