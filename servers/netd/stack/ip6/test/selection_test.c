/* RFC 6724's own examples (section 10), but for those about mobile hosts and temporary addresses,
 * which do not exist here. */
#include "../../test/check.h"
#include "../selection.h"
#include <assert.h>

#define CANDIDATES 2

/* In the tables a '~' in front of an address says that it is deprecated. */
static bool is_deprecated(const char *text) { return text && *text == '~'; }

static struct ip_address parse(const char *text)
{
    struct ip_address address = {0};
    const bool ok = !text || ip_parse(text + is_deprecated(text), &address);
    assert(ok);
    (void)ok;
    return address;
}

/* --- 10.1 --- */

static const struct source_example {
    const char *destination;
    const char *candidates[CANDIDATES];
    const char *chosen, *why;
} source_examples[] = {
    {"2001:db8:1::1", {"2001:db8:3::1", "fe80::1"}, "2001:db8:3::1", "appropriate scope"},
    {"ff05::1", {"2001:db8:3::1", "fe80::1"}, "2001:db8:3::1", "appropriate scope"},
    {"2001:db8:1::1", {"~2001:db8:1::1", "2001:db8:2::1"}, "2001:db8:1::1", "same"},
    {"fe80::1", {"~fe80::2", "2001:db8:1::1"}, "fe80::2", "appropriate scope"},
    {"2001:db8:1::1", {"2001:db8:1::2", "2001:db8:3::2"}, "2001:db8:1::2", "longest match"},
    {"2002:c633:6401::1",
     {"2002:c633:6401::d5e3:7953:13eb:22e8", "2001:db8:1::2"},
     "2002:c633:6401::d5e3:7953:13eb:22e8",
     "matching label"},
    /* Not from there: the other rules, and the order between them. */
    {"2001:db8:1::1", {"~2001:db8:1::2", "2001:db8:9::2"}, "2001:db8:9::2", "deprecated"},
    {"fd00::1", {"2001:db8:1::2", "fd11::2"}, "fd11::2", "matching label"},
    {"::1", {"fe80::2", "::1"}, "::1", "same"},
    {"ff02::1", {"2001:db8:1::1", "fe80::1"}, "fe80::1", "appropriate scope"},
};

static void test_source_examples(void)
{
    for (size_t i = 0; i < sizeof source_examples / sizeof source_examples[0]; i++) {
        const struct source_example *example = &source_examples[i];
        const struct ip_address destination = parse(example->destination);
        const struct ip_address chosen = parse(example->chosen);
        struct source_candidate candidates[CANDIDATES], reversed[CANDIDATES];
        for (size_t j = 0; j < CANDIDATES; j++) {
            candidates[j] =
                (struct source_candidate){.address = parse(example->candidates[j]),
                                          .prefix = 64,
                                          .deprecated = is_deprecated(example->candidates[j]),
                                          .on_outgoing = true};
            reversed[CANDIDATES - 1 - j] = candidates[j];
        }
        CHECK(ip_equal(&select_source(&destination, candidates, CANDIDATES)->address, &chosen),
              "to %s: %s", example->destination, example->why);
        CHECK(ip_equal(&select_source(&destination, reversed, CANDIDATES)->address, &chosen),
              "to %s, in reverse: %s", example->destination, example->why);
    }
}

static void test_source_of_none(void)
{
    const struct ip_address destination = parse("2001:db8::1");
    CHECK(select_source(&destination, NULL, 0) == NULL, "-");
}

static void test_source_outgoing_interface(void)
{
    const struct ip_address destination = parse("2001:db8:1::1");
    const struct source_candidate candidates[] = {
        {.address = parse("2001:db8:1::2"), .prefix = 64},
        {.address = parse("2001:db8:2::2"), .prefix = 64, .on_outgoing = true},
    };
    CHECK(select_source(&destination, candidates, 2) == &candidates[1], "-");
}

/* Bits behind the source's prefix are not compared (RFC 6724 2.2). */
static void test_source_match_ends_at_prefix(void)
{
    const struct ip_address destination = parse("2001:db8:1::1");
    const struct source_candidate candidates[] = {
        {.address = parse("2001:db8:1::8000:0:0:1"), .prefix = 64, .on_outgoing = true},
        {.address = parse("2001:db8:1::2"), .prefix = 64, .on_outgoing = true},
    };
    CHECK(select_source(&destination, candidates, 2) == &candidates[0], "the first of equals");
}

/* --- 10.2: destinations in the order wanted, with the sources that they go with --- */

