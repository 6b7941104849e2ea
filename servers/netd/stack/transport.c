/* The transports that this stack was linked with. */
#include "transport.h"
#include "stack.h"
#include "transport/raw.h"
#include <errno.h>

static const struct transport *const transports[] = {&tcp_transport, &udp_transport,
                                                     &raw_transport};
#define TRANSPORTS (sizeof transports / sizeof transports[0])

static const struct transport *transport_of_protocol(uint8_t protocol)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i] && transports[i]->protocol == protocol && protocol)
            return transports[i];
    }
    return NULL;
}

const struct transport *transport_of_type(enum socket_type type)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i] && transports[i]->type == type)
            return transports[i];
    }
    return NULL;
}

static void destroy_first(struct stack *stack, size_t count)
{
    while (count-- > 0) {
        if (transports[count])
            transports[count]->destroy(stack);
    }
}

int transports_create(struct stack *stack)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i] && transports[i]->create(stack)) {
            destroy_first(stack, i);
            return -ENOMEM;
        }
    }
    return 0;
}

void transports_destroy(struct stack *stack) { destroy_first(stack, TRANSPORTS); }

void transports_writable(struct stack *stack)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i])
            transports[i]->writable(stack);
    }
}

void transports_statistics(const struct stack *stack,
                           void (*visit)(void *context, const char *name, uint64_t value),
                           void *context)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i] && transports[i]->statistics)
            transports[i]->statistics(stack, visit, context);
    }
}

void socket_list(struct stack *stack,
                 void (*visit)(void *context, const struct socket_facts *facts), void *context)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (transports[i])
            transports[i]->visit(stack, visit, context);
    }
}

bool transport_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    const struct transport *transport = transport_of_protocol(ip->protocol);
    const bool wanted = raw_input(stack, ip, packet);
    if (transport)
        transport->input(stack, ip, packet);
    else if (wanted)
        packet_release(stack->pool, packet);
    return transport || wanted;
}

bool transport_error(struct stack *stack, const struct ip_error *error)
{
    const struct transport *transport = transport_of_protocol(error->protocol);
    const bool raw = raw_transport.error(stack, error);
    return (transport && transport->error(stack, error)) || raw;
}
