/* Internet addresses as text: dotted quads, and RFC 4291 2.2 in the form of RFC 5952. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 8

const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT, in6addr_loopback = IN6ADDR_LOOPBACK_INIT;

/* ---- From text ---------------------------------------------------------------------------- */

/* Exactly four decimal numbers, without leading zeros. */
static bool parse_v4(const char *text, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        int digits = 0;
        for (; *text >= '0' && *text <= '9'; text++, digits++) {
            if (digits > 0 && value == 0)
                return false;
            value = value * 10 + (unsigned)(*text - '0');
            if (value > 255)
                return false;
        }
        if (digits == 0 || *text != (i < 3 ? '.' : '\0'))
            return false;
        text++;
        bytes[i] = (uint8_t)value;
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

/* One to four hexadecimal digits; the text behind them, or NULL. */
static const char *parse_group(const char *text, unsigned *group)
{
    int digits = 0;
    *group = 0;
    for (; hex_digit(*text) >= 0; text++, digits++)
        *group = *group << 4 | (unsigned)hex_digit(*text);
    return digits >= 1 && digits <= 4 ? text : NULL;
}

/* The groups are read in order; what comes behind "::" is moved to the end when all are known. */
static bool parse_v6(const char *text, uint8_t *bytes)
{
    unsigned count = 0, gap = GROUPS + 1; /* groups; where the "::" is */
    memset(bytes, 0, 2 * GROUPS);
    if (text[0] == ':' && text[1] != ':')
        return false;
    while (*text) {
        if (text[0] == ':' && text[1] == ':') {
            if (gap <= GROUPS)
                return false;
            gap = count;
            text += 2;
            continue;
        }
        unsigned group;
        if (count > 0 && gap != count && *text++ != ':')
            return false;
        if (count + 2 <= GROUPS && parse_v4(text, bytes + 2 * count)) {
            count += 2;
            break;
        }
        text = count < GROUPS ? parse_group(text, &group) : NULL;
        if (!text)
            return false;
        bytes[2 * count] = (uint8_t)(group >> 8);
        bytes[2 * count + 1] = (uint8_t)group;
        count++;
    }
    if (gap > GROUPS)
        return count == GROUPS;
    if (count == GROUPS) /* "::" stands for at least one group */
        return false;
    size_t behind = 2 * (count - gap);
    memmove(bytes + 2 * GROUPS - behind, bytes + 2 * gap, behind);
    memset(bytes + 2 * gap, 0, 2 * GROUPS - behind - 2 * gap);
    return true;
}

int inet_pton(int family, const char *text, void *address)
{
    uint8_t bytes[2 * GROUPS];
    bool good;
    if (family == AF_INET)
        good = parse_v4(text, bytes);
    else if (family == AF_INET6)
        good = parse_v6(text, bytes);
    else {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (good)
        memcpy(address, bytes, family == AF_INET ? 4 : 16);
    return good;
}

/* ---- To text ------------------------------------------------------------------------------ */

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static void find_zeros(const uint8_t *bytes, unsigned *from, unsigned *to)
{
    *from = *to = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned end = i;
        while (end < GROUPS && bytes[2 * end] == 0 && bytes[2 * end + 1] == 0)
            end++;
        if (end - i > *to - *from && end - i >= 2) {
            *from = i;
            *to = end;
        }
        if (end > i)
            i = end;
    }
}

static void format_v4(const uint8_t *bytes, char *text)
{
    sprintf(text, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static void format_v6(const uint8_t *bytes, char *text)
{
    unsigned from, to;
    find_zeros(bytes, &from, &to);
    /* ::a.b.c.d and ::ffff:a.b.c.d are shown with their IPv4 part. */
    bool mapped = from == 0 && to == 5 && bytes[10] == 0xff && bytes[11] == 0xff;
    bool embeds = mapped || (from == 0 && to == 6);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == from && to > from) {
            text += sprintf(text, "::");
            i = to - 1;
        } else if (i == 6 && embeds) {
            format_v4(bytes + 12, text);
            return;
        } else {
            bool more = i + 1 < GROUPS && !(i + 1 == from && to > from);
            text += sprintf(text, more ? "%x:" : "%x", bytes[2 * i] << 8 | bytes[2 * i + 1]);
        }
    }
}

const char *inet_ntop(int family, const void *address, char *text, socklen_t size)
{
    char buffer[INET6_ADDRSTRLEN];
    if (family == AF_INET)
        format_v4(address, buffer);
    else if (family == AF_INET6)
        format_v6(address, buffer);
    else {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if (strlen(buffer) >= size) {
        errno = ENOSPC;
        return NULL;
    }
    return strcpy(text, buffer);
}

/* ---- The older ones ----------------------------------------------------------------------- */

/* One to four numbers in C's notation; the last one fills what the others leave. */
int inet_aton(const char *text, struct in_addr *address)
{
    uint32_t value = 0;
    for (int part = 0; part < 4; part++) {
        char *end;
        if (*text < '0' || *text > '9')
            return 0;
        unsigned long number = strtoul(text, &end, 0);
        if (*end == '.' && part < 3) {
            if (number > 255)
                return 0;
            value |= (uint32_t)number << (24 - 8 * part);
            text = end + 1;
            continue;
        }
        bool ends = *end == '\0' || *end == ' ' || (*end >= '\t' && *end <= '\r');
        if (!ends || number > UINT32_MAX >> (8 * part))
            return 0;
        address->s_addr = htonl(value | (uint32_t)number);
        return 1;
    }
    return 0;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;
    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static __thread char text[INET_ADDRSTRLEN];
    format_v4((const uint8_t *)&address, text);
    return text;
}
