/* DNS messages: header and question both ways, the records of an answer. */
#include "message.h"

#include <errno.h>

#define CLASS_IN 1u

/* The header's second word (RFC 1035 4.1.1). */
#define FLAG_RESPONSE  0x8000u
#define MASK_OPCODE    0x7800u
#define FLAG_TRUNCATED 0x0200u
#define FLAG_RECURSION 0x0100u
#define MASK_RCODE     0x000fu
#define RCODE_OK       0u
#define RCODE_NAME     3u

struct header {
    uint16_t id, flags;
    uint16_t questions, answers, authorities;
};

struct record {
    char owner[DNS_NAME_MAX];
    uint16_t type, class;
    uint32_t ttl;
    struct cursor data; /* its end is the record's; names in it may point to before it */
};

size_t dns_emit(const struct dns_question *question, uint8_t *to)
{
    uint8_t *at = put_u16(to, question->id);
    at = put_u16(at, FLAG_RECURSION);
    at = put_u16(at, 1);
    at = put_u16(put_u32(at, 0), 0); /* no answers, authorities, additional records */
    at = dns_name_put(at, question->name);
    at = put_u16(put_u16(at, (uint16_t)question->type), CLASS_IN);
    return (size_t)(at - to);
}

static struct header take_header(struct cursor *message)
{
    struct header header;
    header.id = cursor_u16(message);
    header.flags = cursor_u16(message);
    header.questions = cursor_u16(message);
    header.answers = cursor_u16(message);
    header.authorities = cursor_u16(message);
    cursor_u16(message); /* additional records: nothing there that we would believe */
    return header;
}

static bool take_record(struct cursor *message, const uint8_t *start, struct record *record)
{
    dns_name_take(message, start, record->owner);
    record->type = cursor_u16(message);
    record->class = cursor_u16(message);
    record->ttl = cursor_u32(message);
    record->data = cursor_sub(message, cursor_u16(message));
    if (record->ttl > INT32_MAX) /* RFC 2181 8 */
        record->ttl = 0;
    return cursor_ok(message);
}

/* is_answer: this message answers that question (RFC 5452 9.1). */
static bool is_answer(struct cursor *message, const uint8_t *start, const struct header *header,
                      const struct dns_question *question)
{
    char name[DNS_NAME_MAX];

    if (!cursor_ok(message) || header->id != question->id || !(header->flags & FLAG_RESPONSE) ||
        (header->flags & MASK_OPCODE) != 0 || header->questions != 1)
        return false;
    dns_name_take(message, start, name);
    uint16_t type = cursor_u16(message), class = cursor_u16(message);
    return cursor_ok(message) && strcmp(name, question->name) == 0 && type == question->type &&
           class == CLASS_IN;
}

/* --- the answer section --- */

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* take_data: an address or a name of the type that was asked for; false if it is malformed. */
static bool take_data(struct record *record, const uint8_t *start, struct dns_answer *answer)
{
    uint8_t bytes[16];
    size_t size = record->type == DNS_AAAA ? 16 : 4;

    if (record->type == DNS_PTR || record->type == DNS_CNAME)
        return dns_name_take(&record->data, start, answer->name) && cursor_left(&record->data) == 0;
    if (cursor_left(&record->data) != size)
        return false;
    cursor_bytes(&record->data, bytes, size);
    if (answer->address_count < DNS_ADDRESSES)
        answer->addresses[answer->address_count++] =
            size == 16 ? ip_v6_bytes(bytes) : ip_v4_bytes(bytes);
    return true;
}

/* scan: goes through the answers once and takes what is said about `owner`. An alias replaces owner
 * and sets *alias. Returns false if a record is malformed. */
static bool scan(struct cursor answers, const uint8_t *start, uint16_t count, char *owner,
                 struct dns_answer *answer, bool *found, bool *alias)
{
    struct record record;

    *alias = false;
    for (uint16_t i = 0; i < count; i++) {
        if (!take_record(&answers, start, &record))
            return false;
        if (record.class != CLASS_IN || *alias || strcmp(record.owner, owner) != 0)
            continue;
        if (record.type == answer->type) {
            *found = true;
            if (!take_data(&record, start, answer))
                return false;
            answer->ttl = least(answer->ttl, record.ttl);
        } else if (record.type == DNS_CNAME && !*found) {
            if (!dns_name_take(&record.data, start, owner))
                return false;
            *alias = true;
            answer->ttl = least(answer->ttl, record.ttl);
        }
    }
    return true;
}

/* take_answers: follows aliases from the question's name to what was asked for. */
static bool take_answers(struct cursor answers, const uint8_t *start, uint16_t count,
                         const struct dns_question *question, struct dns_answer *answer,
                         bool *found)
{
    char owner[DNS_NAME_MAX];
    bool alias = true;

    memcpy(owner, question->name, sizeof(owner));
    for (unsigned aliases = 0; alias; aliases++) {
        if (aliases > DNS_ALIASES_MAX)
            return false;
        if (!scan(answers, start, count, owner, answer, found, &alias))
            return false;
    }
    if (answer->type == DNS_A || answer->type == DNS_AAAA)
        memcpy(answer->name, owner, sizeof(owner));
    return true;
}

/* negative_ttl: how long absence may be believed: the SOA record in the authority section says it,
 * by its own time to live and its last field (RFC 2308 5). 0 without one. */
static uint32_t negative_ttl(struct cursor *message, const uint8_t *start,
                             const struct header *header)
{
    struct record record;
    char name[DNS_NAME_MAX];

    for (uint16_t i = 0; i < header->answers; i++)
        take_record(message, start, &record);
    for (uint16_t i = 0; i < header->authorities; i++) {
        if (!take_record(message, start, &record))
            return 0;
        if (record.type != DNS_SOA || record.class != CLASS_IN)
            continue;
        dns_name_take(&record.data, start, name);
        dns_name_take(&record.data, start, name);
        cursor_take(&record.data, 4 * 4); /* serial, refresh, retry, expire */
        uint32_t minimum = cursor_u32(&record.data);
        return cursor_ok(&record.data) ? least(least(record.ttl, minimum), DNS_NEGATIVE_MAX) : 0;
    }
    return 0;
}

static enum dns_verdict failed(struct dns_answer *answer, int error)
{
    answer->error = error;
    return DNS_FAILED;
}

enum dns_verdict dns_parse(const void *data, size_t length, const struct dns_question *question,
                           struct dns_answer *answer)
{
    struct cursor message = cursor_over(data, length);
    struct header header = take_header(&message);
    unsigned rcode = header.flags & MASK_RCODE;
    bool found = false;

    memset(answer, 0, sizeof(*answer));
    answer->type = question->type;
    answer->ttl = DNS_TTL_MAX;
    if (!is_answer(&message, data, &header, question))
        return DNS_FOREIGN;
    if (header.flags & FLAG_TRUNCATED)
        return DNS_TRUNCATED;
    if (rcode != RCODE_OK && rcode != RCODE_NAME)
        return failed(answer, -EAGAIN);
    if (!take_answers(message, data, header.answers, question, answer, &found))
        return failed(answer, -EPROTO);
    if (!found) {
        answer->error = rcode == RCODE_NAME ? -ENOENT : -ENODATA;
        answer->ttl = least(answer->ttl, negative_ttl(&message, data, &header));
    }
    return DNS_ANSWERED;
}
