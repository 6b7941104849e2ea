/* The accounts: a small table, searched from one end to the other. */
#include "netd/clients.h"

#include "abi/process.h"
#include "netd/calls.h"
#include <errno.h>
#include <stddef.h>

#define CLIENTS_MAX (2 * PROCESSES_MAX) /* the living, and those that left sockets to others */

static struct client {
    uint32_t pid;
    uint32_t sockets, calls; /* both 0: free */
} clients[CLIENTS_MAX];

/* The account of pid; a free one if it has none, NULL if there is none either. */
static struct client *find(uint32_t pid)
{
    struct client *free = NULL;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        bool used = clients[i].sockets || clients[i].calls;
        if (used && clients[i].pid == pid)
            return &clients[i];
        if (!used && !free)
            free = &clients[i];
    }
    if (free)
        free->pid = pid;
    return free;
}

int client_take_socket(uint32_t pid)
{
    struct client *client = find(pid);
    if (!client)
        return -ENFILE;
    if (client->sockets == SOCKETS_A_CLIENT)
        return -EMFILE;
    client->sockets++;
    return 0;
}

void client_drop_socket(uint32_t pid) { find(pid)->sockets--; }

bool client_may_wait(uint32_t pid)
{
    const struct client *client = find(pid);
    return client && client->calls < CALLS_A_CLIENT;
}

bool client_take_call(uint32_t pid)
{
    if (!client_may_wait(pid))
        return false;
    find(pid)->calls++;
    return true;
}

void client_drop_call(uint32_t pid) { find(pid)->calls--; }
