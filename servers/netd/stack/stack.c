/* The stack as a whole: made of its layers, told the time. */
#include "stack.h"
#include "ip/path_mtu.h"
#include "ip/reassembly.h"
#include "ip6/ipv6.h"
#include "link/loopback.h"
#include "link/neighbour.h"
#include "transport.h"
#include <assert.h>
#include <errno.h>

#define SOCKETS          8192u
#define DATAGRAM_SOCKETS 1024u
#define NEIGHBOURS       256u
#define ROUTES           64u
#define REASSEMBLY_BYTES (256u << 10)

static void set_defaults(struct stack_config *config)
{
    if (!config->sockets)
        config->sockets = SOCKETS;
    if (!config->datagram_sockets)
        config->datagram_sockets = DATAGRAM_SOCKETS;
    if (!config->neighbours)
        config->neighbours = NEIGHBOURS;
    if (!config->routes)
        config->routes = ROUTES;
    if (!config->reassembly_bytes)
        config->reassembly_bytes = REASSEMBLY_BYTES;
    if (!config->socket_packets)
        config->socket_packets = config->pool->total / 4 * 3;
}

static int timers_create(struct stack *stack)
{
    const uint32_t count = stack->config.sockets + stack->config.neighbours + STACK_TIMERS_OTHER;
    struct timer **slots = stack->config.allocate((count + 1) * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    timers_init(&stack->timers, slots, count);
    return 0;
}

static void timers_destroy(struct stack *stack)
{
    assert(stack->timers.count == 0); /* each layer has stopped its own */
    stack->config.release(stack->timers.heap);
}

static const struct {
    int (*create)(struct stack *stack);
    void (*destroy)(struct stack *stack);
} layers[] = {
    {timers_create, timers_destroy},         {neighbours_create, neighbours_destroy},
    {reassembly_create, reassembly_destroy}, {path_mtu_create, path_mtu_destroy},
    {ip_layer_create, ip_layer_destroy},     {ipv6_layer_create, ipv6_layer_destroy},
    {loopback_create, loopback_destroy},     {transports_create, transports_destroy},
};
#define LAYERS (sizeof layers / sizeof layers[0])

static void destroy_layers(struct stack *stack, size_t count)
{
    while (count > 0)
        layers[--count].destroy(stack);
    stack->config.release(stack);
}

struct stack *stack_create(const struct stack_config *config)
{
    struct stack *stack = config->allocate(sizeof *stack);
    if (!stack)
        return NULL;
    stack->config = *config;
    stack->now = config->now;
    stack->pool = config->pool;
    set_defaults(&stack->config);
    for (size_t i = 0; i < LAYERS; i++) {
        if (layers[i].create(stack)) {
            destroy_layers(stack, i);
            return NULL;
        }
    }
    return stack;
}

void stack_destroy(struct stack *stack)
{
    /* So that what ends now has no way to tell anybody. */
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        netif->link = false;
        ipv6_link_down(netif);
    }
    destroy_layers(stack, LAYERS);
}

void stack_poll(struct stack *stack, uint64_t now)
{
    if (now > stack->now)
        stack->now = now;
    timers_run(&stack->timers, stack->now);
    loopback_deliver(stack);
}

uint64_t stack_deadline(const struct stack *stack)
{
    return loopback_waiting(stack) ? stack->now : timers_next(&stack->timers);
}
