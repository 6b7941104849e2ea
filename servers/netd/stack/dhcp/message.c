/* DHCP messages: RFC 2131 figure 1, and those options of RFC 2132 that configure an interface. */
#include "message.h"

#include "../wire/cursor.h"

#define MAGIC_COOKIE   0x63825363u
#define BOOT_REQUEST   1
#define BOOT_REPLY     2
#define ETHERNET       1
#define FLAG_BROADCAST 0x8000u
#define SNAME_SIZE     64u
#define FILE_SIZE      128u
#define BOOTP_MIN      300u /* RFC 1542 2.1: relays drop what is shorter */
#define MTU_MIN        68u

enum option {
    OPTION_PAD = 0,
    OPTION_SUBNET_MASK = 1,
    OPTION_ROUTERS = 3,
    OPTION_NAME_SERVERS = 6,
    OPTION_HOST_NAME = 12,
    OPTION_DOMAIN_NAME = 15,
    OPTION_MTU = 26,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE_TIME = 51,
    OPTION_OVERLOAD = 52,
    OPTION_MESSAGE_TYPE = 53,
    OPTION_SERVER_IDENTIFIER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_MAX_MESSAGE = 57,
    OPTION_RENEWAL_TIME = 58,
    OPTION_REBINDING_TIME = 59,
    OPTION_CLIENT_IDENTIFIER = 61,
    OPTION_END = 255,
};

enum overload { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

/* --- parsing --- */

struct parse {
    struct dhcp_reply *reply;
    uint8_t overload;
    bool good;
};

static struct ip_address take_address(struct cursor *cursor)
{
    uint8_t bytes[4];
    cursor_bytes(cursor, bytes, sizeof(bytes));
    return ip_v4_bytes(bytes);
}

static bool is_host(const struct ip_address *address)
{
    return !ip_is_any(address) && !ip_is_loopback(address) && !ip_is_multicast(address) &&
           !ip_is_broadcast(address) && address->bytes[0] != 0;
}

/* take_list: the addresses of an option, behind those that an earlier piece of it has brought
 * (RFC 3396); what is too much, or no host's, is left out. */
static void take_list(struct cursor *option, struct ip_address *list, uint8_t *count, uint8_t max)
{
    while (cursor_left(option) >= 4) {
        struct ip_address address = take_address(option);
        if (*count < max && is_host(&address))
            list[(*count)++] = address;
    }
}

/* take_mask: the prefix of a mask; false if its ones are not all in front. */
static bool take_mask(struct cursor *option, uint8_t *prefix)
{
    uint32_t mask = cursor_u32(option), holes = ~mask;
    *prefix = (uint8_t)__builtin_popcount(mask);
    return mask != 0 && (holes & (holes + 1)) == 0;
}

/* take_domain: letters, digits, '-', '_' and '.' only: it becomes part of questions, and of files.
 * Servers disagree about a zero at the end. */
static void take_domain(struct cursor *option, char domain[DHCP_DOMAIN])
{
    size_t length = cursor_left(option);
    const char *text = (const char *)cursor_take(option, length);

    while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == '.'))
        length--;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return;
    }
    memcpy(domain, text, length);
    domain[length] = '\0';
}

static void take_option(struct parse *parse, uint8_t code, struct cursor option)
{
    struct dhcp_reply *reply = parse->reply;
    struct dhcp_lease *lease = &reply->lease;

    switch (code) {
    case OPTION_SUBNET_MASK:
        parse->good &= take_mask(&option, &lease->prefix);
        break;
    case OPTION_ROUTERS:
        take_list(&option, lease->routers, &lease->router_count, DHCP_ROUTERS);
        break;
    case OPTION_NAME_SERVERS:
        take_list(&option, lease->name_servers, &lease->name_server_count, DHCP_SERVERS);
        break;
    case OPTION_DOMAIN_NAME:
        take_domain(&option, lease->domain);
        break;
    case OPTION_MTU:
        lease->mtu = cursor_u16(&option);
        if (lease->mtu < MTU_MIN)
            lease->mtu = 0;
        break;
    case OPTION_LEASE_TIME:
        reply->lease_time = cursor_u32(&option);
        break;
    case OPTION_RENEWAL_TIME:
        reply->renewal_time = cursor_u32(&option);
        break;
    case OPTION_REBINDING_TIME:
        reply->rebinding_time = cursor_u32(&option);
        break;
    case OPTION_OVERLOAD:
        parse->overload = cursor_u8(&option);
        break;
    case OPTION_MESSAGE_TYPE:
        reply->type = (enum dhcp_type)cursor_u8(&option);
        break;
    case OPTION_SERVER_IDENTIFIER:
        lease->server = take_address(&option);
        break;
    default:
        break;
    }
    parse->good &= cursor_ok(&option);
}

/* take_options: one field of options up to its end option, which must be there. */
static void take_options(struct parse *parse, struct cursor options)
{
    while (cursor_ok(&options)) {
        uint8_t code = cursor_u8(&options);
        if (cursor_ok(&options) && code == OPTION_END)
            return;
        if (code == OPTION_PAD)
            continue;
        uint8_t length = cursor_u8(&options);
        struct cursor option = cursor_sub(&options, length);
        if (cursor_ok(&options))
            take_option(parse, code, option);
    }
    parse->good = false;
}

