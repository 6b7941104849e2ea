/* getaddrinfo (RFC 3493 6.1, POSIX): a host and a service become a list of addresses to try, one for
 * each kind of socket that fits. */
#include "lookup.h"
#include "sockaddr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS                                                                                      \
    (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG |           \
     AI_NUMERICSERV)

/* The kinds of sockets, in the order of the results. Of a type or protocol that was asked for, only
 * the first that fits is given. */
static const struct kind {
    int type, protocol;
    const char *name;
} kinds[] = {
    {SOCK_STREAM, IPPROTO_TCP, "tcp"},
    {SOCK_DGRAM, IPPROTO_UDP, "udp"},
    {SOCK_RAW, 0, NULL},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static bool kind_fits(const struct kind *kind, const struct addrinfo *hints)
{
    if (hints->ai_socktype && hints->ai_socktype != kind->type)
        return false;
    return !hints->ai_protocol || kind->protocol == 0 || hints->ai_protocol == kind->protocol;
}

/* ---- Addresses ---------------------------------------------------------------------------- */

struct addresses {
    struct net_address list[NET_ADDRESSES_MAX];
    int count;
    char canonical[NET_NAME_MAX]; /* with AI_CANONNAME */
};

static void add(struct addresses *to, unsigned family, const void *bytes, size_t size)
{
    struct net_address *address = &to->list[to->count++];
    *address = (struct net_address){.family = (uint16_t)family};
    memcpy(address->bytes, bytes, size);
}

static void map(struct net_address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    memmove(address->bytes + 12, address->bytes, 4);
    memcpy(address->bytes, prefix, sizeof prefix);
    address->family = NET_INET6;
}

/* No host: this one. */
static void add_own(struct addresses *to, const struct addrinfo *hints)
{
    const in_addr_t any = htonl(INADDR_ANY), loopback = htonl(INADDR_LOOPBACK);
    bool passive = hints->ai_flags & AI_PASSIVE;
    if (hints->ai_family != AF_INET)
        add(to, NET_INET6, passive ? &in6addr_any : &in6addr_loopback, sizeof in6addr_any);
    if (hints->ai_family != AF_INET6)
        add(to, NET_INET, passive ? &any : &loopback, sizeof any);
}

/* "address%interface": the number or name behind the last %. False: no such interface. */
static bool take_scope(char *text, unsigned *interface)
{
    char *percent = strrchr(text, '%'), *end;
    *interface = 0;
    if (!percent)
        return true;
    *percent = '\0';
    unsigned long number = strtoul(percent + 1, &end, 10);
    if (end != percent + 1 && *end == '\0' && number <= UINT16_MAX)
        *interface = (unsigned)number;
    else
        *interface = if_nametoindex(percent + 1);
    return *interface != 0;
}

/* The host as a number: 0 with one address; EAI_NONAME if it is none; EAI_FAMILY: of the other family. */
static int add_numeric(struct addresses *to, const char *host, const struct addrinfo *hints)
{
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE];
    struct in_addr v4;
    struct in6_addr v6;
    unsigned interface;
    if (inet_aton(host, &v4)) {
        if (hints->ai_family == AF_INET6 && !(hints->ai_flags & AI_V4MAPPED))
            return EAI_FAMILY;
        add(to, NET_INET, &v4, sizeof v4);
        if (hints->ai_family == AF_INET6)
            map(&to->list[0]);
        return 0;
    }
    if (strlen(host) >= sizeof text)
        return EAI_NONAME;
    strcpy(text, host);
    if (!take_scope(text, &interface) || inet_pton(AF_INET6, text, &v6) != 1)
        return EAI_NONAME;
    if (hints->ai_family == AF_INET) {
        if (!IN6_IS_ADDR_V4MAPPED(&v6))
            return EAI_FAMILY;
        add(to, NET_INET, v6.s6_addr + 12, sizeof v4);
        return 0;
    }
    add(to, NET_INET6, &v6, sizeof v6);
    to->list[0].interface = interface;
    return 0;
}

/* AI_ADDRCONFIG: only families of which this host has an address. Without any network both are good
 * for its own names, as with glibc. */
static unsigned configured_family(const struct addrinfo *hints)
{
    unsigned family = (unsigned)hints->ai_family;
    if (!(hints->ai_flags & AI_ADDRCONFIG) || family != AF_UNSPEC)
        return family;
    bool v4 = lookup_configured(NET_INET), v6 = lookup_configured(NET_INET6);
    return v4 == v6 ? AF_UNSPEC : v4 ? NET_INET : NET_INET6;
}

static int add_named(struct addresses *to, const char *host, const struct addrinfo *hints)
{
    bool mapped = hints->ai_family == AF_INET6 && (hints->ai_flags & AI_V4MAPPED);
    bool all = mapped && (hints->ai_flags & AI_ALL);
    int count = lookup_host(host, all ? 0 : configured_family(hints), to->list);
    if (mapped && (count == EAI_NODATA || count == EAI_NONAME))
        count = lookup_host(host, NET_INET, to->list);
    if (count < 0)
        return count;
    if (hints->ai_flags & AI_CANONNAME)
        lookup_canonical(host, to->list[0].family, to->canonical);
    for (int i = 0; i < count; i++)
        if (mapped && to->list[i].family == NET_INET)
            map(&to->list[i]);
    to->count = count;
    return 0;
}

