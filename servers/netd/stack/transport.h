/* A transport protocol as the rest of the stack sees it, with its sockets. */
#pragma once

#include "ip.h"
#include "socket.h"

struct transport {
    enum socket_type type;              /* of its sockets */
    uint8_t protocol;                   /* of its packets; 0: none is its own (raw) */
    int (*create)(struct stack *stack); /* ENOMEM */
    void (*destroy)(struct stack *stack);
    /* input: takes the packet over. error: see transport_error. */
    void (*input)(struct stack *stack, const struct ip_received *ip, struct packet *packet);
    bool (*error)(struct stack *stack, const struct ip_error *error);
    /* writable: a device has room again; who had ENOBUFS may try once more. */
    void (*writable)(struct stack *stack);
    /* socket_create: a zeroed socket with its operations; the caller fills in family, type,
     * protocol and stack, and counts it; the transport subtracts it from stack->socket_count when
     * it frees it. visit: its part of socket_list. */
    int (*socket_create)(struct stack *stack, unsigned protocol, struct socket **socket);
    void (*visit)(struct stack *stack,
                  void (*visit)(void *context, const struct socket_facts *facts), void *context);
    /* statistics: what it counts by itself; NULL: nothing but struct stack_counters. */
    void (*statistics)(const struct stack *stack,
                       void (*visit)(void *context, const char *name, uint64_t value),
                       void *context);
};

/* Each is weak: the stack works with those that are linked. */
extern const struct transport tcp_transport __attribute__((weak));
extern const struct transport udp_transport __attribute__((weak));
extern const struct transport raw_transport __attribute__((weak));

const struct transport *transport_of_type(enum socket_type type); /* NULL */

int transports_create(struct stack *stack); /* ENOMEM */
void transports_destroy(struct stack *stack);
void transports_writable(struct stack *stack);
void transports_statistics(const struct stack *stack,
                           void (*visit)(void *context, const char *name, uint64_t value),
                           void *context);
