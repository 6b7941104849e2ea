/* The name server's side: answers put together byte by byte, so that they can be wrong in any way.
 */
#pragma once

#include "../message.h"

struct answer {
    uint8_t bytes[20000];
    size_t length;
};

#define NAME_OF_QUESTION "\xc0\x0c" /* a pointer to it */

/* answer_begin: the header and question of a query that was sent, with this rcode; counts are 0. */
void answer_begin(struct answer *answer, const uint8_t *query, size_t length, unsigned rcode);
/* answer_record: into the section that count's place in the header says: 6 answer, 8 authority.
 * owner: a text name, or NAME_OF_QUESTION. */
enum section { SECTION_ANSWER = 6, SECTION_AUTHORITY = 8 };
void answer_record(struct answer *answer, enum section section, const char *owner, uint16_t type,
                   uint32_t ttl, const void *data, size_t length);
void answer_address(struct answer *answer, const char *owner, uint8_t last, uint32_t ttl);
void answer_alias(struct answer *answer, const char *owner, const char *target, uint32_t ttl);
void answer_soa(struct answer *answer, uint32_t ttl, uint32_t minimum);
