/* Interfaces by name and by number, asked of netd. */
#include "netclient/netclient.h"
#include <errno.h>
#include <net/if.h>
#include <string.h>

_Static_assert(IF_NAMESIZE == sizeof((struct net_info_reply){0}).name, "the same size");

unsigned if_nametoindex(const char *name)
{
    struct net_info_reply info;
    for (unsigned index = 1; net_info(index, &info) >= 0; index++)
        if (strncmp(info.name, name, sizeof info.name) == 0)
            return index;
    errno = ENODEV;
    return 0;
}

char *if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
    struct net_info_reply info;
    if (net_info(index, &info) < 0) {
        errno = ENXIO;
        return NULL;
    }
    memcpy(name, info.name, IF_NAMESIZE);
    return name;
}
