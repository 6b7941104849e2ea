/* TCP (RFC 9293): the connection, as the files of this folder share it.
 *
 *     demux.c     a segment arrives: is it sound, and whose is it?
 *     input.c     3.10.7, step by step        listen.c, cookie.c  the LISTEN state
 *     time_wait.c the TIME-WAIT state         error.c   what ICMP says
 *     receive/    text: in order, out of order, the window that we offer
 *     send/       text: what may be sent, what was lost, when to send it again
 *     congestion/ how much may be on its way
 *     user.c, options.c  the calls of a program (3.10.1 to 3.10.6)
 *     table.c, layer.c   who is there: pools, hash table, ports
 *
 * Variables have the RFC's names: SND.UNA is tcb->snd.una. Times are in ns; timestamps (RFC 7323)
 * count ms. Memory: every control block is from the pool of the layer; text stays in the packets
 * that it came in or leaves in, which are counted in stack->socket_packets. */
#pragma once

#include "../ip.h"
#include "../socket.h"
#include "../stack.h"
#include "../transport.h"
#include "congestion/congestion.h"
#include "counters.h"
#include "segment.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

#define TCP_BUFFER_DEFAULT (128u * 1024)
#define TCP_WINDOW_SCALE   7u   /* 65535 << 7: 8 MiB, twice what SO_RCVBUF allows */
#define TCP_MSS_DEFAULT_V4 536u /* RFC 9293 3.7.1 */
#define TCP_MSS_DEFAULT_V6 1220u
#define TCP_MSS_MIN        88u /* a peer that asks for less costs more in headers than in text */
#define TCP_BACKLOG_MAX    1024
#define TCP_SYN_QUEUE      128u /* connections in SYN-RECEIVED per listener; then cookies */

#define TCP_RTO_INITIAL   NS_PER_S         /* RFC 6298 2.1 */
#define TCP_RTO_MIN       NS_PER_S         /* 2.4 */
#define TCP_RTO_MAX       (60 * NS_PER_S)  /* 2.5 */
#define TCP_RTO_AFTER_SYN (3 * NS_PER_S)   /* 5.7 */
#define TCP_R2            (300 * NS_PER_S) /* RFC 9293 3.8.3: give up */
#define TCP_R2_SYN        (180 * NS_PER_S)
#define TCP_DELAYED_ACK   (40 * NS_PER_MS) /* 3.8.6.3: below 500 */
#define TCP_CORK_TIME     (200 * NS_PER_MS)
#define TCP_RETRY         (2 * NS_PER_MS) /* the interface was full, or there was no packet */
#define TCP_MSL           (30 * NS_PER_S)
#define TCP_FIN_WAIT      (60 * NS_PER_S) /* in FIN-WAIT-2 when nobody holds the socket any more */
#define TCP_KEEP_IDLE     7200            /* s, RFC 9293 3.8.4 */
#define TCP_KEEP_INTERVAL 75
#define TCP_KEEP_COUNT    9
#define TCP_DUP_THRESHOLD 3u  /* DupThresh, RFC 5681 3.2 */
#define TCP_CHALLENGES    10u /* challenge ACKs per connection and second (RFC 5961 7) */
#define TCP_COOKIE_TIME   (64 * NS_PER_S)

enum tcp_state {
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
};

/* One struct timer per connection serves all of these: it runs for the earliest. */
enum tcp_timer {
    TIMER_RETRANSMIT, /* also SYN, zero-window probe */
    TIMER_DELAYED_ACK,
    TIMER_KEEPALIVE,
    TIMER_OUTPUT, /* another try: after a full interface, without packets, corked */
    TIMER_LINGER, /* FIN-WAIT-2 without an owner, SO_LINGER */
    TCP_TIMERS,
};

/* How a loss is being repaired (send/retransmit.c). */
enum tcp_recovery {
    RECOVERY_NONE,
    RECOVERY_FAST,    /* fast recovery: RFC 6582, or 6675 with SACK */
    RECOVERY_TIMEOUT, /* slow start after the retransmission timer */
};

/* What TCP notes in the words of a packet in its send queue. The payload is the last LENGTH bytes
 * before `end`: what lies in front of it is headers of the last sending. */
enum { SENT_SEQ, SENT_LENGTH, SENT_TIME /* us */, SENT_MARKS };
enum { SENT_SACKED = 1, SENT_AGAIN = 2 /* retransmitted: no round-trip sample (Karn) */ };
/* And in one that holds received text: */
enum { RECEIVED_SEQ };

struct send_queue {
    struct packet *first, *last; /* through `kept` */
    struct packet *unsent;       /* the first that was never sent */
    uint32_t packets;
};

struct receive_queue {
    struct packet *first, *last; /* through `next`; by RECEIVED_SEQ when out of order */
    uint32_t packets, bytes;
};

/* Transmission control block: one socket of this kind, in any state (RFC 9293 3.3.1). */
struct tcb {
    struct socket socket; /* first: the same address */
    struct tcp_layer *layer;
    struct tcb *next; /* in a bucket of the hash table, the listeners' list, or the free list */
    struct timer timer;
    uint64_t deadline[TCP_TIMERS]; /* 0 = not running */