static int find_addresses(struct addresses *to, const char *host, const struct addrinfo *hints)
{
    if (!host) {
        add_own(to, hints);
        return 0;
    }
    int error = add_numeric(to, host, hints);
    snprintf(to->canonical, sizeof to->canonical, "%s", host);
    if (error == EAI_NONAME && !(hints->ai_flags & AI_NUMERICHOST))
        error = add_named(to, host, hints);
    return error;
}

/* ---- Services ----------------------------------------------------------------------------- */

/* The port for one kind of socket, or EAI_*. */
static int port_of(const char *service, const struct kind *kind, const struct addrinfo *hints)
{
    char *end;
    if (!service)
        return 0;
    if (!kind->name && hints->ai_socktype) /* raw sockets have no ports */
        return EAI_SERVICE;
    unsigned long number = strtoul(service, &end, 10);
    if (*service >= '0' && *service <= '9' && *end == '\0')
        return number <= UINT16_MAX ? (int)number : EAI_SERVICE;
    if (hints->ai_flags & AI_NUMERICSERV)
        return EAI_NONAME;
    return kind->name ? lookup_service(service, kind->name, NULL) : EAI_SERVICE;
}

/* ---- The list ----------------------------------------------------------------------------- */

/* One result in one block, so that freeing it is freeing one thing. */
struct entry {
    struct addrinfo info; /* first */
    struct sockaddr_storage address;
    char name[];
};

static int append(struct addrinfo ***last, const struct net_address *address,
                  const struct kind *kind, int port, const struct addrinfo *hints,
                  const char *name)
{
    struct entry *entry = calloc(1, sizeof *entry + (name ? strlen(name) + 1 : 0));
    struct net_address native = *address;
    if (!entry)
        return EAI_MEMORY;
    native.port = (uint16_t)port;
    entry->info = (struct addrinfo){
        .ai_flags = hints->ai_flags,
        .ai_family = native.family,
        .ai_socktype = kind->type,
        .ai_protocol = kind->protocol ? kind->protocol : hints->ai_protocol,
        .ai_addrlen = sockaddr_make(&native, &entry->address),
        .ai_addr = (struct sockaddr *)&entry->address,
    };
    if (name)
        entry->info.ai_canonname = strcpy(entry->name, name);
    **last = &entry->info;
    *last = &entry->info.ai_next;
    return 0;
}

/* The ports of the kinds that fit; of the others EAI_SERVICE. 0 if there is one. */
static int find_ports(int ports[KINDS], const char *service, const struct addrinfo *hints)
{
    int error = EAI_SERVICE;
    bool chosen = false;
    for (size_t k = 0; k < KINDS; k++) {
        bool fits = !chosen && kind_fits(&kinds[k], hints);
        ports[k] = fits ? port_of(service, &kinds[k], hints) : EAI_SERVICE;
        chosen |= fits && (hints->ai_socktype || hints->ai_protocol);
        if (ports[k] >= 0)
            error = 0;
        else if (error == EAI_SERVICE)
            error = ports[k];
    }
    return error;
}

static int build(const struct addresses *addresses, const int ports[KINDS],
                 const struct addrinfo *hints, struct addrinfo **result)
{
    struct addrinfo *first = NULL, **last = &first;
    int error = 0;
    for (int i = 0; i < addresses->count && !error; i++)
        for (size_t k = 0; k < KINDS && !error; k++)
            if (ports[k] >= 0)
                error = append(&last, &addresses->list[i], &kinds[k], ports[k], hints,
                               !first && hints->ai_flags & AI_CANONNAME ? addresses->canonical
                                                                        : NULL);
    if (error)
        freeaddrinfo(first);
    else
        *result = first;
    return error;
}

static int check_hints(const char *host, const char *service, const struct addrinfo *hints)
{
    if (!host && !service)
        return EAI_NONAME;
    if (hints->ai_flags & ~FLAGS || (!host && (hints->ai_flags & AI_CANONNAME)))
        return EAI_BADFLAGS;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
        hints->ai_family != AF_INET6)
        return EAI_FAMILY;
    for (size_t k = 0; k < KINDS; k++)
        if (kind_fits(&kinds[k], hints))
            return 0;
    return EAI_SOCKTYPE;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    const struct addrinfo none = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
    struct addresses addresses = {.count = 0};
    hints = hints ? hints : &none;
    int ports[KINDS];
    int error = check_hints(host, service, hints);
    if (!error)
        error = find_ports(ports, service, hints);
    if (!error)
        error = find_addresses(&addresses, host, hints);
    return error ? error : build(&addresses, ports, hints, result);
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

const char *gai_strerror(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {0, "Success"},
        {EAI_BADFLAGS, "Bad flags"},
        {EAI_NONAME, "Name or service not known"},
        {EAI_AGAIN, "Temporary failure in name resolution"},
        {EAI_FAIL, "The name server's answer makes no sense"},
        {EAI_NODATA, "The name has no such address"},
        {EAI_FAMILY, "Address family not supported"},
        {EAI_SOCKTYPE, "Socket type not supported"},
        {EAI_SERVICE, "Service not known for this kind of socket"},
        {EAI_MEMORY, "Out of memory"},
        {EAI_SYSTEM, "System error"},
        {EAI_OVERFLOW, "The buffer is too small"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "Unknown error";
}
