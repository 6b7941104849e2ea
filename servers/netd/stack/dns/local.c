/* Names and addresses that no server need be asked about. */
#include "resolver.h"

#include <errno.h>

static enum ip_family family_of(enum dns_type type)
{
    return type == DNS_A ? IP_V4 : type == DNS_AAAA ? IP_V6 : IP_NONE;
}

static void answer_addresses(struct dns_answer *answer, enum dns_type type, const char *name)
{
    memset(answer, 0, sizeof(*answer));
    answer->type = type;
    answer->ttl = DNS_TTL_MAX;
    memcpy(answer->name, name, strnlen(name, DNS_NAME_MAX - 1));
}

static void answer_one(struct dns_answer *answer, const struct ip_address *address)
{
    if (address->family == family_of(answer->type))
        answer->addresses[answer->address_count++] = *address;
    else
        answer->error = -ENODATA;
}

/* is_localhost: the name itself and all below it (RFC 6761 6.3). */
static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t length = strlen(name), tail = sizeof(localhost) - 1;
    return length >= tail && strcmp(name + length - tail, localhost) == 0 &&
           (length == tail || name[length - tail - 1] == '.');
}

bool dns_local_answer(const struct dns_resolver *resolver, const char *name, enum dns_type type,
                      struct dns_answer *answer)
{
    const struct dns_config *config = &resolver->config;
    struct ip_address address;
    char text[DNS_NAME_MAX];

    if (family_of(type) == IP_NONE)
        return false;
    answer_addresses(answer, type, name);
    if (ip_parse(name, &address)) {
        answer_one(answer, &address);
        return true;
    }
    if (!dns_name_text(name, text))
        return false;
    answer_addresses(answer, type, text);
    if (is_localhost(text)) {
        address = ip_loopback(family_of(type));
        answer_one(answer, &address);
        return true;
    }
    if (config->hosts)
        answer->address_count =
            config->hosts(config->context, text, family_of(type), answer->addresses, DNS_ADDRESSES);
    return answer->address_count > 0;
}

bool dns_local_name(const struct dns_resolver *resolver, const struct ip_address *address,
                    struct dns_answer *answer)
{
    const struct dns_config *config = &resolver->config;

    answer_addresses(answer, DNS_PTR, "localhost");
    return ip_is_loopback(address) ||
           (config->hosts_name && config->hosts_name(config->context, address, answer->name));
}