    uint8_t state; /* enum tcp_state */
    bool in_use, hashed;
    bool detached;      /* closed by its owner: lives on until it is CLOSED */
    bool read_shut;     /* shutdown(SHUT_RD): text that arrives is thrown away */
    bool fin_queued;    /* our FIN follows the text at snd.end */
    bool fin_arrived;   /* theirs is at rcv.fin, perhaps ahead of a gap */
    bool bound;         /* by the program, or by listen or connect */
    bool was_connected; /* it was ESTABLISHED once */
    bool no_delay, keepalive, linger;
    bool corked, more, cork_over;          /* TCP_CORK, SOCKET_MORE; they have waited long enough */
    bool window_scaling, sack, timestamps; /* agreed with the peer */
    bool ack_now, ack_later;               /* to send at the end of this input; delayed */
    bool checksum_offload, segment_offload;
    bool starved; /* the program was told to wait for packets, not for the peer */

    struct {
        uint32_t una, nxt, wnd, up, wl1, wl2, iss;
        uint32_t end;     /* behind the last octet that the program has sent */
        uint32_t max_wnd; /* largest window that the peer has offered (3.8.6.2.1) */
        uint8_t scale;
    } snd;
    struct {
        uint32_t nxt, wnd, irs;
        uint32_t fin;
        uint16_t mss; /* the longest segment that has come */
        uint8_t scale;
    } rcv;
    uint16_t mss;         /* SMSS: octets of text in a full segment */
    uint16_t mss_peer;    /* from its option */
    uint16_t mss_user;    /* TCP_MAXSEG; 0 = none */
    uint16_t mss_receive; /* what we announce */
    uint16_t mtu;         /* of the path */

    struct send_queue send;
    struct receive_queue receive, ahead;       /* in order; out of order */
    struct sack_block blocks[TCP_SACK_BLOCKS]; /* of `ahead`, the most recent first (RFC 2018 4) */
    uint8_t block_count;

    /* Timestamps (RFC 7323 3.2) and round-trip times (RFC 6298). */
    uint32_t ts_offset, ts_recent, last_ack_sent;
    uint64_t ts_recent_at;
    uint64_t srtt, rttvar, rto;
    uint32_t rtt_seq; /* a sample per round trip: the next when this is acknowledged */
    uint8_t backoff;
    bool syn_again;         /* the SYN was retransmitted (5.7) */
    uint64_t stalled_since; /* the first retransmission or probe without an answer; 0 = none */
    uint64_t sent_at, heard_at, reached_at;

    struct congestion congestion;
    uint8_t recovery; /* enum tcp_recovery */
    uint8_t dup_acks;
    uint32_t recovery_point, high_rxt; /* RFC 6675 2; high_rxt is one beyond the octet there */
    uint32_t timed_out;                /* SND.UNA at the last timeout */
    uint32_t lost_below;               /* IsLost(S) = S < lost_below and not SACKed */
    uint32_t high_sacked;              /* one beyond the highest octet SACKed */
    uint32_t pipe;
    bool rescued;

    uint32_t keep_idle, keep_interval; /* s */
    uint8_t keep_count, keep_probes;
    uint32_t linger_seconds, user_timeout_ms;
    uint64_t challenge_second;
    uint8_t challenges;
    int soft_error; /* what ICMP said last: the reason if it times out (RFC 1122 4.2.3.9) */

    /* LISTEN: connections that wait for accept; who is in SYN-RECEIVED points to its listener. */
    struct tcb *listener, *accept_next;
    struct tcb *accept_first, *accept_last;
    uint16_t backlog, accept_count, syn_count;
    uint64_t cookies_until; /* ACKs may carry cookies until then */
};
_Static_assert(sizeof(struct tcb) <= 1024, "an idle connection costs at most 2 KiB");

/* What is left of a connection in TIME-WAIT. */
struct time_wait {
    struct time_wait *hash_next;
    struct time_wait *older, *newer; /* all of them, by age */
    struct ip_address local, peer;
    uint16_t local_port, peer_port, interface;
    bool timestamps;
    uint32_t snd_nxt, rcv_nxt, ts_recent, ts_offset;
    uint64_t expires, answered_at;
};

struct tcp_layer {
    struct stack *stack;
    struct tcp_counters counters;
    struct tcb *pool; /* [capacity]; used up to `touched`, so that memory nobody needs is not */
    struct tcb *free;
    uint32_t capacity, touched, connections;
    struct tcb **buckets; /* every connection, by its four-tuple */
    uint32_t bucket_mask;
    struct tcb *listeners;
    struct {
        struct time_wait *pool, *free, **buckets;
        struct time_wait *oldest, *newest;
        uint32_t capacity, touched, count;
        struct timer timer;
    } time_wait;
    uint64_t hash_key[6];
    uint64_t secret[2]; /* SipHash key: ISNs, timestamps, cookies */
};

static inline struct tcb *tcb_of(struct socket *socket) { return (struct tcb *)socket; }
static inline struct stack *tcb_stack(const struct tcb *tcb) { return tcb->socket.stack; }
static inline uint64_t tcb_now(const struct tcb *tcb) { return tcb->socket.stack->now; }
static inline uint32_t time_us(uint64_t now) { return (uint32_t)(now / NS_PER_US); }
static inline uint32_t time_ms(uint64_t now) { return (uint32_t)(now / NS_PER_MS); }
static inline uint32_t tcb_ip_header(const struct tcb *tcb)
{
    return tcb->socket.peer.address.family == IP_V6 ? IPV6_HEADER : IPV4_HEADER_MIN;
}
static inline bool synchronized(const struct tcb *tcb) { return tcb->state >= TCP_ESTABLISHED; }
