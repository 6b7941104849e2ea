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
#include "segment.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

#define TCP_BUFFER_DEFAULT (128u * 1024)
#define TCP_BUFFER_MIN     4096u
#define TCP_BUFFER_MAX     (4u * 1024 * 1024)
#define TCP_WINDOW_SCALE   7u   /* 65535 << 7 is just above TCP_BUFFER_MAX */
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
    bool checksum_offload;
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

/* Counters that only grow; those of RFC 4022 have its names. */
#define TCP_COUNTERS(X)                                                                            \
    X(active_opens)                                                                                \
    X(passive_opens)                                                                               \
    X(attempt_fails)                                                                               \
    X(estab_resets)                                                                                \
    X(in_segs)                                                                                     \
    X(out_segs)                                                                                    \
    X(retrans_segs)                                                                                \
    X(in_errs)                                                                                     \
    X(out_rsts)                                                                                    \
    X(timeouts)                                                                                    \
    X(fast_recoveries)                                                                             \
    X(sack_blocks_in)                                                                              \
    X(dup_acks_in)                                                                                 \
    X(out_of_order)                                                                                \
    X(out_of_order_dropped)                                                                        \
    X(paws_dropped)                                                                                \
    X(challenge_acks)                                                                              \
    X(challenge_acks_limited)                                                                      \
    X(zero_window_probes)                                                                          \
    X(keepalive_probes)                                                                            \
    X(listen_overflows)                                                                            \
    X(cookies_sent)                                                                                \
    X(cookies_accepted)                                                                            \
    X(cookies_refused)                                                                             \
    X(time_wait_evicted)                                                                           \
    X(time_wait_reused)                                                                            \
    X(icmp_ignored)                                                                                \
    X(no_packets)                                                                                  \
    X(no_control_blocks)                                                                           \
    X(aborted)

struct tcp_counters {
#define TCP_COUNTER(name) uint64_t name;
    TCP_COUNTERS(TCP_COUNTER)
#undef TCP_COUNTER
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

/* --- layer.c: control blocks --- */

/* tcb_alloc: in CLOSED, with the defaults, counted as a socket; NULL: none left. */
struct tcb *tcb_alloc(struct stack *stack);
/* tcb_free: gives back everything that it holds. The socket is gone after that. */
void tcb_free(struct tcb *tcb);
/* tcb_clear: gives back timers, text, and the places in tables, but not the socket. */
void tcb_clear(struct tcb *tcb);
/* tcb_finish: the connection is CLOSED; with an owner, it is told (error: 0 or -errno, which a call
 * of its will return), without one the block is freed. */
void tcb_finish(struct tcb *tcb, int error);

const char *tcp_state_name(enum tcp_state state);
const struct tcp_counters *tcp_counters(const struct stack *stack);
/* tcp_statistics: visits each counter, and what is in use of the pools, with its name. */
void tcp_statistics(const struct stack *stack,
                    void (*visit)(void *context, const char *name, uint64_t value), void *context);

/* --- table.c --- */

struct tcb *table_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t local_port,
                       const struct ip_address *peer, uint16_t peer_port);
void table_insert(struct tcb *tcb);
void table_remove(struct tcb *tcb);
uint32_t table_hash(const struct tcp_layer *layer, const struct ip_address *local,
                    uint16_t local_port, const struct ip_address *peer, uint16_t peer_port);
/* listener_find: the most specific one that a SYN to local is for; NULL. */
struct tcb *listener_find(struct tcp_layer *layer, const struct ip_address *local, uint16_t port,
                          unsigned interface);
/* port_taken: may tcb not be bound to local (SO_REUSEADDR considered)? */
bool port_taken(struct tcp_layer *layer, const struct tcb *tcb, const struct endpoint *local);

/* --- isn.c --- */

/* tcp_isn: an initial send sequence number (RFC 6528 3). */
uint32_t tcp_isn(const struct tcp_layer *layer, const struct endpoint *local,
                 const struct endpoint *peer);
/* tcp_isn_beyond: iss, or a later one if an old connection of the same ends has sent that far. */
uint32_t tcp_isn_beyond(uint32_t iss, uint32_t old_nxt);
/* tcp_timestamp_offset: what TSvals of this pair of addresses are shifted by (RFC 7323 7.1). */
uint32_t tcp_timestamp_offset(const struct tcp_layer *layer, const struct ip_address *local,
                              const struct ip_address *peer);

/* --- input.c --- */

/* What has arrived for a connection. The packet holds the text from the front; who keeps it sets
 * it to NULL. */
