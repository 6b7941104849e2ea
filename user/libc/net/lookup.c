/* Looks names up in the tables, then asks netd. */
#include "lookup.h"

#include "cairn/ipc.h"
#include "netclient/netclient.h"
#include "tables.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>

/* What the resolver says, as getaddrinfo does. */
static int eai(int error)
{
    switch (error) {
    case -ENOENT:
        return EAI_NONAME;
    case -ENODATA:
        return EAI_NODATA;
    case -EAGAIN:
    case -ETIMEDOUT:
    case -ENETUNREACH:
    case -ENOBUFS:
        return EAI_AGAIN;
    case -EINVAL:
    case -ENAMETOOLONG:
        return EAI_NONAME;
    case -EPROTO:
        return EAI_FAIL;
    default:
        errno = -error;
        return EAI_SYSTEM;
    }
}

int lookup_host(const char *name, unsigned family,
                struct net_address addresses[NET_ADDRESSES_MAX])
{
    FILE *file = fopen(HOSTS_FILE, "r");
    if (file) {
        unsigned count = hosts_addresses(file, name, family, addresses, NET_ADDRESSES_MAX);
        fclose(file);
        if (count > 0)
            return (int)count;
    }
    int count = net_resolve(name, family, NO_DEADLINE, addresses);
    return count > 0 ? count : eai(count == 0 ? -ENODATA : count);
}

void lookup_canonical(const char *name, unsigned family, char canonical[NET_NAME_MAX])
{
    struct net_address address;
    bool found = false;
    FILE *file = fopen(HOSTS_FILE, "r");
    if (file && hosts_addresses(file, name, family, &address, 1) > 0) {
        rewind(file);
        found = hosts_name(file, &address, canonical, NET_NAME_MAX);
    }
    if (file)
        fclose(file);
    if (!found && net_canonical(name, family, NO_DEADLINE, canonical) < 0)
        snprintf(canonical, NET_NAME_MAX, "%s", name);
}

static bool leads_beyond(const struct net_address *address)
{
    if (address->family == NET_INET) /* 169.254.0.0/16, RFC 3927 */
        return address->bytes[0] != 169 || address->bytes[1] != 254;
    return address->bytes[0] != 0xfe || (address->bytes[1] & 0xc0) != 0x80;
}

bool lookup_configured(unsigned family)
{
    struct net_info_reply info;
    for (unsigned interface = 1;; interface++) {
        int64_t count = net_info(interface, &info);
        if (count < 0)
            return false;
        if (info.flags & NET_INFO_LOOPBACK)
            continue;
        for (int i = 0; i < count && i < NET_INFO_ADDRESSES; i++)
            if (info.addresses[i].address.family == family &&
                leads_beyond(&info.addresses[i].address))
                return true;
    }
}

int lookup_address(const struct net_address *address, char *name, size_t size)
{
    char found[NET_NAME_MAX];
    FILE *file = fopen(HOSTS_FILE, "r");
    if (file) {
        bool known = hosts_name(file, address, name, size);
        fclose(file);
        if (known)
            return 0;
    }
    int length = net_name(address, NO_DEADLINE, found);
    if (length < 0)
        return eai(length);
    if ((size_t)length >= size)
        return EAI_OVERFLOW;
    strcpy(name, found);
    return 0;
}

int lookup_service(const char *name, const char *protocol, const char **found)
{
    FILE *file = fopen(SERVICES_FILE, "r");
    if (!file)
        return EAI_SERVICE;
    unsigned port = services_port(file, name, protocol, found);
    fclose(file);
    return port ? (int)port : EAI_SERVICE;
}

int lookup_port(unsigned port, const char *protocol, char *name, size_t size)
{
    FILE *file = fopen(SERVICES_FILE, "r");
    if (!file)
        return EAI_NONAME;
    bool found = services_name(file, port, protocol, name, size);
    fclose(file);
    return found ? 0 : EAI_NONAME;
}
