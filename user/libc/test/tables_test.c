/* /etc/hosts and /etc/services, as text in memory. */
#include "../net/tables.h"

#include "../../libcairn/test/check.h"
#include <string.h>

static const char hosts[] = "127.0.0.1\tlocalhost alias # comment\n"
                            "#10.0.0.1 hidden\n"
                            "::1 localhost\n"
                            "nonsense localhost\n"
                            "10.0.0.2 two\n"
                            "10.0.0.3 two\n"
                            "10.0.0.4\n"
                            "10.0.0.5 last";
static const char services[] = "ssh 22/tcp\n"
                               "domain 53/udp dns\n"
                               "domain 53/tcp\n"
                               "bad 70000/tcp\nbad x/tcp\nbad 5\nbad 5/sctp\n"
                               "http 80/tcp www www-http # the web\n";

static FILE *text(const char *content)
{
    return fmemopen((void *)content, strlen(content), "r");
}

static unsigned addresses(const char *name, unsigned family, struct net_address *list, unsigned max)
{
    FILE *file = text(hosts);
    unsigned count = hosts_addresses(file, name, family, list, max);
    fclose(file);
    return count;
}

static unsigned port(const char *name, const char *protocol)
{
    const char *found;
    FILE *file = text(services);
    unsigned result = services_port(file, name, protocol, &found);
    fclose(file);
    return result;
}

static bool service(unsigned number, const char *protocol, char *name, size_t size)
{
    FILE *file = text(services);
    bool found = services_name(file, number, protocol, name, size);
    fclose(file);
    return found;
}

int main(void)
{
    struct net_address list[4];
    char name[16];
    CHECK(addresses("localhost", 0, list, 4) == 2);
    CHECK(list[0].family == NET_INET && list[0].bytes[0] == 127 && list[1].bytes[15] == 1);
    CHECK(addresses("LOCALHOST", NET_INET6, list, 4) == 1 && list[0].family == NET_INET6);
    CHECK(addresses("alias", 0, list, 4) == 1 && addresses("hidden", 0, list, 4) == 0);
    CHECK(addresses("two", 0, list, 4) == 2 && addresses("two", 0, list, 1) == 1);
    CHECK(addresses("last", 0, list, 4) == 1 && addresses("comment", 0, list, 4) == 0);

    FILE *file = text(hosts);
    CHECK(hosts_name(file, &(struct net_address){.family = NET_INET, .bytes = {127, 0, 0, 1}}, name,
                     sizeof name) &&
          strcmp(name, "localhost") == 0);
    fclose(file);
    file = text(hosts);
    CHECK(!hosts_name(file, &(struct net_address){.family = NET_INET, .bytes = {127, 0, 0, 1}},
                      name, 9));
    fclose(file);

    CHECK(port("ssh", "tcp") == 22 && port("ssh", "udp") == 0 && port("ssh", NULL) == 22);
    CHECK(port("dns", NULL) == 53 && port("domain", "tcp") == 53 && port("www-http", "tcp") == 80);
    CHECK(port("bad", NULL) == 0 && port("the", NULL) == 0);
    CHECK(service(53, "tcp", name, sizeof name) && strcmp(name, "domain") == 0);
    CHECK(!service(22, "udp", name, sizeof name) && !service(22, "tcp", name, 3));
    return report();
}
