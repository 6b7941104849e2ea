/* The layers around TCP, as far as it sees them. */
#include "host.h"
#include "../../checksum.h"
#include "../../test/check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct host *host_of(struct stack *stack) { return (struct host *)stack; }

/* ---- What ip.h and netif.h promise ----------------------------------------------------------- */

int ip_route_find(struct stack *stack, const struct ip_address *destination,
                  const struct ip_address *source, unsigned interface, struct ip_route *route)
{
    struct host *host = host_of(stack);
    (void)interface;
    (void)source;
    if (host->route_error)
        return host->route_error;
    *route = (struct ip_route){&host->netif, host->address, *destination, host->path_mtu};
    return 0;
}

int ip_output(struct stack *stack, const struct ip_send *send, struct packet *packet)
{
    struct host *host = host_of(stack);
    const bool too_long = send->dont_fragment && !packet->segment_size &&
                          packet_total(packet) + IPV4_HEADER_MIN > host->path_mtu;
    if (host->full || too_long) {
        packet_release(stack->pool, packet);
        return host->full ? -ENOBUFS : -EMSGSIZE;
    }
    host->sent(host, send, packet);
    return 0;
}

void ip_reached(struct stack *stack, const struct ip_address *peer, unsigned interface)
{
    (void)stack;
    (void)peer;
    (void)interface;
}

bool ip_is_local(const struct stack *stack, const struct ip_address *address)
{
    return ip_equal(address, &((const struct host *)stack)->address);
}

bool ip_is_directed_broadcast(const struct stack *stack, const struct ip_address *address)
{
    (void)stack;
    return address->bytes[3] == 255;
}

struct netif *netif_find(struct stack *stack, unsigned index)
{
    return index == 1 ? &host_of(stack)->netif : NULL;
}

const struct transport *transport_of_type(enum socket_type type)
{
    return type == SOCKET_STREAM ? &tcp_transport : NULL;
}

/* ---- The host -------------------------------------------------------------------------------- */

static void *allocate(size_t size) { return calloc(1, size); }

static uint64_t random_state = 88172645463325252;

static void fill_random(void *to, size_t length)
{
    uint8_t *bytes = to;
    for (size_t i = 0; i < length; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        bytes[i] = (uint8_t)(random_state >> 32);
    }
}

void host_start(struct host *host, uint8_t number, const struct host_limits *limits)
{
    static const struct host_limits none;
    if (!limits)
        limits = &none;
    const uint32_t packets = limits->packets ? limits->packets : 4096;
    *host = (struct host){.address = ip_v4(10, 0, 0, number), .path_mtu = ETHERNET_MTU};
    host->packets = calloc(packets, sizeof *host->packets);
    host->memory = malloc((size_t)packets * PACKET_SIZE);
    packet_pool_init(&host->pool, host->packets, host->memory, packets);
    struct stack *stack = &host->stack;
    stack->config = (struct stack_config){
        .allocate = allocate,
        .release = free,
        .random = fill_random,
        .pool = &host->pool,
        .sockets = limits->sockets ? limits->sockets : 64,
        .socket_packets = limits->socket_packets ? limits->socket_packets : packets / 4 * 3,
    };
    stack->pool = &host->pool;
    stack->now = 1000 * NS_PER_S;
    host->slots = calloc(stack->config.sockets + 3, sizeof *host->slots);
    timers_init(&stack->timers, host->slots, stack->config.sockets + 2);
    host->netif = (struct netif){.stack = stack, .index = 1, .mtu = ETHERNET_MTU, .up = true};
    CHECK(tcp_transport.create(stack) == 0);
}

void host_stop(struct host *host)
{
    tcp_transport.destroy(&host->stack);
    CHECK(host->pool.in_use == 0, "%u packets are lost", host->pool.in_use);
    CHECK(host->stack.socket_packets == 0, "%u", host->stack.socket_packets);
    CHECK(host->stack.timers.count == 0, "%u", host->stack.timers.count);
    free(host->packets);
    free(host->memory);
    free(host->slots);
}

void host_run(struct host *host, uint64_t now)
{
    for (uint64_t next; (next = timers_next(&host->stack.timers)) && next <= now;) {
        if (next > host->stack.now)
            host->stack.now = next;
        timers_run(&host->stack.timers, host->stack.now);
    }
    host->stack.now = now;
}

void host_deliver(struct host *host, const struct ip_address *source, struct packet *packet)
{
    const struct ip_received ip = {
        .netif = &host->netif,
        .source = *source,
        .destination = host->address,
        .protocol = PROTOCOL_TCP,
        .hop_limit = 64,
    };
    tcp_transport.input(&host->stack, &ip, packet);
}
