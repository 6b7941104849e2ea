/* Answers of a name server. */
#include "server.h"

void answer_begin(struct answer *answer, const uint8_t *query, size_t length, unsigned rcode)
{
    memcpy(answer->bytes, query, length);
    put_u16(answer->bytes + 2, (uint16_t)(0x8180 | rcode));
    answer->length = length;
}

void answer_record(struct answer *answer, enum section section, const char *owner, uint16_t type,
                   uint32_t ttl, const void *data, size_t length)
{
    uint8_t *at = answer->bytes + answer->length, *count = answer->bytes + section;

    at = (uint8_t)owner[0] == 0xc0 ? put_bytes(at, owner, 2) : dns_name_put(at, owner);
    at = put_u32(put_u16(put_u16(at, type), 1), ttl);
    at = put_u16(at, (uint16_t)length);
    at = put_bytes(at, data, length);
    answer->length = (size_t)(at - answer->bytes);
    put_u16(count, (uint16_t)((count[0] << 8 | count[1]) + 1));
}

void answer_address(struct answer *answer, const char *owner, uint8_t last, uint32_t ttl)
{
    answer_record(answer, SECTION_ANSWER, owner, DNS_A, ttl, (uint8_t[]){192, 0, 2, last}, 4);
}

void answer_alias(struct answer *answer, const char *owner, const char *target, uint32_t ttl)
{
    uint8_t name[DNS_WIRE_MAX];
    size_t length = (size_t)(dns_name_put(name, target) - name);
    answer_record(answer, SECTION_ANSWER, owner, DNS_CNAME, ttl, name, length);
}

void answer_soa(struct answer *answer, uint32_t ttl, uint32_t minimum)
{
    uint8_t data[64];
    uint8_t *at = dns_name_put(dns_name_put(data, "ns.example"), "admin.example");
    for (unsigned i = 0; i < 4; i++)
        at = put_u32(at, 1);
    at = put_u32(at, minimum);
    answer_record(answer, SECTION_AUTHORITY, "example", DNS_SOA, ttl, data, (size_t)(at - data));
}
