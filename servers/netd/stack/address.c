/* IP addresses: what kind an address is, prefixes, and the text forms. */
#include "address.h"
#include <stdio.h>
#include <string.h>

struct ip_address ip_v4_bytes(const uint8_t bytes[4])
{
    struct ip_address address = {.family = IP_V4};
    memcpy(address.bytes, bytes, 4);
    return address;
}

struct ip_address ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return ip_v4_bytes((const uint8_t[]){a, b, c, d});
}

struct ip_address ip_v6_bytes(const uint8_t bytes[16])
{
    struct ip_address address = {.family = IP_V6};
    memcpy(address.bytes, bytes, 16);
    return address;
}

struct ip_address ip_any(enum ip_family family)
{
    return (struct ip_address){.family = (uint8_t)family};
}

struct ip_address ip_loopback(enum ip_family family)
{
    if (family == IP_V4)
        return ip_v4(127, 0, 0, 1);
    return ip_v6_bytes((const uint8_t[16]){[15] = 1});
}

/* Asked many times for each packet; the last byte is the likeliest to differ. */
bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
    const uint8_t *x = a->bytes, *y = b->bytes;
    if (a->family != b->family || x[3] != y[3] || x[2] != y[2] || x[1] != y[1] || x[0] != y[0])
        return false;
    return a->family != IP_V6 || memcmp(x, y, sizeof a->bytes) == 0;
}