struct arrival {
    struct segment *segment;
    const struct ip_received *ip;
    struct packet *packet;
    const uint32_t
        *old_nxt; /* SND.NXT of the connection in TIME-WAIT that a SYN follows, or NULL */
};

/* demux.c, error.c: what struct transport asks for. */
void tcp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);
bool tcp_error(struct stack *stack, const struct ip_error *error);

void tcb_input(struct tcb *tcb, struct arrival *arrival); /* SYN-SENT and later: 3.10.7.3, .4 */
void closed_input(struct stack *stack, struct arrival *arrival); /* 3.10.7.1 */
/* listen_input: false: nothing for this listener, to be treated as in CLOSED. */
bool listen_input(struct tcb *listener, struct arrival *arrival); /* 3.10.7.2 */
void time_wait_input(struct stack *stack, struct time_wait *wait, struct arrival *arrival);

/* --- connection.c --- */

/* tcb_establish: SYN-SENT or SYN-RECEIVED to ESTABLISHED. False: its listener's queue is full. */
bool tcb_establish(struct tcb *tcb);
/* tcb_syn: takes over what the peer's SYN says: sequence number and options. */
void tcb_syn(struct tcb *tcb, const struct segment *segment);
/* tcb_route: finds the path to the peer, its MTU and offloads, and the source address if there is
 * none yet. */
int tcb_route(struct tcb *tcb);
/* tcb_set_mss: SMSS from path, peer and options (RFC 9293 3.7.1, RFC 6691). */
void tcb_set_mss(struct tcb *tcb);
/* tcb_receive_mss: what to announce for this interface (RFC 6691). */
uint16_t tcb_receive_mss(const struct tcb *tcb, const struct netif *netif, uint8_t family);
/* tcb_start: the sequence numbers before the first segment. */
void tcb_start(struct tcb *tcb, uint32_t iss);

/* listen_child: a connection for the listener, in SYN-RECEIVED; NULL: no memory, no route. */
struct tcb *listen_child(struct tcb *listener, const struct arrival *arrival, uint32_t iss);
/* listen_enqueue: now to be accepted; false: the queue is full. listen_forget: it failed. */
bool listen_enqueue(struct tcb *child);
void listen_forget(struct tcb *child);
void listen_close(struct tcb *listener);

/* Cookies (RFC 4987 3.6). cookie_check: rebuilds what the SYN said from the ACK that came back. */
void cookie_answer(struct tcb *listener, const struct arrival *arrival);
bool cookie_check(const struct tcb *listener, const struct arrival *arrival,
                  struct tcp_options *options);

/* --- time_wait.c --- */

int time_wait_create(struct tcp_layer *layer, uint32_t capacity);
void time_wait_destroy(struct tcp_layer *layer);
/* time_wait_enter: the connection has ended; a small entry answers for it for 2 MSL. */
void time_wait_enter(struct tcb *tcb);
struct time_wait *time_wait_find(struct tcp_layer *layer, const struct ip_address *local,
                                 uint16_t local_port, const struct ip_address *peer,
                                 uint16_t peer_port);
void time_wait_remove(struct tcp_layer *layer, struct time_wait *wait);

/* --- receive/ --- */

/* receive_text: the text of an acceptable segment: in order, or held ahead of a gap. */
void receive_text(struct tcb *tcb, struct arrival *arrival);
/* receive_window: what the buffer allows us to offer now, without shrinking what was offered. */
uint32_t receive_window(const struct tcb *tcb);
/* receive_window_update: an ACK if the program's reading has opened the window far enough. */
void receive_window_update(struct tcb *tcb);
void receive_clear(struct tcb *tcb);
void ahead_clear(struct tcb *tcb);
/* ahead_insert: keeps a segment that came before its turn; ahead_join: moves what has become in
 * order behind the text in order. */
void ahead_insert(struct tcb *tcb, struct packet *packet, uint32_t seq);
void ahead_join(struct tcb *tcb);
void receive_append(struct tcb *tcb, struct packet *packet);

/* --- send/ --- */

/* emit.c. tcb_emit: sends a segment with the text of packet (which is taken over; NULL = none).
 * ip_output's result, or -ENOBUFS without a packet. tcb_ack: a segment without text. */
int tcb_emit(struct tcb *tcb, struct packet *packet, uint32_t seq, uint8_t flags);
void tcb_ack(struct tcb *tcb);
/* tcb_challenge: an ACK that answers what should not have come, at a bounded rate. */
void tcb_challenge(struct tcb *tcb);
/* tcb_reset: tells the peer that the connection is no more. */
void tcb_reset(struct tcb *tcb);

