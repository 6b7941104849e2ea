/* ICMPv6 errors about packets of ours: passed on to the socket that they concern (RFC 4443 3). */
#include "../ip/path_mtu.h"
#include "../stack.h"
#include "../wire/ipv6.h"
#include "icmpv6.h"
#include <errno.h>

/* What a program finds in errno: the numbers of Linux. */
static const struct meaning {
    uint8_t type, code;
    bool any_code, hard;
    uint8_t kind;
    int error;
} meanings[] = {
    {ICMPV6_UNREACHABLE, UNREACHABLE_NO_ROUTE, false, false, IP_UNREACHABLE, -ENETUNREACH},
    {ICMPV6_UNREACHABLE, UNREACHABLE_PROHIBITED, false, true, IP_UNREACHABLE, -EACCES},
    {ICMPV6_UNREACHABLE, UNREACHABLE_BEYOND_SCOPE, false, false, IP_UNREACHABLE, -EHOSTUNREACH},
    {ICMPV6_UNREACHABLE, UNREACHABLE_ADDRESS, false, false, IP_UNREACHABLE, -EHOSTUNREACH},
    {ICMPV6_UNREACHABLE, UNREACHABLE_PORT, false, true, IP_UNREACHABLE, -ECONNREFUSED},
    {ICMPV6_UNREACHABLE, UNREACHABLE_POLICY, false, true, IP_UNREACHABLE, -EACCES},
    {ICMPV6_UNREACHABLE, UNREACHABLE_REJECTED, false, true, IP_UNREACHABLE, -EACCES},
    {ICMPV6_UNREACHABLE, 0, true, false, IP_UNREACHABLE, -EHOSTUNREACH},
    {ICMPV6_PACKET_TOO_BIG, 0, true, false, IP_TOO_BIG, -EMSGSIZE},
    {ICMPV6_TIME_EXCEEDED, 0, true, false, IP_TIME_EXCEEDED, -EHOSTUNREACH},
    {ICMPV6_PARAMETER_PROBLEM, PROBLEM_NEXT_HEADER, false, true, IP_PARAMETER_PROBLEM, -EPROTO},
    {ICMPV6_PARAMETER_PROBLEM, 0, true, false, IP_PARAMETER_PROBLEM, -EPROTO},
};

static const struct meaning *meaning_of(uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].type == type && (meanings[i].any_code || meanings[i].code == code))
            return &meanings[i];
    return NULL;
}

/* Which of our packets an error quotes. Others send us errors about packets that we never sent: all
 * that can be seen here is whether the quoted source is ours; the transports know their flows. */
static bool parse_quoted(struct stack *stack, struct cursor quoted, struct ip_error *error)
{
    struct ipv6_header header;
    if (!ipv6_parse(&quoted, &header) || !ip_is_local(stack, &header.source) ||
        !ipv6_find_transport(&quoted, &header.next_header) || cursor_left(&quoted) < 8)
        return false;
    error->source = header.source;
    error->destination = header.destination;
    error->protocol = header.next_header;
    error->transport = quoted.at;
    error->transport_length = cursor_left(&quoted);
    return true;
}

static bool report(struct stack *stack, const struct ip_address *reporter, uint8_t type,
                   uint8_t code, uint32_t parameter, struct cursor quoted)
{
    const struct meaning *meaning = meaning_of(type, code);
    struct ip_error error = {.kind = meaning->kind,
                             .error = meaning->error,
                             .hard = meaning->hard,
                             .reporter = *reporter,
                             .type = type,
                             .code = code};
    if (!parse_quoted(stack, quoted, &error))
        return false;
    if (error.kind == IP_TOO_BIG) {
        if (parameter < IPV6_MTU_MIN) /* RFC 8201 4: no such link exists */
            return false;
        error.mtu = parameter > UINT16_MAX ? UINT16_MAX : (uint16_t)parameter;
    }
    /* Only about a flow of ours: others could make all paths narrow. */
    if (transport_error(stack, &error) && error.kind == IP_TOO_BIG)
        path_mtu_lower(stack, &error.destination, error.mtu);
    return true;
}

void icmpv6_error_input(struct stack *stack, const struct ip_received *ip, uint8_t type,
                        uint8_t code, struct cursor message)
{
    const uint32_t parameter = cursor_u32(&message);
    if (!report(stack, &ip->source, type, code, parameter, message))
        stack->counters.icmp_in_errors++;
}

void icmpv6_local_error(struct stack *stack, struct packet *packet, enum icmpv6_type type,
                        uint8_t code)
{
    const struct ip_address self = ip_loopback(IP_V6);
    report(stack, &self, (uint8_t)type, code, 0,
           cursor_over(packet_bytes(packet), packet_length(packet)));
}
