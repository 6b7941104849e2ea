/* Under the IP packets of the tester there is an Ethernet after all: the gateway's answers to ARP
 * are made here. Time goes on only when somebody sleeps or waits for a packet. */
#include "wire.h"

#include "netd/stack/ip.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS   4096
#define ETHERNET  14
#define START     1000000000ull /* ns */
#define PATIENCE  60000000000ull
#define REAL_WAIT 20000000l /* ns, for a call in another thread to go on */

static const uint8_t own_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 1},
                     peer_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 2};

static void *allocate(size_t size) { return calloc(1, size); }

/* The same in each run, as scripts have it. */
static void random_bytes(void *to, size_t length)
{
    static uint64_t state = 1;
    for (uint8_t *at = to; length > 0; length--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        *at++ = (uint8_t)(state >> 56);
    }
}

static void answer_arp(struct wire *wire, const uint8_t *question)
{
    struct packet *reply = packet_alloc(wire->netif.stack->pool, 2);
    uint8_t *at = reply ? packet_append(reply, 42) : NULL;
    if (!at)
        return;
    memcpy(at, question, 42);
    memcpy(at, own_mac, MAC_SIZE);
    memcpy(at + 6, peer_mac, MAC_SIZE);
    at[21] = 2; /* a reply: from who was asked for, to who asked */
    memcpy(at + 22, peer_mac, MAC_SIZE);
    memcpy(at + 28, question + 38, 4);
    memcpy(at + 32, question + 22, 10);
    netif_input(&wire->netif, reply);
}

static int transmit(struct netif *netif, struct packet *frame)
{
    struct wire *wire = netif->device;
    const uint8_t *bytes = packet_bytes(frame);
    struct packet *copy = NULL;
    if (bytes[12] == 8 && bytes[13] == 6 && bytes[21] == 1)
        answer_arp(wire, bytes);
    else if (bytes[12] == 8 && bytes[13] == 0)
        copy = packet_copy(netif->stack->pool, frame, 0);
    if (copy) {
        packet_pull(copy, ETHERNET);
        copy->arrived = wire->now;
        packet_queue_put(&wire->sent, copy);
    }
    packet_release(netif->stack->pool, frame);
    return 0;
}

struct wire *wire_open(const struct ip_address *local, unsigned prefix,
                       const struct ip_address *gateway)
{
    struct wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        return NULL;
    pthread_mutex_init(&wire->lock, NULL);
    pthread_cond_init(&wire->changed, NULL);
    wire->now = START;
    wire->packets = calloc(PACKETS, sizeof *wire->packets);
    wire->memory = malloc((size_t)PACKETS * PACKET_SIZE);
    if (!wire->packets || !wire->memory)
        goto fail;
    packet_pool_init(&wire->pool, wire->packets, wire->memory, PACKETS);
    const struct stack_config config = {.allocate = allocate,
                                        .release = free,
                                        .random = random_bytes,
                                        .pool = &wire->pool,
                                        .now = wire->now};
    wire->stack = stack_create(&config);
    if (!wire->stack)
        goto fail;
    wire->netif = (struct netif){.name = "tun0",
                                 .kind = NETIF_ETHERNET,
                                 .mtu = ETHERNET_MTU,
                                 .up = true,
                                 .link = true,
                                 .transmit = transmit,
                                 .device = wire};
    memcpy(wire->netif.mac, own_mac, MAC_SIZE);
    netif_add(wire->stack, &wire->netif);
    netif_address_add(&wire->netif, local, prefix, ADDRESS_STATIC);
    const struct ip_route_entry route = {.destination = ip_any(IP_V4), .gateway = *gateway};
    ip_route_add(wire->stack, &route);
    wire_advance(wire, wire->now + START);
    packet_queue_clear(&wire->pool, &wire->sent);
    return wire;
fail:
    wire_close(wire);
    return NULL;
}

void wire_close(struct wire *wire)
{
    if (wire->stack) {
        packet_queue_clear(&wire->pool, &wire->sent);
        stack_destroy(wire->stack);
    }
    free(wire->memory);
    free(wire->packets);
    free(wire);
}

void wire_settle(struct wire *wire)
{
    for (uint64_t due = wire->now; due && due <= wire->now; due = stack_deadline(wire->stack))
        stack_poll(wire->stack, wire->now);
    pthread_cond_broadcast(&wire->changed);
}

void wire_advance(struct wire *wire, uint64_t until)
{
    uint64_t due;
    while ((due = stack_deadline(wire->stack)) && due <= until) {
        wire->now = due > wire->now ? due : wire->now;
        wire_settle(wire);
    }
    wire->now = until;
    wire_settle(wire);
}

int wire_receive(struct wire *wire, const void *bytes, size_t size)
{
    struct packet *packet = packet_alloc(&wire->pool, 2);
    uint8_t *at =
        packet && size <= ETHERNET_MTU ? packet_append(packet, (uint16_t)(ETHERNET + size)) : NULL;
    if (!at) {
        packet_release(&wire->pool, packet);
        return -EMSGSIZE;
    }
    memcpy(at, own_mac, MAC_SIZE);
    memcpy(at + 6, peer_mac, MAC_SIZE);
    at[12] = 8;
    at[13] = 0;
    memcpy(at + ETHERNET, bytes, size);
    packet->arrived = wire->now;
    netif_input(&wire->netif, packet);
    wire_settle(wire);
    return 0;
}

struct packet *wire_await(struct wire *wire)
{
    uint64_t limit = wire->now + PATIENCE;
    struct packet *packet;
    while (!(packet = packet_queue_take(&wire->sent))) {
        struct timespec until;
        uint64_t due = stack_deadline(wire->stack);
        if (wire->waiting > 0) { /* a call in another thread may have something to send */
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += REAL_WAIT;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&wire->changed, &wire->lock, &until);
            if (wire->sent.count > 0)
                continue;
        }
        if (!due || due > limit)
            return NULL;
        wire_advance(wire, due);
    }
    return packet;
}
