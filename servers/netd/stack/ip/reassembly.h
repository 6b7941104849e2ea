/* Fragments of IPv4 and IPv6 datagrams on their way to being whole again (RFC 791 3.2, RFC 8200
 * 4.5). A datagram whose fragments overlap is discarded, with all that still comes of it (RFC
 * 5722); only exact repetitions are overlooked.
 *
 * Bounded: config.reassembly_bytes in packets, REASSEMBLY_DATAGRAMS begun; what is oldest gives
 * way. What is not complete REASSEMBLY_TIME after its first fragment is given up. */
#pragma once

#include "../ip.h"

#define REASSEMBLY_DATAGRAMS 64u
#define REASSEMBLY_TIME      60000000000ull /* ns: RFC 8200 4.5, RFC 1122 3.3.2 */

struct reassembly_fragment {
    uint32_t identification;
    uint16_t offset; /* of the payload in the datagram's, bytes */
    bool more;
    /* expired: the time is over, and this is the first fragment, of which an ICMP error may tell
     * its sender. The packet stays the caller's. */
    void (*expired)(struct stack *stack, const struct ip_received *ip, struct packet *packet);
};

int reassembly_create(struct stack *stack); /* ENOMEM */
void reassembly_destroy(struct stack *stack);

/* reassemble: [start, end) of packet is the fragment's payload, with ip->header_length bytes of
 * headers in front; the packet is taken over, and its word[0] and [1] are used. A payload that
 * other fragments follow is a multiple of 8 bytes long: the caller has checked it. Returns the
 * whole datagram, with the headers of its first fragment in front and in *ip; NULL while parts are
 * missing, or if there is nothing to be made of it. */
struct packet *reassemble(struct stack *stack, const struct reassembly_fragment *fragment,
                          struct ip_received *ip, struct packet *packet);
