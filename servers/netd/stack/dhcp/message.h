/* DHCP messages (RFC 2131 2, RFC 2132): a reply taken apart, a request put together. */
#pragma once

#include "dhcp.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_MESSAGE_MAX 1472u /* what we take: an Ethernet frame's worth */
#define DHCP_REQUEST_MAX                                                                           \
    548u /* what every server takes (RFC 2131 2: 576 bytes with IP and UDP)                        \
          */
#define DHCP_FOREVER 0xffffffffu

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_DECLINE = 4,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
    DHCP_RELEASE = 7,
};

struct dhcp_reply {
    enum dhcp_type type; /* OFFER, ACK or NAK */
    uint32_t xid;
    uint8_t mac[6];
    uint32_t lease_time, renewal_time, rebinding_time; /* s; 0 = not said, DHCP_FOREVER */
    struct dhcp_lease lease;                           /* but for its times */
};

/* dhcp_parse: false for what is not a well-formed reply: a length that leaves the message, no end
 * option, no server identifier, an offer of no usable address or without a lease time. */
bool dhcp_parse(const void *data, size_t length, struct dhcp_reply *reply);

/* What a request says; 0, no address and "" are left out. */
struct dhcp_request {
    enum dhcp_type type;
    uint32_t xid;
    uint16_t seconds; /* since the acquisition began */
    uint8_t mac[6];
    struct ip_address ciaddr;    /* ours, when it is in use */
    struct ip_address requested; /* option 50 */
    struct ip_address server;    /* option 54 */
    const char *hostname;        /* option 12, or NULL */
};

/* dhcp_emit: writes at most DHCP_REQUEST_MAX bytes, returns how many. */
size_t dhcp_emit(const struct dhcp_request *request, uint8_t *to);
