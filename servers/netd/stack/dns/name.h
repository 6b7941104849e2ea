/* Domain names (RFC 1035 3.1, 4.1.4) between the wire and text.
 *
 * Text is what the rest of the resolver works with: lower case, labels joined by dots, none at the
 * end, "" for the root; so equal names are equal strings (RFC 4343). */
#pragma once

#include "../wire/cursor.h"
#include "dns.h"

#define DNS_LABEL_MAX 63u
#define DNS_WIRE_MAX  255u

/* dns_name_text: what a user typed, made text: false if it is empty, has an empty label, one longer
 * than 63 bytes, more than 255 in all, or a character that no host has. */
bool dns_name_text(const char *typed, char text[DNS_NAME_MAX]);

/* dns_name_put: text to its labels, at most DNS_WIRE_MAX bytes; returns where the next byte goes.
 */
uint8_t *dns_name_put(uint8_t *at, const char *text);

/* dns_name_take: reads a name from message, whose whole begins at `start`, with the cursor behind
 * its end afterwards. A pointer must lead to before the labels it ends, so that no name is a
 * circle. false: malformed, and the cursor has failed. */
bool dns_name_take(struct cursor *message, const uint8_t *start, char text[DNS_NAME_MAX]);

/* dns_name_reverse: the name under in-addr.arpa or ip6.arpa that an address has. */
void dns_name_reverse(const struct ip_address *address, char text[DNS_NAME_MAX]);
