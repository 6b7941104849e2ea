/* ICMPv6 messages: types, codes, and the bodies of Neighbor Discovery and MLD (RFC 4443, 4861,
 * 8106, 2710, 3810). Each begins with type, code and checksum: ICMPV6_HEADER bytes. */
#pragma once

#include "../address.h"
#include "cursor.h"

#define ICMPV6_HEADER       4u
#define ICMPV6_ERROR_HEADER 8u /* of the errors, and of echoes */
#define ICMPV6_CHECKSUM_AT  2u

enum icmpv6_type {
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_PACKET_TOO_BIG = 2,
    ICMPV6_TIME_EXCEEDED = 3,
    ICMPV6_PARAMETER_PROBLEM = 4,
    ICMPV6_INFORMATIONAL = 128, /* types from here on are no errors */
    ICMPV6_ECHO_REQUEST = 128,
    ICMPV6_ECHO_REPLY = 129,
    MLD_QUERY = 130,
    MLD_REPORT_V1 = 131,
    MLD_DONE = 132,
    ND_ROUTER_SOLICIT = 133,
    ND_ROUTER_ADVERT = 134,
    ND_NEIGHBOR_SOLICIT = 135,
    ND_NEIGHBOR_ADVERT = 136,
    ND_REDIRECT = 137,
    MLD_REPORT_V2 = 143,
};

enum icmpv6_unreachable_code {
    UNREACHABLE_NO_ROUTE = 0,
    UNREACHABLE_PROHIBITED = 1,
    UNREACHABLE_BEYOND_SCOPE = 2,
    UNREACHABLE_ADDRESS = 3,
    UNREACHABLE_PORT = 4,
    UNREACHABLE_POLICY = 5,
    UNREACHABLE_REJECTED = 6,
};
enum icmpv6_time_code { EXCEEDED_HOP_LIMIT = 0, EXCEEDED_REASSEMBLY = 1 };
enum icmpv6_problem_code {
    PROBLEM_FIELD = 0,
    PROBLEM_NEXT_HEADER = 1,
    PROBLEM_OPTION = 2,
    PROBLEM_INCOMPLETE_CHAIN = 3, /* RFC 7112 */
};

/* --- Neighbor Discovery (RFC 4861 4). Parsers begin behind the checksum. --- */

#define ND_HOP_LIMIT 255 /* nothing that a router has passed on has it */

enum nd_option_type {
    ND_OPTION_SOURCE_LINK = 1,
    ND_OPTION_TARGET_LINK = 2,
    ND_OPTION_PREFIX = 3,
    ND_OPTION_REDIRECTED = 4,
    ND_OPTION_MTU = 5,
    ND_OPTION_RDNSS = 25,
};
#define ND_OPTION_LINK_SIZE 8u /* of either link-layer address option, on Ethernet */

struct nd_option {
    uint8_t type;
    struct cursor data; /* behind type and length */
};

/* nd_options_valid: every option has a length other than 0 and lies within the message. To be
 * asked before anything is believed; nd_option_next then goes through them. */
bool nd_options_valid(struct cursor options);
bool nd_option_next(struct cursor *options, struct nd_option *option);
/* nd_option_link: the Ethernet address of the first option of that type, or NULL. */
const uint8_t *nd_option_link(struct cursor options, enum nd_option_type type);
uint8_t *nd_option_link_emit(uint8_t *at, enum nd_option_type type, const uint8_t mac[MAC_SIZE]);

struct nd_router_advert {
    uint8_t hop_limit;        /* 0 = unspecified, as in the next three */
    uint16_t router_lifetime; /* s; 0 = no default router */
    uint32_t reachable_ms, retransmit_ms;
};
bool nd_router_advert_parse(struct cursor *cursor, struct nd_router_advert *advert);

#define ND_LIFETIME_INFINITE 0xffffffffu
struct nd_prefix {
    struct ip_address prefix;
    uint8_t length; /* bits */
    bool on_link, autonomous;
    uint32_t valid_lifetime, preferred_lifetime; /* s */
};
bool nd_prefix_parse(struct cursor data, struct nd_prefix *prefix);

/* Solicitations and advertisements of neighbours, and Redirects (flags: 0 outside of adverts). */
enum nd_advert_flags { ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };
struct nd_neighbor {
    uint8_t flags;
    struct ip_address target;
};
#define ND_NEIGHBOR_SIZE 24u /* of the message without options */
bool nd_neighbor_parse(struct cursor *cursor, struct nd_neighbor *neighbor);
/* nd_neighbor_emit: the whole message without options, checksum 0. */
uint8_t *nd_neighbor_emit(uint8_t *at, enum icmpv6_type type, const struct nd_neighbor *neighbor);

/* --- Multicast Listener Discovery --- */

struct mld_query {
    bool v2;
    struct ip_address group;  /* any: a general query */
    uint32_t max_response_ms; /* decoded */
};
/* mld_query_parse: the length tells the version (RFC 3810 8.1). */
bool mld_query_parse(struct cursor *cursor, struct mld_query *query);

enum mld_record_type {
    MLD_IS_EXCLUDE = 2,
    MLD_TO_INCLUDE = 3, /* of no sources: leaves */
    MLD_TO_EXCLUDE = 4, /* of no sources: joins */
};
#define MLD_V1_SIZE     24u
#define MLD_RECORD_SIZE 20u
/* mld_v1_emit: the whole message. mld_record_emit: one record without sources. Checksums 0. */
uint8_t *mld_v1_emit(uint8_t *at, enum icmpv6_type type, const struct ip_address *group);
uint8_t *mld_v2_emit(uint8_t *at, uint16_t records);
uint8_t *mld_record_emit(uint8_t *at, enum mld_record_type type, const struct ip_address *group);
bool mld_v1_parse(struct cursor *cursor, struct ip_address *group);
