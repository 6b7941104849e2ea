/* The rules of RFC 6724, one function each, in two tables. A rule says by its sign which of two
 * candidates is better: positive the first, negative the second, 0 leaves it to the next rule.
 * Left out are the rules for what does not exist here: home addresses (4), addresses that belong
 * to a router (5.5), temporary addresses and encapsulated transports (7). */
#include "selection.h"

/* The default policy table (RFC 6724 2.1), longest prefixes first. */
static const struct policy {
    uint8_t prefix[16];
    uint8_t bits, precedence, label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0},         /* ::1 */
    {{[10] = 0xff, 0xff}, 96, 35, 4}, /* IPv4-mapped: IPv4 itself */
    {{0}, 96, 1, 3},                  /* IPv4-compatible */
    {{0x20, 0x01, 0, 0}, 32, 5, 5},   /* Teredo */
    {{0x20, 0x02}, 16, 30, 2},        /* 6to4 */
    {{0x3f, 0xfe}, 16, 1, 12},        /* 6bone */
    {{0xfe, 0xc0}, 10, 1, 11},        /* site-local */
    {{0xfc}, 7, 3, 13},               /* unique local */
    {{0}, 0, 40, 1},                  /* everything else */
};

static struct ip_address as_v6(const struct ip_address *address)
{
    return address->family == IP_V4 ? ip_map(address) : *address;
}

/* The last entry takes what no other does, also an address that is none. */
static const struct policy *policy_of(const struct ip_address *address)
{
    const struct ip_address v6 = as_v6(address);
    const struct policy *policy = policies;
    for (; policy->bits > 0; policy++) {
        const struct ip_address prefix = ip_v6_bytes(policy->prefix);
        if (ip_in_prefix(&v6, &prefix, policy->bits))
            break;
    }
    return policy;
}

enum ip_scope ip_scope(const struct ip_address *address)
{
    if (address->family == IP_V6 && ip_is_multicast(address))
        return address->bytes[1] & 15;
    if (ip_is_loopback(address) || ip_is_link_local(address))
        return SCOPE_LINK;
    if (address->family == IP_V6 && address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0xc0)
        return SCOPE_SITE;
    return SCOPE_GLOBAL;
}

static unsigned common_prefix(const struct ip_address *source, unsigned prefix,
                              const struct ip_address *destination)
{
    const unsigned common = ip_common_prefix(source, destination);
    return common < prefix ? common : prefix;
}

/* --- sources --- */

typedef int source_rule(const struct ip_address *destination, const struct source_candidate *a,
                        const struct source_candidate *b);

static int prefer_same_address(const struct ip_address *destination,
                               const struct source_candidate *a, const struct source_candidate *b)
{
    return ip_equal(&a->address, destination) - ip_equal(&b->address, destination);
}

/* The smallest scope that reaches the destination's; failing that, the largest. */
static int prefer_appropriate_scope(const struct ip_address *destination,
                                    const struct source_candidate *a,
                                    const struct source_candidate *b)
{
    const int wanted = (int)ip_scope(destination);
    const int of_a = (int)ip_scope(&a->address), of_b = (int)ip_scope(&b->address);
    if (of_a < of_b)
        return of_a < wanted ? -1 : 1;
    if (of_b < of_a)
        return of_b < wanted ? 1 : -1;
    return 0;
}

static int avoid_deprecated(const struct ip_address *destination, const struct source_candidate *a,
                            const struct source_candidate *b)
{
    (void)destination;
    return b->deprecated - a->deprecated;
}

static int prefer_outgoing_interface(const struct ip_address *destination,
                                     const struct source_candidate *a,
                                     const struct source_candidate *b)
{
    (void)destination;
    return a->on_outgoing - b->on_outgoing;
}

static int prefer_matching_label(const struct ip_address *destination,
                                 const struct source_candidate *a, const struct source_candidate *b)
{
    const unsigned label = policy_of(destination)->label;
    return (policy_of(&a->address)->label == label) - (policy_of(&b->address)->label == label);
}

static int prefer_longest_match(const struct ip_address *destination,
                                const struct source_candidate *a, const struct source_candidate *b)
{
    return (int)common_prefix(&a->address, a->prefix, destination) -
           (int)common_prefix(&b->address, b->prefix, destination);
}

static source_rule *const source_rules[] = {
    prefer_same_address,       prefer_appropriate_scope, avoid_deprecated,
    prefer_outgoing_interface, prefer_matching_label,    prefer_longest_match,
};

static bool better_source(const struct ip_address *destination, const struct source_candidate *a,
                          const struct source_candidate *b)
{
    int order = 0;
    for (size_t i = 0; i < sizeof source_rules / sizeof source_rules[0] && !order; i++)
        order = source_rules[i](destination, a, b);
    return order > 0;
}

const struct source_candidate *select_source(const struct ip_address *destination,
                                             const struct source_candidate *candidates,
                                             size_t count)
{
    const struct source_candidate *best = count ? candidates : NULL;
    for (size_t i = 1; i < count; i++)
        if (better_source(destination, &candidates[i], best))
            best = &candidates[i];
    return best;
}

/* --- destinations --- */

typedef int destination_rule(const struct destination_candidate *a,
                             const struct destination_candidate *b);

static int avoid_unusable(const struct destination_candidate *a,
                          const struct destination_candidate *b)
{
    return ip_is_any(&b->source) - ip_is_any(&a->source);
}

static int prefer_matching_scope(const struct destination_candidate *a,
                                 const struct destination_candidate *b)
{
    return (ip_scope(&a->address) == ip_scope(&a->source)) -
           (ip_scope(&b->address) == ip_scope(&b->source));
}

static int avoid_deprecated_source(const struct destination_candidate *a,
                                   const struct destination_candidate *b)
{
    return b->source_deprecated - a->source_deprecated;
}

static bool labels_match(const struct destination_candidate *candidate)
{
    return policy_of(&candidate->address)->label == policy_of(&candidate->source)->label;
}

static int prefer_matching_labels(const struct destination_candidate *a,
                                  const struct destination_candidate *b)
{
    return labels_match(a) - labels_match(b);
}

static int prefer_higher_precedence(const struct destination_candidate *a,
                                    const struct destination_candidate *b)
{
    return policy_of(&a->address)->precedence - policy_of(&b->address)->precedence;
}

static int prefer_smaller_scope(const struct destination_candidate *a,
                                const struct destination_candidate *b)
{
    return (int)ip_scope(&b->address) - (int)ip_scope(&a->address);
}

static int prefer_longest_source_match(const struct destination_candidate *a,
                                       const struct destination_candidate *b)
{
    if (a->address.family != b->address.family)
        return 0;
    return (int)common_prefix(&a->source, a->source_prefix, &a->address) -
           (int)common_prefix(&b->source, b->source_prefix, &b->address);
}

static destination_rule *const destination_rules[] = {
    avoid_unusable,
    prefer_matching_scope,
    avoid_deprecated_source,
    prefer_matching_labels,
    prefer_higher_precedence,
    prefer_smaller_scope,
    prefer_longest_source_match,
};

static bool better_destination(const struct destination_candidate *a,
                               const struct destination_candidate *b)
{
    int order = 0;
    for (size_t i = 0; i < sizeof destination_rules / sizeof destination_rules[0] && !order; i++)
        order = destination_rules[i](a, b);
    return order > 0;
}

void order_destinations(struct destination_candidate *candidates, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct destination_candidate candidate = candidates[i];
        size_t at = i;
        for (; at > 0 && better_destination(&candidate, &candidates[at - 1]); at--)
            candidates[at] = candidates[at - 1];
        candidates[at] = candidate;
    }
}