/* default_prefix: of the address's class, for a server that does not say (RFC 950 2). */
static uint8_t default_prefix(const struct ip_address *address)
{
    return address->bytes[0] < 128 ? 8 : address->bytes[0] < 192 ? 16 : 24;
}

static bool complete(struct dhcp_reply *reply)
{
    struct dhcp_lease *lease = &reply->lease;
    if (!is_host(&lease->server))
        return false;
    if (reply->type == DHCP_NAK)
        return true;
    if (reply->type != DHCP_OFFER && reply->type != DHCP_ACK)
        return false;
    if (lease->prefix == 0)
        lease->prefix = default_prefix(&lease->address);
    return is_host(&lease->address) && reply->lease_time > 0;
}

bool dhcp_parse(const void *data, size_t length, struct dhcp_reply *reply)
{
    struct cursor message = cursor_over(data, length);
    struct parse parse = {.reply = reply, .good = true};

    memset(reply, 0, sizeof(*reply));
    bool is_reply = cursor_u8(&message) == BOOT_REPLY && cursor_u8(&message) == ETHERNET &&
                    cursor_u8(&message) == MAC_SIZE;
    cursor_take(&message, 1); /* hops */
    reply->xid = cursor_u32(&message);
    cursor_take(&message, 2 + 2 + 4); /* secs, flags, ciaddr */
    reply->lease.address = take_address(&message);
    cursor_take(&message, 4 + 4); /* siaddr, giaddr */
    cursor_bytes(&message, reply->mac, MAC_SIZE);
    cursor_take(&message, 16 - MAC_SIZE);
    struct cursor sname = cursor_sub(&message, SNAME_SIZE);
    struct cursor file = cursor_sub(&message, FILE_SIZE);
    if (cursor_u32(&message) != MAGIC_COOKIE || !is_reply)
        return false;

    take_options(&parse, message);
    uint8_t overload = parse.overload; /* counts in the options field only (RFC 2131 4.1) */
    if (overload & OVERLOAD_FILE)
        take_options(&parse, file);
    if (overload & OVERLOAD_SNAME)
        take_options(&parse, sname);
    return parse.good && complete(reply);
}

/* --- emitting --- */

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *value, size_t length)
{
    at = put_u8(put_u8(at, code), (uint8_t)length);
    return put_bytes(at, value, length);
}

static uint8_t *put_address_option(uint8_t *at, uint8_t code, const struct ip_address *address)
{
    return ip_is_any(address) ? at : put_option(at, code, address->bytes, 4);
}

static uint8_t *put_wishes(uint8_t *at, const struct dhcp_request *request)
{
    static const uint8_t parameters[] = {
        OPTION_SUBNET_MASK, OPTION_ROUTERS,    OPTION_NAME_SERVERS, OPTION_DOMAIN_NAME,
        OPTION_MTU,         OPTION_LEASE_TIME, OPTION_RENEWAL_TIME, OPTION_REBINDING_TIME,
    };
    static const uint8_t max_message[2] = {DHCP_MESSAGE_MAX >> 8, DHCP_MESSAGE_MAX & 0xff};

    if (request->hostname != NULL && request->hostname[0] != '\0')
        at = put_option(at, OPTION_HOST_NAME, request->hostname,
                        strnlen(request->hostname, DHCP_HOST - 1));
    at = put_option(at, OPTION_MAX_MESSAGE, max_message, sizeof(max_message));
    return put_option(at, OPTION_PARAMETERS, parameters, sizeof(parameters));
}

size_t dhcp_emit(const struct dhcp_request *request, uint8_t *to)
{
    uint8_t identifier[1 + MAC_SIZE] = {ETHERNET}, type = (uint8_t)request->type;
    bool asks = request->type == DHCP_DISCOVER || request->type == DHCP_REQUEST;
    /* Without an address we cannot hear a unicast answer (RFC 2131 4.1). */
    bool deaf = asks && ip_is_any(&request->ciaddr);

    memset(to, 0, DHCP_REQUEST_MAX);
    uint8_t *at = put_u8(put_u8(put_u8(put_u8(to, BOOT_REQUEST), ETHERNET), MAC_SIZE), 0);
    at = put_u16(put_u32(at, request->xid), request->seconds);
    at = put_u16(at, deaf ? FLAG_BROADCAST : 0);
    at = put_bytes(at, request->ciaddr.bytes, 4);
    at += 4 + 4 + 4; /* yiaddr, siaddr, giaddr */
    at = put_bytes(at, request->mac, MAC_SIZE);
    at += 16 - MAC_SIZE + SNAME_SIZE + FILE_SIZE;
    at = put_u32(at, MAGIC_COOKIE);

    at = put_option(at, OPTION_MESSAGE_TYPE, &type, 1);
    memcpy(identifier + 1, request->mac, MAC_SIZE);
    at = put_option(at, OPTION_CLIENT_IDENTIFIER, identifier, sizeof(identifier));
    at = put_address_option(at, OPTION_REQUESTED_ADDRESS, &request->requested);
    at = put_address_option(at, OPTION_SERVER_IDENTIFIER, &request->server);
    if (asks)
        at = put_wishes(at, request);
    at = put_u8(at, OPTION_END);
    size_t length = (size_t)(at - to);
    return length < BOOTP_MIN ? BOOTP_MIN : length;
}
