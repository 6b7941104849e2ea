/* hold PORT COUNT: takes COUNT connections and holds them, idle, until it is killed. On the native
 * API: it needs more sockets than a program has descriptors. */
#include "cairn/ipc.h"
#include "netclient/netclient.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct net_address any = {.family = NET_INET};
    if (argc != 3)
        return 2;
    any.port = (uint16_t)atoi(argv[1]);
    handle_t server = net_socket(NET_INET, NET_STREAM, 0);
    int error = server < 0 ? server : net_bind(server, &any);
    if (!error)
        error = net_listen(server, 1024);
    for (int i = 0; i < atoi(argv[2]) && error >= 0; i++)
        error = net_accept(server, 0, NO_DEADLINE, NULL);
    if (error < 0) {
        printf("hold: %s\n", strerror(-error));
        return 1;
    }
    printf("holding %s\n", argv[2]);
    fflush(stdout);
    sleep_until(UINT64_MAX);
    return 0;
}