static const struct destination_example {
    struct {
        const char *address, *source;
    } order[2];
    const char *why;
} destination_examples[] = {
    {{{"2001:db8:1::1", "2001:db8:1::2"}, {"198.51.100.121", "169.254.13.78"}}, "matching scope"},
    {{{"198.51.100.121", "198.51.100.117"}, {"2001:db8:1::1", "fe80::1"}}, "matching scope"},
    {{{"2001:db8:1::1", "2001:db8:1::2"}, {"10.1.2.3", "10.1.2.4"}}, "higher precedence"},
    {{{"fe80::1", "fe80::2"}, {"2001:db8:1::1", "2001:db8:1::2"}}, "smaller scope"},
    {{{"2001:db8:1::1", "2001:db8:1::2"}, {"fe80::1", "~fe80::2"}}, "deprecated"},
    {{{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3ffe::1", "2001:db8:3f44::2"}},
     "longest match"},
    {{{"2002:c633:6401::1", "2002:c633:6401::2"}, {"2001:db8:1::1", "2002:c633:6401::2"}},
     "matching label"},
    {{{"2001:db8:1::1", "2001:db8:1::2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}},
     "higher precedence"},
    {{{"198.51.100.121", "198.51.100.117"}, {"2001:db8:1::1", NULL}}, "unusable"},
};

static void test_destination_examples(void)
{
    for (size_t i = 0; i < sizeof destination_examples / sizeof destination_examples[0]; i++) {
        const struct destination_example *example = &destination_examples[i];
        struct destination_candidate candidates[2];
        for (size_t swap = 0; swap < 2; swap++) {
            for (size_t j = 0; j < 2; j++)
                candidates[j ^ swap] = (struct destination_candidate){
                    .address = parse(example->order[j].address),
                    .source = parse(example->order[j].source),
                    .source_prefix = 64,
                    .source_deprecated = is_deprecated(example->order[j].source)};
            order_destinations(candidates, 2);
            const struct ip_address first = parse(example->order[0].address);
            CHECK(ip_equal(&candidates[0].address, &first), "example %zu: %s", i, example->why);
        }
    }
}

static void test_destination_order_is_stable(void)
{
    struct destination_candidate candidates[8];
    for (uint8_t i = 0; i < 8; i++)
        candidates[i] = (struct destination_candidate){
            .address = ip_v4(192, 0, 2, i), .source = ip_v4(10, 0, 0, 1), .source_prefix = 8};
    order_destinations(candidates, 8);
    for (uint8_t i = 0; i < 8; i++)
        CHECK(candidates[i].address.bytes[3] == i, "place %u", i);
}

static void test_nothing_can_be_reached(void)
{
    struct destination_candidate candidates[] = {{.address = ip_v4(192, 0, 2, 1)},
                                                 {.address = parse("2001:db8::1")},
                                                 {.address = parse("fe80::1")}};
    order_destinations(candidates, 3);
    CHECK(candidates[0].address.bytes[0] == 0x20, "the other rules decide");
}

static void test_scopes(void)
{
    static const struct {
        const char *address;
        enum ip_scope scope;
    } scopes[] = {
        {"::1", SCOPE_LINK},       {"fe80::1", SCOPE_LINK},     {"fec0::1", SCOPE_SITE},
        {"2001::1", SCOPE_GLOBAL}, {"fd00::1", SCOPE_GLOBAL},   {"ff01::1", SCOPE_INTERFACE},
        {"ff02::1", SCOPE_LINK},   {"ff05::1", SCOPE_SITE},     {"ff0e::1", SCOPE_GLOBAL},
        {"127.0.0.1", SCOPE_LINK}, {"169.254.1.1", SCOPE_LINK}, {"10.0.0.1", SCOPE_GLOBAL},
    };
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        const struct ip_address address = parse(scopes[i].address);
        CHECK(ip_scope(&address) == scopes[i].scope, "%s", scopes[i].address);
    }
}

int main(void)
{
    static const struct test tests[] = {
        {"RFC 6724 10.1, and the other rules of section 5", test_source_examples},
        {"no source without addresses", test_source_of_none},
        {"rule 5: the outgoing interface", test_source_outgoing_interface},
        {"rule 8: matches end with the source's prefix", test_source_match_ends_at_prefix},
        {"RFC 6724 10.2", test_destination_examples},
        {"rule 10: equal destinations stay in order", test_destination_order_is_stable},
        {"destinations without any source", test_nothing_can_be_reached},
        {"scopes (RFC 6724 3.1)", test_scopes},
    };
    return RUN_TESTS(tests);
}
