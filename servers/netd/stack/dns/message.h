/* DNS messages (RFC 1035 4): a question put together, an answer to it taken apart. */
#pragma once

#include "name.h"

#define DNS_PORT         53
#define DNS_QUESTION_MAX (12u + DNS_WIRE_MAX + 4u)
#define DNS_TTL_MAX      86400u /* what an answer may ask for at most, in seconds */
#define DNS_NEGATIVE_MAX 10800u /* RFC 2308 5 */
#define DNS_ALIASES_MAX  8u     /* CNAMEs followed, one after the other */

struct dns_question {
    char name[DNS_NAME_MAX];
    enum dns_type type;
    uint16_t id;
};

/* dns_emit: writes at most DNS_QUESTION_MAX bytes, returns how many. */
size_t dns_emit(const struct dns_question *question, uint8_t *to);

enum dns_verdict {
    DNS_FOREIGN,   /* not an answer to this question: act as if it had never come */
    DNS_TRUNCATED, /* ask again over TCP */
    DNS_FAILED, /* the server cannot say: -EAGAIN, or has sent nonsense: -EPROTO (answer->error) */
    DNS_ANSWERED, /* answer->error is 0, -ENOENT or -ENODATA; ttl 0 is not to be kept */
};
enum dns_verdict dns_parse(const void *data, size_t length, const struct dns_question *question,
                           struct dns_answer *answer);