bool ip_is_any(const struct ip_address *address)
{
    static const uint8_t zeros[16];
    const uint8_t *b = address->bytes;
    if (b[0] | b[1] | b[2] | b[3])
        return false;
    return address->family != IP_V6 || memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

bool ip_is_loopback(const struct ip_address *address)
{
    if (address->family == IP_V4)
        return address->bytes[0] == 127;
    const struct ip_address one = ip_loopback(IP_V6);
    return ip_equal(address, &one);
}

bool ip_is_multicast(const struct ip_address *address)
{
    if (address->family == IP_V4)
        return (address->bytes[0] & 0xf0) == 0xe0;
    return address->family == IP_V6 && address->bytes[0] == 0xff;
}

bool ip_is_broadcast(const struct ip_address *address)
{
    const uint8_t *b = address->bytes;
    return address->family == IP_V4 && (b[0] & b[1] & b[2] & b[3]) == 255;
}

bool ip_is_link_local(const struct ip_address *address)
{
    if (address->family == IP_V4)
        return address->bytes[0] == 169 && address->bytes[1] == 254;
    return address->family == IP_V6 && address->bytes[0] == 0xfe &&
           (address->bytes[1] & 0xc0) == 0x80;
}

unsigned ip_common_prefix(const struct ip_address *a, const struct ip_address *b)
{
    if (a->family != b->family)
        return 0;
    for (unsigned i = 0; i < ip_address_size(a); i++) {
        const unsigned difference = a->bytes[i] ^ b->bytes[i];
        if (difference)
            return i * 8 + (unsigned)__builtin_clz(difference) - 24;
    }
    return (unsigned)ip_address_size(a) * 8;
}

bool ip_in_prefix(const struct ip_address *address, const struct ip_address *prefix, unsigned bits)
{
    if (address->family != prefix->family || bits > ip_address_size(prefix) * 8)
        return false;
    for (size_t i = 0; i * 8 < bits; i++)
        if ((address->bytes[i] ^ prefix->bytes[i]) & ~ip_host_bits(bits, i))
            return false;
    return true;
}

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool ip_is_mapped(const struct ip_address *address)
{
    return address->family == IP_V6 &&
           memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

struct ip_address ip_map(const struct ip_address *v4)
{
    struct ip_address address = {.family = IP_V6};
    memcpy(address.bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy(address.bytes + 12, v4->bytes, 4);
    return address;
}

struct ip_address ip_unmap(const struct ip_address *mapped)
{
    return ip_v4_bytes(mapped->bytes + 12);
}

/* --- text --- */

#define GROUPS 8 /* of 16 bits in an IPv6 address */

static unsigned group(const struct ip_address *address, unsigned i)
{
    return (unsigned)(address->bytes[2 * i] << 8 | address->bytes[2 * i + 1]);
}

/* RFC 5952 4.2: "::" stands for the first of the longest runs of at least two zero groups. */
static unsigned longest_zeros(const struct ip_address *address, unsigned *length)
{
    unsigned best = 0;
    *length = 1;
    for (unsigned i = 0, run = 0; i < GROUPS; i++) {
        run = group(address, i) ? 0 : run + 1;
        if (run > *length) {
            *length = run;
            best = i + 1 - run;
        }
    }
    return *length > 1 ? best : GROUPS;
}

static void format_v6(const struct ip_address *address, char *at)
{
    unsigned zeros_length;
    const unsigned zeros = longest_zeros(address, &zeros_length);
    const unsigned groups = ip_is_mapped(address) ? 6 : GROUPS; /* RFC 5952 5 */
    for (unsigned i = 0; i < groups; i++) {
        if (i == zeros) {
            at += sprintf(at, "::");
            i += zeros_length - 1;
        } else {
            const bool first = i == 0 || (zeros < GROUPS && i == zeros + zeros_length);
            at += sprintf(at, first ? "%x" : ":%x", group(address, i));
        }
    }
    if (groups == 6) {
        const uint8_t *b = address->bytes + 12;
        sprintf(at, ":%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    }
}

char *ip_format(const struct ip_address *address, char *buffer)
{
    const uint8_t *b = address->bytes;
    if (address->family == IP_V4)
        snprintf(buffer, IP_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    else if (address->family == IP_V6)
        format_v6(address, buffer);
    else
        snprintf(buffer, IP_TEXT_MAX, "*");
    return buffer;
}

/* parse_v4: four decimal numbers without leading zeros up to the end of the text. */
static bool parse_v4(const char *text, uint8_t bytes[4])
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        for (; *text >= '0' && *text <= '9'; text++, digits++) {
            value = value * 10 + (unsigned)(*text - '0');
            if (value > 255 || (digits && value < 10))
                return false;
        }
        if (digits == 0 || *text != (i < 3 ? '.' : '\0'))
            return false;
        bytes[i] = (uint8_t)value;
        text++;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* parse_v6: RFC 4291 2.2. Groups are filled from the front; at the end, those behind "::" move to
 * the back. */
static bool parse_v6(const char *text, uint8_t bytes[16])
{
    unsigned used = 0, gap = 17; /* bytes; 17 = no "::" yet */
    memset(bytes, 0, 16);
    if (text[0] == ':' && text[1] != ':')
        return false;
    while (*text) {
        if (text[0] == ':' && text[1] == ':') {
            if (gap <= 16)
                return false;
            gap = used;
            text += 2;
            if (!*text)
                break;
        } else if (used && *text++ != ':') {
            return false;
        }
        if (used <= 12 && strchr(text, '.') && !strchr(text, ':')) {
            if (!parse_v4(text, bytes + used))
                return false;
            used += 4;
            break;
        }
        unsigned value = 0, digits = 0;
        for (; hex_digit(*text) >= 0 && digits < 4; text++, digits++)
            value = value << 4 | (unsigned)hex_digit(*text);
        if (digits == 0 || used > 14)
            return false;
        bytes[used++] = (uint8_t)(value >> 8);
        bytes[used++] = (uint8_t)value;
    }
    if (gap > 16)
        return used == 16;
    if (used > 14)
        return false;
    memmove(bytes + 16 - (used - gap), bytes + gap, used - gap);
    memset(bytes + gap, 0, 16 - used);
    return true;
}

bool ip_parse(const char *text, struct ip_address *address)
{
    struct ip_address parsed = {.family = strchr(text, ':') ? IP_V6 : IP_V4};
    if (parsed.family == IP_V6 ? !parse_v6(text, parsed.bytes) : !parse_v4(text, parsed.bytes))
        return false;
    *address = parsed;
    return true;
}
