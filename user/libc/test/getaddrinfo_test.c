/* getaddrinfo and getnameinfo against those of the host's C library, for all that needs no name
 * server and no file; and by a table for the rest, with a made-up world of names. */
#include "../net/lookup.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tests.mk gives ours other names; the host's are found under their own. */
static int (*libc_getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints,
                               struct addrinfo **result);
static void (*libc_freeaddrinfo)(struct addrinfo *list);

static int passed, failed;

static void check(int good, const char *what, const char *host, const char *service)
{
    if (good) {
        passed++;
        return;
    }
    failed++;
    printf("%s: host %s, service %s\n", what, host ? host : "-", service ? service : "-");
}

/* ---- The world ---------------------------------------------------------------------------- */

/* "four" has an IPv4 address, "six" an IPv6 one, "both" both; others do not exist. */
int lookup_host(const char *name, unsigned family, struct net_address addresses[NET_ADDRESSES_MAX])
{
    int count = 0;
    bool four = !strcmp(name, "four") || !strcmp(name, "both");
    bool six = !strcmp(name, "six") || !strcmp(name, "both");
    if (!four && !six)
        return EAI_NONAME;
    if (six && family != NET_INET)
        addresses[count++] = (struct net_address){.family = NET_INET6, .bytes = {0x20, 1, 6}};
    if (four && family != NET_INET6)
        addresses[count++] = (struct net_address){.family = NET_INET, .bytes = {4, 4, 4, 4}};
    return count ? count : EAI_NODATA;
}

/* "four" is another name of "fourth". */
void lookup_canonical(const char *name, unsigned family, char canonical[NET_NAME_MAX])
{
    snprintf(canonical, NET_NAME_MAX, "%s%s", name, family == NET_INET ? "th" : "");
}

/* The families that this host has an address of. */
static bool has_v4 = true, has_v6 = true;

bool lookup_configured(unsigned family) { return family == NET_INET ? has_v4 : has_v6; }

int lookup_address(const struct net_address *address, char *name, size_t size)
{
    if (address->family != NET_INET || address->bytes[0] != 4)
        return EAI_NONAME;
    if (size < sizeof "four")
        return EAI_OVERFLOW;
    strcpy(name, "four");
    return 0;
}

int lookup_service(const char *name, const char *protocol, const char **found)
{
    (void)found;
    return strcmp(name, "streaming") == 0 && strcmp(protocol, "tcp") == 0 ? 1234 : EAI_SERVICE;
}

int lookup_port(unsigned port, const char *protocol, char *name, size_t size)
{
    if (port != 1234 || strcmp(protocol, "tcp") != 0 || size < sizeof "streaming")
        return EAI_NONAME;
    strcpy(name, "streaming");
    return 0;
}

/* ---- Against the host --------------------------------------------------------------------- */

static bool same(const struct addrinfo *a, const struct addrinfo *b)
{
    return a->ai_family == b->ai_family && a->ai_socktype == b->ai_socktype &&
           a->ai_protocol == b->ai_protocol && a->ai_addrlen == b->ai_addrlen &&
           memcmp(a->ai_addr, b->ai_addr, a->ai_addrlen) == 0;
}

/* The same results; the order of families is a matter of the host's own addresses. */
static bool same_sets(const struct addrinfo *a, const struct addrinfo *b)
{
    int count = 0;
    for (const struct addrinfo *i = a; i; i = i->ai_next, count++) {
        const struct addrinfo *found = b;
        while (found && !same(i, found))
            found = found->ai_next;
        if (!found)
            return false;
    }
    for (; b; b = b->ai_next)
        count--;
    return count == 0;
}

static void compare(const char *host, const char *service, const struct addrinfo *hints)
{
    struct addrinfo *own = NULL, *libc = NULL;
    int a = getaddrinfo(host, service, hints, &own);
    int b = libc_getaddrinfo(host, service, hints, &libc);
    /* EAI_ADDRFAMILY (-9) is glibc's alone, and said before an interface is looked for. */
    check(a == b || ((a == EAI_FAMILY || a == EAI_NONAME) && b == -9), "getaddrinfo's result", host, service);
    if (a == 0 && b == 0)
        check(same_sets(own, libc), "getaddrinfo's list", host, service);
    if (a == 0 && b == 0 && hints && hints->ai_flags & AI_CANONNAME)
        check(own->ai_canonname && strcmp(own->ai_canonname, libc->ai_canonname) == 0,
              "the canonical name", host, service);
    if (a == 0)
        freeaddrinfo(own);
    if (b == 0)
        libc_freeaddrinfo(libc);
}

static void compare_all(void)
{
    static const char *const hosts[] = {NULL,  "127.0.0.1", "10.1.2.3", "127.1", "::1", "fe80::1%1",
                                        "::",  "1.2.3.4.5", "fe80::1%no-such", "::ffff:1.2.3.4"};
    static const char *const services[] = {NULL, "80", "0", "65535"};
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX};
    static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, 77};
    static const int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};
    static const int flags[] = {AI_NUMERICHOST, AI_NUMERICHOST | AI_PASSIVE,
                                AI_NUMERICHOST | AI_NUMERICSERV, AI_NUMERICHOST | AI_CANONNAME,
                                AI_NUMERICHOST | AI_V4MAPPED, 0x8000000};