/* A segment outside any connection: answers in CLOSED, TIME-WAIT, with cookies. */
struct tcp_reply {
    struct ip_address source, destination;
    uint16_t source_port, destination_port, interface, window;
    uint32_t seq, ack;
    uint8_t flags, hop_limit, traffic_class;
    struct tcp_options options;
};
void tcp_reply(struct stack *stack, const struct tcp_reply *reply);
void tcp_reply_reset(struct stack *stack, const struct arrival *arrival);

/* queue.c */
void send_append(struct tcb *tcb, struct packet *packet);
/* send_acked: the peer has everything below segment->ack: releases it, measures, tells the owner.
 */
void send_acked(struct tcb *tcb, const struct segment *segment);
bool send_split(struct tcb *tcb, struct packet *packet, uint32_t length);
struct packet *send_find(const struct tcb *tcb, uint32_t seq); /* the sent one that holds seq */
struct packet *send_packet_alloc(struct tcb *tcb);
void send_clear(struct tcb *tcb);
static inline uint32_t sent_end(const struct packet *packet)
{
    return packet->word[SENT_SEQ] + packet->word[SENT_LENGTH];
}

/* output.c: sends whatever may be sent now, and an ACK that is due. */
void tcb_output(struct tcb *tcb);
/* send_queued: octets that the peer has not acknowledged (SND.UNA passes the end with our FIN). */
static inline uint32_t send_queued(const struct tcb *tcb)
{
    return seq_lt(tcb->snd.una, tcb->snd.end) ? tcb->snd.end - tcb->snd.una : 0;
}
/* fin_sent: our FIN is out; fin_acked: and acknowledged. */
static inline bool fin_sent(const struct tcb *tcb)
{
    return tcb->fin_queued && tcb->snd.nxt == tcb->snd.end + 1;
}
static inline bool fin_acked(const struct tcb *tcb)
{
    return tcb->fin_queued && tcb->snd.una == tcb->snd.end + 1;
}
/* new_data_allowed: as far as the peer's window and Nagle are concerned; there is some. */
bool new_data_allowed(const struct tcb *tcb);
/* send_segment: transmits a packet of the queue (again). EBUSY: it has not left yet, ENOBUFS. */
int send_segment(struct tcb *tcb, struct packet *packet);

/* retransmit.c: RFC 5681 3.2, RFC 6582 3.2, RFC 6675 5. */
void recovery_ack(struct tcb *tcb, uint32_t acked, bool duplicate);
void recovery_timeout(struct tcb *tcb); /* the retransmission timer has expired */
/* recovery_resend: what is out was lost, but not to congestion: a window that was closed, a path
 * whose MTU has shrunk. */
void recovery_resend(struct tcb *tcb);

/* sack.c: RFC 6675 4, by the names there. */
bool sack_update(struct tcb *tcb, const struct segment *segment); /* true: something new */
bool sack_is_lost(const struct tcb *tcb, uint32_t seq);
void sack_set_pipe(struct tcb *tcb);
struct packet *sack_next_seg(struct tcb *tcb);
void sack_forget(struct tcb *tcb); /* the receiver may have dropped it (RFC 2018 8) */
void sack_find_lost(struct tcb *tcb);

/* rto.c */
void rto_sample(struct tcb *tcb, uint64_t rtt);
void rto_start(struct tcb *tcb);
void rto_back_off(struct tcb *tcb);
void rto_forgive(struct tcb *tcb); /* the reason to back off is gone */

/* --- timers.c --- */

void timer_set(struct tcb *tcb, enum tcp_timer which, uint64_t when);
static inline void timer_set_after(struct tcb *tcb, enum tcp_timer which, uint64_t delay)
{
    timer_set(tcb, which, tcb_now(tcb) + delay);
}
static inline void timer_clear(struct tcb *tcb, enum tcp_timer which) { tcb->deadline[which] = 0; }
void timers_clear(struct tcb *tcb);
void tcb_timer_expired(struct timer *timer, uint64_t now);
/* keepalive_restart: something was heard. */
void keepalive_restart(struct tcb *tcb);

/* --- user.c, options.c --- */

extern const struct socket_operations tcp_operations;
int tcp_get_option(struct socket *socket, int level, int name, void *value, size_t *size);
int tcp_set_option(struct socket *socket, int level, int name, const void *value, size_t size);
/* tcb_events: what the socket is ready for. */
unsigned tcb_events(struct socket *socket);
