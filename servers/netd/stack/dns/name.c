/* Domain names: labels on the wire, lower-case text everywhere else. */
#include "name.h"

#include <stdio.h>

#define POINTER      0xc0u
#define POINTERS_MAX 64u

/* fold: a character of a label in lower case, or 0 if names do not have it. Host names are letters,
 * digits and '-' (RFC 952, 1123 2.1); '_' is in service names, '/' in RFC 2317's delegations. What
 * else there may be on the wire ends here: no name with a dot, a blank or a control character in a
 * label reaches a file or a terminal. */
static char fold(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '/')
        return (char)c;
    return 0;
}

/* append_label: text[*used] onwards; false without room or for a wrong character. */
static bool append_label(char *text, size_t *used, const uint8_t *label, size_t length)
{
    size_t at = *used;
    if (at + (at > 0) + length > DNS_NAME_MAX - 1)
        return false;
    if (at > 0)
        text[at++] = '.';
    for (size_t i = 0; i < length; i++)
        if ((text[at++] = fold(label[i])) == 0)
            return false;
    text[at] = '\0';
    *used = at;
    return true;
}

bool dns_name_text(const char *typed, char text[DNS_NAME_MAX])
{
    size_t used = 0;

    for (;;) {
        size_t length = strcspn(typed, ".");
        if (length == 0 || length > DNS_LABEL_MAX ||
            !append_label(text, &used, (const uint8_t *)typed, length))
            return false;
        typed += length;
        if (*typed == '.')
            typed++;
        if (*typed == '\0')
            return true;
    }
}

uint8_t *dns_name_put(uint8_t *at, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ".");
        at = put_bytes(put_u8(at, (uint8_t)length), text, length);
        text += length + (text[length] == '.');
    }
    return put_u8(at, 0);
}

/* exercise 7.9 */
/* follow: the cursor that a pointer leads to, which must be before `limit`, where the labels began
 * that it ends; limit moves there, so every jump goes further to the front. */
static bool follow(struct cursor *from, const uint8_t *start, uint8_t high, const uint8_t **limit,
                   struct cursor *to)
{
    size_t offset = (size_t)(high & ~POINTER) << 8 | cursor_u8(from);
    if (!cursor_ok(from) || offset >= (size_t)(*limit - start))
        return false;
    *limit = start + offset;
    *to = cursor_over(*limit, (size_t)(from->end - *limit));
    return true;
}

static bool take_labels(struct cursor *message, const uint8_t *start, char *text)
{
    struct cursor elsewhere, *at = message;
    const uint8_t *limit = message->at;
    size_t used = 0;
    unsigned pointers = 0;

    text[0] = '\0';
    for (;;) {
        uint8_t length = cursor_u8(at);
        if (!cursor_ok(at))
            return false;
        if (length == 0)
            return true;
        if (length >= POINTER) {
            struct cursor next;
            if (++pointers > POINTERS_MAX || !follow(at, start, length, &limit, &next))
                return false;
            elsewhere = next;
            at = &elsewhere;
            continue;
        }
        const uint8_t *label = length <= DNS_LABEL_MAX ? cursor_take(at, length) : NULL;
        if (label == NULL || !append_label(text, &used, label, length))
            return false;
    }
}
/* end 7.9 */

bool dns_name_take(struct cursor *message, const uint8_t *start, char text[DNS_NAME_MAX])
{
    if (message->failed || !take_labels(message, start, text)) {
        message->failed = true;
        text[0] = '\0';
    }
    return !message->failed;
}

void dns_name_reverse(const struct ip_address *address, char text[DNS_NAME_MAX])
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = address->bytes;

    if (address->family == IP_V4) {
        snprintf(text, DNS_NAME_MAX, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
        return;
    }
    for (int i = 15; i >= 0; i--) {
        *text++ = digits[b[i] & 15];
        *text++ = '.';
        *text++ = digits[b[i] >> 4];
        *text++ = '.';
    }
    memcpy(text, "ip6.arpa", sizeof("ip6.arpa"));
}