#define EACH(i, list) for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
    EACH(h, hosts)
    EACH(s, services) EACH(f, families) EACH(t, types) EACH(p, protocols) EACH(g, flags)
    {
        /* glibc thinks of raw sockets with a protocol differently */
        if (types[t] == SOCK_RAW && protocols[p])
            continue;
        struct addrinfo hints = {.ai_family = families[f],
                                 .ai_socktype = types[t],
                                 .ai_protocol = protocols[p],
                                 .ai_flags = flags[g]};
        compare(hosts[h], services[s], &hints);
    }
    compare("127.0.0.1", "80", NULL);
}

/* ---- By the table ------------------------------------------------------------------------- */

static void named(const char *host, const char *service, int family, int flags, int result,
                  const char *expected)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    char text[200] = "", one[INET6_ADDRSTRLEN], port[8];
    int got = getaddrinfo(host, service, &hints, &list);
    check(got == result, "result by name", host, service);
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        getnameinfo(i->ai_addr, i->ai_addrlen, one, sizeof one, port, sizeof port,
                           NI_NUMERICHOST | NI_NUMERICSERV);
        sprintf(text + strlen(text), "%s%s%s|%s ", i->ai_canonname ? i->ai_canonname : "",
                i->ai_canonname ? "=" : "", one, port);
    }
    check(strcmp(text, expected) == 0, text, host, service);
    freeaddrinfo(list);
}

static void names(void)
{
    named("four", "80", AF_UNSPEC, 0, 0, "4.4.4.4|80 ");
    named("both", "80", AF_UNSPEC, 0, 0, "2001:600::|80 4.4.4.4|80 ");
    named("four", "80", AF_UNSPEC, AI_CANONNAME, 0, "fourth=4.4.4.4|80 ");
    named("four", "80", AF_INET6, AI_CANONNAME | AI_V4MAPPED, 0, "fourth=::ffff:4.4.4.4|80 ");
    named("both", "80", AF_UNSPEC, AI_CANONNAME, 0, "both=2001:600::|80 4.4.4.4|80 ");
    named("both", "80", AF_INET6, AI_V4MAPPED | AI_ALL, 0, "2001:600::|80 ::ffff:4.4.4.4|80 ");
    named("four", "80", AF_INET6, 0, EAI_NODATA, "");
    named("four", "80", AF_INET6, AI_V4MAPPED, 0, "::ffff:4.4.4.4|80 ");
    has_v6 = false;
    named("both", "80", AF_UNSPEC, AI_ADDRCONFIG, 0, "4.4.4.4|80 ");
    named("six", "80", AF_UNSPEC, AI_ADDRCONFIG, EAI_NODATA, "");
    named("six", "80", AF_INET6, AI_ADDRCONFIG, 0, "2001:600::|80 ");
    named("both", "80", AF_UNSPEC, 0, 0, "2001:600::|80 4.4.4.4|80 ");
    has_v4 = false;
    named("both", "80", AF_UNSPEC, AI_ADDRCONFIG, 0, "2001:600::|80 4.4.4.4|80 ");
    has_v6 = true;
    named("both", "80", AF_UNSPEC, AI_ADDRCONFIG, 0, "2001:600::|80 ");
    has_v4 = true;
    named("none", "80", AF_UNSPEC, 0, EAI_NONAME, "");
    named("four", "80", AF_UNSPEC, AI_NUMERICHOST, EAI_NONAME, "");
    named("four", "streaming", AF_INET, 0, 0, "4.4.4.4|1234 ");
    named("four", "streaming", AF_INET, AI_NUMERICSERV, EAI_NONAME, "");
    named("four", "no-service", AF_INET, 0, EAI_SERVICE, "");
    named(NULL, NULL, AF_INET, 0, EAI_NONAME, "");
}

static void name_of(const char *address, int port, socklen_t room, int flags, int result,
                    const char *host, const char *service)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char a[64] = "", b[64] = "";
    inet_pton(AF_INET, address, &v4.sin_addr);
    int got = getnameinfo((struct sockaddr *)&v4, sizeof v4, a, room, b, sizeof b, flags);
    check(got == result, "getnameinfo's result", address, host);
    check(result || (!strcmp(a, host) && !strcmp(b, service)), a, host, service);
}

int main(void)
{
    *(void **)&libc_getaddrinfo = dlsym(RTLD_DEFAULT, "getaddrinfo");
    *(void **)&libc_freeaddrinfo = dlsym(RTLD_DEFAULT, "freeaddrinfo");
    compare_all();
    names();
    name_of("4.4.4.4", 1234, 64, 0, 0, "four", "streaming");
    name_of("4.4.4.4", 1234, 64, NI_DGRAM, 0, "four", "1234");
    name_of("4.4.4.4", 1234, 64, NI_NUMERICHOST, 0, "4.4.4.4", "streaming");
    name_of("4.4.4.4", 1234, 64, NI_NUMERICSERV, 0, "four", "1234");
    name_of("5.5.5.5", 80, 64, 0, 0, "5.5.5.5", "80");
    name_of("5.5.5.5", 80, 64, NI_NAMEREQD, EAI_NONAME, "", "");
    name_of("5.5.5.5", 80, 4, 0, EAI_OVERFLOW, "", "");
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
