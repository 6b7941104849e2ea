/* What the resolver's two halves share: resolver.c knows what is asked and who waits for it,
 * exchange.c asks the servers one question. */
#pragma once

#include "cache.h"
#include "message.h"

struct socket;

/* Answers over TCP are rare, so there is room for a few at a time. */
#define DNS_STREAMS     4
#define DNS_STREAM_SIZE 16384u

struct dns_stream {
    bool used;
    uint8_t bytes[DNS_STREAM_SIZE];
};

/* One question on its way to the servers. At most one for each name and type (else answers could be
 * guessed by asking often, RFC 5452 5). */
struct dns_exchange {
    struct dns_resolver *resolver;
    struct dns_question question;
    struct socket *socket; /* NULL: none is open, the deadline decides */
    bool ready;            /* there may be something to do for the socket */
    bool over;             /* its answer is being delivered: nobody joins any more */
    unsigned attempts;     /* servers asked so far */
    uint64_t deadline;     /* ns; 0 = free */
    int error;             /* of the last attempt that failed */
    struct endpoint server;
    struct dns_stream *stream; /* over TCP: */
    size_t sent, received;     /* bytes, with the two of the length in front */
};

/* One that waits. */
struct dns_query {
    int id; /* 0 = free */
    char name[DNS_NAME_MAX];
    enum dns_type type;
    bool in_domain; /* the question is about name.domain at first */
    dns_done *done;
    void *context;
    struct dns_exchange *exchange;
};

struct dns_resolver {
    struct stack *stack;
    struct dns_config config;
    uint64_t now;
    int last_id;
    struct endpoint servers[DNS_SERVERS];
    unsigned server_count;
    char domain[DNS_NAME_MAX];
    struct dns_query *queries; /* [config.queries] */
    struct dns_exchange
        *exchanges; /* [config.queries + 1]: one may be over, with new ones coming */
    struct dns_cache cache;
    struct dns_stream streams[DNS_STREAMS];
    struct dns_counters counters;
};

/* dns_exchange_start: asks the first server; the question has its name and type. */
void dns_exchange_start(struct dns_exchange *exchange);
/* dns_exchange_poll: reads what has arrived, goes on when the deadline has passed. True: `answer`
 * is what came of it. dns_exchange_stop: closes what is open, and frees it. */
bool dns_exchange_poll(struct dns_exchange *exchange, struct dns_answer *answer);
void dns_exchange_stop(struct dns_exchange *exchange);

/* dns_local_answer, dns_local_name: what can be said without asking anybody: address literals,
 * "localhost", the owner's hosts. False: nothing. */
bool dns_local_answer(const struct dns_resolver *resolver, const char *name, enum dns_type type,
                      struct dns_answer *answer);
bool dns_local_name(const struct dns_resolver *resolver, const struct ip_address *address,
                    struct dns_answer *answer);
