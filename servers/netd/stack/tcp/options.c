/* Socket options of TCP; those that all kinds share are socket_options.c's. */
#include "connection.h"
#include "send/send.h"
#include "tcp.h"
#include "timers.h"
#include "user.h"
#include <errno.h>
#include <string.h>

enum number_type { NUMBER_BOOL, NUMBER_U8, NUMBER_U16, NUMBER_U32 };

/* Options that are a number in the control block. */
static const struct number {
    int level, name;
    enum number_type type;
    size_t offset;
    int minimum, maximum;
} numbers[] = {
    {LEVEL_SOCKET, OPTION_KEEPALIVE, NUMBER_BOOL, offsetof(struct tcb, keepalive), 0, 0},
    {LEVEL_TCP, OPTION_TCP_NODELAY, NUMBER_BOOL, offsetof(struct tcb, no_delay), 0, 0},
    {LEVEL_TCP, OPTION_TCP_CORK, NUMBER_BOOL, offsetof(struct tcb, corked), 0, 0},
    {LEVEL_TCP, OPTION_TCP_MAXSEG, NUMBER_U16, offsetof(struct tcb, mss_user), TCP_MSS_MIN, 32767},
    {LEVEL_TCP, OPTION_TCP_KEEPIDLE, NUMBER_U32, offsetof(struct tcb, keep_idle), 1, 32767},
    {LEVEL_TCP, OPTION_TCP_KEEPINTVL, NUMBER_U32, offsetof(struct tcb, keep_interval), 1, 32767},
    {LEVEL_TCP, OPTION_TCP_KEEPCNT, NUMBER_U8, offsetof(struct tcb, keep_count), 1, 127},
    {LEVEL_TCP, OPTION_TCP_USER_TIMEOUT, NUMBER_U32, offsetof(struct tcb, user_timeout_ms), 0,
     INT32_MAX},
};

struct linger {
    int on, seconds;
};

/* Linux's struct tcp_info, as far as its first version went. Times in us. */
struct tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options, scales, flags;
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv; /* ms ago */
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
};
_Static_assert(sizeof(struct tcp_info) == 104, "as in linux/tcp.h");

static const struct number *find_number(int level, int name)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].level == level && numbers[i].name == name)
            return &numbers[i];
    return NULL;
}

static int number_get(const struct tcb *tcb, const struct number *number)
{
    const uint8_t *field = (const uint8_t *)tcb + number->offset;
    uint16_t half;
    uint32_t word;
    switch (number->type) {
    case NUMBER_U16:
        memcpy(&half, field, sizeof half);
        return half;
    case NUMBER_U32:
        memcpy(&word, field, sizeof word);
        return (int)word;
    default:
        return *field;
    }
}

static int number_set(struct tcb *tcb, const struct number *number, int value)
{
    uint8_t *field = (uint8_t *)tcb + number->offset;
    const uint16_t half = (uint16_t)value;
    if (number->type == NUMBER_BOOL)
        value = value != 0;
    else if (value < number->minimum || value > number->maximum)
        return -EINVAL;
    switch (number->type) {
    case NUMBER_U16:
        memcpy(field, &half, sizeof half);
        break;
    case NUMBER_U32:
        memcpy(field, &value, sizeof value);
        break;
    default:
        *field = (uint8_t)value;
    }
    return 0;
}

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

