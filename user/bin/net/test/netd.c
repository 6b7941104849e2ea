/* A netd for tests of net on the host: two interfaces; a change is printed. */
#include "netclient/netclient.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_address(const char *name, const struct net_address *address)
{
    printf(" %s %u:", name, address->family);
    for (unsigned i = 0; i < (address->family == NET_INET ? 4u : 16u); i++)
        printf("%02x", address->bytes[i]);
}

int net_change(const struct net_change_request *request)
{
    printf("what %u interface %u", request->what, request->interface);
    print_address("address", &request->address);
    printf("/%u", request->prefix);
    print_address("gateway", &request->gateway);
    printf("\n");
    return request->address.bytes[0] == 99 ? -EEXIST : 0;
}

int64_t net_info(unsigned interface, struct net_info_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    strcpy(reply->name, interface == 1 ? "lo" : "eth0");
    return interface <= 2 ? 0 : -ENOENT;
}
