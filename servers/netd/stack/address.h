/* Addresses of the Internet protocols, and the ends of a flow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of AF_INET and AF_INET6 on Linux; 0 = no address. */
enum ip_family { IP_NONE = 0, IP_V4 = 2, IP_V6 = 10 };

#define MAC_SIZE 6

/* Bytes in network order; IPv4 uses the first four, the rest is 0. Two addresses are equal when
 * their bytes are, so the structure is compared and hashed as a whole. */
struct ip_address {
    uint8_t family; /* enum ip_family */
    uint8_t pad[3];
    uint8_t bytes[16];
};
_Static_assert(sizeof(struct ip_address) == 20, "no hidden padding: compared with memcmp");

/* One end of a flow. The port is in host order. interface: index of the netif that a link-local
 * or multicast address is meant on, 0 = any (RFC 4007). */
struct endpoint {
    struct ip_address address;
    uint16_t port;
    uint16_t interface;
};

struct ip_address ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
struct ip_address ip_v4_bytes(const uint8_t bytes[4]);
struct ip_address ip_v6_bytes(const uint8_t bytes[16]);
struct ip_address ip_any(enum ip_family family);
struct ip_address ip_loopback(enum ip_family family);

static inline size_t ip_address_size(const struct ip_address *address)
{
    return address->family == IP_V6 ? 16 : 4;
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b);
bool ip_is_any(const struct ip_address *address); /* unspecified, or no address at all */
bool ip_is_loopback(const struct ip_address *address);
bool ip_is_multicast(const struct ip_address *address);
bool ip_is_broadcast(const struct ip_address *address); /* 255.255.255.255 only */
bool ip_is_link_local(const struct ip_address *address);

/* ip_in_prefix: the first `bits` bits of both are equal (and the families). */
bool ip_in_prefix(const struct ip_address *address, const struct ip_address *prefix, unsigned bits);
/* ip_host_bits: those of byte i that lie behind the first `bits` bits. */
static inline uint8_t ip_host_bits(unsigned bits, size_t i)
{
    if (i != bits / 8)
        return i < bits / 8 ? 0 : 0xff;
    return (uint8_t)(0xff >> bits % 8);
}
/* ip_common_prefix: how many leading bits are equal; 0 for different families. */
unsigned ip_common_prefix(const struct ip_address *a, const struct ip_address *b);

/* IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2), as dual-stack sockets show IPv4 peers. */
bool ip_is_mapped(const struct ip_address *address);
struct ip_address ip_map(const struct ip_address *v4);
struct ip_address ip_unmap(const struct ip_address *mapped);

/* Text: dotted quads and RFC 5952. ip_format: into IP_TEXT_MAX bytes, returns buffer. ip_parse: the
 * whole text is an address of either family; false otherwise. */
#define IP_TEXT_MAX 48
char *ip_format(const struct ip_address *address, char *buffer);
bool ip_parse(const char *text, struct ip_address *address);