/* Linux numbers the states differently. */
static uint8_t linux_state(enum tcp_state state)
{
    static const uint8_t numbers_of[] = {
        [TCP_CLOSED] = 7,      [TCP_LISTEN] = 10,    [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
        [TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,
        [TCP_CLOSING] = 11,    [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
    };
    return numbers_of[state];
}

static int give_info(const struct tcb *tcb, void *value, size_t *size)
{
    const uint32_t mss = tcb->mss ? tcb->mss : 1;
    const struct tcp_info info = {
        .state = linux_state(tcb->state),
        .retransmits = tcb->backoff,
        .backoff = tcb->backoff,
        .options = (uint8_t)(tcb->timestamps | tcb->sack << 1 | tcb->window_scaling << 2),
        .scales = (uint8_t)(tcb->snd.scale | tcb->rcv.scale << 4),
        .rto = (uint32_t)(tcb->rto / NS_PER_US),
        .ato = TCP_DELAYED_ACK / NS_PER_US,
        .snd_mss = tcb->mss,
        .rcv_mss = tcb->rcv.mss,
        .unacked = (tcb->snd.nxt - tcb->snd.una + mss - 1) / mss,
        .last_data_sent = time_ms(tcb_now(tcb) - tcb->sent_at),
        .last_ack_recv = time_ms(tcb_now(tcb) - tcb->heard_at),
        .pmtu = tcb->mtu,
        .rtt = (uint32_t)(tcb->srtt / NS_PER_US),
        .rttvar = (uint32_t)(tcb->rttvar / NS_PER_US),
        .snd_ssthresh = tcb->congestion.ssthresh / mss,
        .snd_cwnd = tcb->congestion.cwnd / mss,
        .advmss = tcb->mss_receive,
        .rcv_space = tcb->rcv.wnd,
    };
    return give(value, size, &info, sizeof info);
}

int tcp_get_option(struct socket *socket, int level, int name, void *value, size_t *size)
{
    const struct tcb *tcb = tcb_of(socket);
    const struct number *number = find_number(level, name);
    if (level == LEVEL_TCP && name == OPTION_TCP_MAXSEG && tcb->mss)
        return give_int(value, size, tcb->mss); /* of the connection, rather than what was asked */
    if (number)
        return give_int(value, size, number_get(tcb, number));
    if (level == LEVEL_SOCKET && name == OPTION_LINGER) {
        const struct linger linger = {tcb->linger, (int)tcb->linger_seconds};
        return give(value, size, &linger, sizeof linger);
    }
    if (level == LEVEL_SOCKET && name == OPTION_ACCEPTCONN)
        return give_int(value, size, tcb->state == TCP_LISTEN);
    if (level == LEVEL_TCP && name == OPTION_TCP_INFO)
        return give_info(tcb, value, size);
    if (level == LEVEL_TCP && name == OPTION_TCP_CONGESTION) {
        const char *algorithm = tcb->congestion.operations->name;
        return give(value, size, algorithm, strlen(algorithm) + 1);
    }
    if (level == LEVEL_IP && name == OPTION_IP_MTU)
        return tcb->mtu ? give_int(value, size, tcb->mtu) : -ENOTCONN;
    return -ENOPROTOOPT;
}

static int set_linger(struct tcb *tcb, const void *value, size_t size)
{
    struct linger linger;
    if (size < sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    tcb->linger = linger.on != 0;
    tcb->linger_seconds = linger.seconds > 0 ? (uint32_t)linger.seconds : 0;
    return 0;
}

static int set_congestion(struct tcb *tcb, const void *value, size_t size)
{
    char name[16];
    if (size == 0 || size >= sizeof name)
        return -EINVAL;
    memcpy(name, value, size);
    name[size] = '\0';
    const struct congestion_operations *operations = congestion_find(name);
    if (!operations)
        return -ENOENT;
    tcb->congestion.operations = operations;
    tcb->congestion.cubic = (struct cubic){0};
    return 0;
}

/* apply: what a new value means for a connection that is there already. */
static void apply(struct tcb *tcb, int level, int name)
{
    if (level == LEVEL_SOCKET || name == OPTION_TCP_KEEPIDLE) {
        timer_clear(tcb, TIMER_KEEPALIVE);
        if (synchronized(tcb) && tcb->state != TCP_TIME_WAIT)
            keepalive_restart(tcb);
    } else if (name == OPTION_TCP_MAXSEG && tcb->mtu) {
        tcb_set_mss(tcb);
    } else if (name == OPTION_TCP_NODELAY || name == OPTION_TCP_CORK) {
        tcb_output(tcb);
    }
}

int tcp_set_option(struct socket *socket, int level, int name, const void *value, size_t size)
{
    struct tcb *tcb = tcb_of(socket);
    const struct number *number = find_number(level, name);
    int wanted;
    if (level == LEVEL_SOCKET && name == OPTION_LINGER)
        return set_linger(tcb, value, size);
    if (level == LEVEL_TCP && name == OPTION_TCP_CONGESTION)
        return set_congestion(tcb, value, size);
    if (!number)
        return -ENOPROTOOPT;
    if (size < sizeof wanted)
        return -EINVAL;
    memcpy(&wanted, value, sizeof wanted);
    const int error = number_set(tcb, number, wanted);
    if (!error)
        apply(tcb, level, name);
    return error;
}
