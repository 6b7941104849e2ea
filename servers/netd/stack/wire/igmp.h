/* IGMP messages (RFC 2236 2, RFC 3376 4). */
#pragma once

#include "../address.h"
#include "cursor.h"

#define IGMP_SIZE        8u  /* version 1 and 2, all messages */
#define IGMP_V3_QUERY    12u /* without sources */
#define IGMP_V3_REPORT   16u /* of one group without sources */
#define IGMP_CHECKSUM_AT 2u

enum igmp_type {
    IGMP_QUERY = 0x11,
    IGMP_REPORT_V1 = 0x12,
    IGMP_REPORT_V2 = 0x16,
    IGMP_LEAVE = 0x17,
    IGMP_REPORT_V3 = 0x22,
};

enum igmp_record_type {
    IGMP_IS_EXCLUDE = 2, /* member */
    IGMP_TO_INCLUDE = 3, /* has left */
    IGMP_TO_EXCLUDE = 4, /* has joined */
};

struct igmp {
    uint8_t type;
    unsigned version; /* of a query: 1, 2, 3, told by length and response time (RFC 3376 7.1) */
    uint32_t max_response_ms;
    struct ip_address group; /* any: a general query */
};

/* igmp_parse: false if it is cut off. The checksum is the caller's to look at. */
bool igmp_parse(struct cursor *cursor, struct igmp *message);

/* igmp_emit: IGMP_SIZE bytes. igmp_emit_v3: IGMP_V3_REPORT bytes. With their checksums. */
void igmp_emit(uint8_t *at, enum igmp_type type, const struct ip_address *group);
void igmp_emit_v3(uint8_t *at, enum igmp_record_type type, const struct ip_address *group);
