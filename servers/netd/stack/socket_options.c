/* Options that mean the same for every kind of socket, as a table. What is not in it is the kind's.
 */
#include "ip.h"
#include "socket.h"
#include "stack.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define BUFFER_MIN 2048
#define BUFFER_MAX (4 << 20)

enum option_type { OPTION_BOOL, OPTION_U8, OPTION_U32 };

struct option {
    int level, name;
    enum option_type type;
    size_t offset; /* of the field in struct socket */
    int minimum, maximum;
    int standard; /* what 0 in the field, or -1 set by the program, stands for */
};

#define FIELD(field) offsetof(struct socket, field)

static const struct option options[] = {
    {LEVEL_SOCKET, OPTION_REUSEADDR, OPTION_BOOL, FIELD(reuse_address), 0, 0, 0},
    {LEVEL_SOCKET, OPTION_REUSEPORT, OPTION_BOOL, FIELD(reuse_port), 0, 0, 0},
    {LEVEL_SOCKET, OPTION_BROADCAST, OPTION_BOOL, FIELD(broadcast), 0, 0, 0},
    {LEVEL_SOCKET, OPTION_SNDBUF, OPTION_U32, FIELD(send_buffer), BUFFER_MIN, BUFFER_MAX, 0},
    {LEVEL_SOCKET, OPTION_RCVBUF, OPTION_U32, FIELD(receive_buffer), BUFFER_MIN, BUFFER_MAX, 0},
    {LEVEL_IP, OPTION_IP_TOS, OPTION_U8, FIELD(traffic_class), 0, 255, 0},
    {LEVEL_IP, OPTION_IP_TTL, OPTION_U8, FIELD(hop_limit), 1, 255, IP_HOP_LIMIT},
    {LEVEL_IPV6, OPTION_IPV6_TCLASS, OPTION_U8, FIELD(traffic_class), 0, 255, 0},
    {LEVEL_IPV6, OPTION_IPV6_UNICAST_HOPS, OPTION_U8, FIELD(hop_limit), 0, 255, IP_HOP_LIMIT},
    {LEVEL_IPV6, OPTION_IPV6_V6ONLY, OPTION_BOOL, FIELD(v6_only), 0, 0, 0},
    {LEVEL_IP, OPTION_IP_PKTINFO, OPTION_BOOL, FIELD(wants_local), 0, 0, 0},
    {LEVEL_IP, OPTION_IP_RECVTTL, OPTION_BOOL, FIELD(wants_hop_limit), 0, 0, 0},
    {LEVEL_IP, OPTION_IP_RECVTOS, OPTION_BOOL, FIELD(wants_class), 0, 0, 0},
    {LEVEL_IPV6, OPTION_IPV6_RECVPKTINFO, OPTION_BOOL, FIELD(wants_local), 0, 0, 0},
    {LEVEL_IPV6, OPTION_IPV6_RECVHOPLIMIT, OPTION_BOOL, FIELD(wants_hop_limit), 0, 0, 0},
    {LEVEL_IPV6, OPTION_IPV6_RECVTCLASS, OPTION_BOOL, FIELD(wants_class), 0, 0, 0},
};

static const struct option *find_option(int level, int name)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].level == level && options[i].name == name)
            return &options[i];
    }
    return NULL;
}

static int read_option(const struct socket *socket, const struct option *option)
{
    const uint8_t *field = (const uint8_t *)socket + option->offset;
    uint32_t wide;
    int value = *field;
    if (option->type == OPTION_U32) {
        memcpy(&wide, field, sizeof wide);
        value = (int)wide;
    }
    return value ? value : option->standard;
}

static int write_option(struct socket *socket, const struct option *option, int value)
{
    uint8_t *field = (uint8_t *)socket + option->offset;
    uint32_t wide;
    switch (option->type) {
    case OPTION_BOOL:
        *field = value != 0;
        return 0;
    case OPTION_U8:
        if (value == -1)
            value = 0;
        else if (value < option->minimum || value > option->maximum)
            return -EINVAL;
        *field = (uint8_t)value;
        return 0;
    case OPTION_U32: /* sizes are brought into the range, as in socket(7) */
        if (value < option->minimum)
            value = option->minimum;
        wide = (uint32_t)(value > option->maximum ? option->maximum : value);
        memcpy(field, &wide, sizeof wide);
        return 0;
    }
    return -EINVAL;
}

/* give: a value that is shorter than what there is to say is cut, as in getsockopt(2). */
static int give(void *value, size_t *size, const void *from, size_t length)
{
    if (*size > length)
        *size = length;
    memcpy(value, from, *size);
    return 0;
}

static int give_int(void *value, size_t *size, int number)
{
    return give(value, size, &number, sizeof number);
}

static int get_socket_option(struct socket *socket, int name, void *value, size_t *size)
{
    const int error = socket->error;
    const struct netif *netif;
    switch (name) {
    case OPTION_TYPE:
        return give_int(value, size, socket->type);
    case OPTION_DOMAIN:
        return give_int(value, size, socket->family);
    case OPTION_PROTOCOL:
        return give_int(value, size, socket->protocol);
    case OPTION_ERROR:
        socket->error = 0;
        return give_int(value, size, -error);
    case OPTION_RCVLOWAT:
        return give_int(value, size, 1);
    case OPTION_BINDTODEVICE:
        netif = netif_find(socket->stack, socket->bound_interface);
        return give(value, size, netif ? netif->name : "",
                    netif ? strnlen(netif->name, NETIF_NAME - 1) + 1 : 0);
    default:
        return socket->operations->get_option(socket, LEVEL_SOCKET, name, value, size);
    }
}

int socket_get_option(struct socket *socket, int level, int name, void *value, size_t *size)
{
    const struct option *option = find_option(level, name);
    if (option)
        return give_int(value, size, read_option(socket, option));
    if (level == LEVEL_SOCKET)
        return get_socket_option(socket, name, value, size);
    return socket->operations->get_option(socket, level, name, value, size);
}

/* bind_to_device: an empty name undoes it. */
static int bind_to_device(struct socket *socket, const char *name, size_t size)
{
    size_t length = strnlen(name, size);
    if (length == 0) {
        socket->bound_interface = 0;
        return 0;
    }
    for (struct netif *netif = socket->stack->netifs; netif; netif = netif->next) {
        if (strnlen(netif->name, NETIF_NAME) == length && !memcmp(netif->name, name, length)) {
            socket->bound_interface = netif->index;
            return 0;
        }
    }
    return -ENODEV;
}

int socket_set_option(struct socket *socket, int level, int name, const void *value, size_t size)
{
    const struct option *option = find_option(level, name);
    int number;
    if (option) {
        if (size < sizeof number)
            return -EINVAL;
        memcpy(&number, value, sizeof number);
        /* Who is bound already has decided (RFC 3493 5.3). */
        if (option->offset == FIELD(v6_only) && (socket->family != IP_V6 || socket->local.port))
            return -EINVAL;
        return write_option(socket, option, number);
    }
    if (level == LEVEL_SOCKET) {
        switch (name) {
        case OPTION_TYPE:
        case OPTION_DOMAIN:
        case OPTION_PROTOCOL:
        case OPTION_ERROR:
        case OPTION_ACCEPTCONN:
            return -ENOPROTOOPT;
        case OPTION_BINDTODEVICE:
            return bind_to_device(socket, value, size);
        }
    }
    return socket->operations->set_option(socket, level, name, value, size);
}
