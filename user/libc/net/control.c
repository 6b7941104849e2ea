/* Control data has the form of RFC 3542 20, with Linux's numbers: those of IPv6 on sockets of that
 * family, also for what came by IPv4. */
#include "control.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

/* ---- Received ----------------------------------------------------------------------------- */

/* The room that is left; header and data are cut where it ends, as on Linux. */
struct room {
    char *at;
    size_t left;
    bool cut;
};

static void put(struct room *room, int level, int type, const void *data, size_t size)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
    if (room->left < sizeof header) {
        room->cut = true;
        return;
    }
    if (room->left < header.cmsg_len) {
        room->cut = true;
        header.cmsg_len = room->left;
    }
    memcpy(room->at, &header, sizeof header);
    memcpy(CMSG_DATA(room->at), data, header.cmsg_len - sizeof header);
    size_t space = CMSG_SPACE(size) < room->left ? CMSG_SPACE(size) : room->left;
    room->at += space;
    room->left -= space;
}

static void put_v4(struct room *room, const struct net_recv_reply *info)
{
    struct in_pktinfo local = {.ipi_ifindex = (int)info->local.interface};
    int ttl = info->hop_limit;
    memcpy(&local.ipi_addr, info->local.bytes, sizeof local.ipi_addr);
    local.ipi_spec_dst = local.ipi_addr;
    if (info->flags & NET_WANTS_LOCAL)
        put(room, IPPROTO_IP, IP_PKTINFO, &local, sizeof local);
    if (info->flags & NET_WANTS_HOP_LIMIT)
        put(room, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    if (info->flags & NET_WANTS_CLASS)
        put(room, IPPROTO_IP, IP_TOS, &info->traffic_class, sizeof info->traffic_class);
}

static void put_v6(struct room *room, const struct net_recv_reply *info)
{
    struct in6_pktinfo local = {.ipi6_ifindex = info->local.interface};
    int hop_limit = info->hop_limit, class = info->traffic_class;
    memcpy(&local.ipi6_addr, info->local.bytes, sizeof local.ipi6_addr);
    if (info->flags & NET_WANTS_LOCAL)
        put(room, IPPROTO_IPV6, IPV6_PKTINFO, &local, sizeof local);
    if (info->flags & NET_WANTS_HOP_LIMIT)
        put(room, IPPROTO_IPV6, IPV6_HOPLIMIT, &hop_limit, sizeof hop_limit);
    if (info->flags & NET_WANTS_CLASS)
        put(room, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
}

void control_give(struct msghdr *message, const struct net_recv_reply *info)
{
    struct room room = {.at = message->msg_control,
                        .left = message->msg_control ? message->msg_controllen : 0};
    if (info->local.family == NET_INET6)
        put_v6(&room, info);
    else if (info->local.family == NET_INET)
        put_v4(&room, info);
    message->msg_controllen = (size_t)(room.at - (char *)message->msg_control);
    message->msg_flags |= room.cut ? MSG_CTRUNC : 0;
}

/* ---- To be sent --------------------------------------------------------------------------- */

/* A number from 0 or 1 to 255, in an int (a byte will do for IP_TOS). */
static int take_number(const struct cmsghdr *piece, int least, uint8_t *number)
{
    int value;
    if (piece->cmsg_len == CMSG_LEN(1) && least == 0)
        value = *CMSG_DATA(piece);
    else if (piece->cmsg_len == CMSG_LEN(sizeof value))
        memcpy(&value, CMSG_DATA(piece), sizeof value);
    else
        return -EINVAL;
    if (value < least || value > UINT8_MAX)
        return -EINVAL;
    *number = (uint8_t)value;
    return 0;
}

static int take(const struct cmsghdr *piece, struct net_to *to)
{
    bool v6 = piece->cmsg_level == IPPROTO_IPV6;
    if (piece->cmsg_type == (v6 ? IPV6_HOPLIMIT : IP_TTL))
        return take_number(piece, 1, &to->hop_limit);
    if (piece->cmsg_type == (v6 ? IPV6_TCLASS : IP_TOS))
        return take_number(piece, 0, &to->traffic_class);
    return -EINVAL;
}

int control_take(const struct msghdr *message, struct net_to *to)
{
    struct msghdr *m = (struct msghdr *)message; /* which CMSG_NXTHDR does not change */
    int error = 0;
    for (struct cmsghdr *piece = CMSG_FIRSTHDR(m); piece && !error; piece = CMSG_NXTHDR(m, piece)) {
        size_t room =
            message->msg_controllen - (size_t)((char *)piece - (char *)message->msg_control);
        if (piece->cmsg_len < sizeof *piece || piece->cmsg_len > room)
            return -EINVAL;
        if (piece->cmsg_level == IPPROTO_IP || piece->cmsg_level == IPPROTO_IPV6)
            error = take(piece, to);
    }
    return error;
}
