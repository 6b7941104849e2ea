/* TCP in the whole stack: two hosts on an Ethernet that loses frames, over IPv4 and IPv6, with and
 * without checksum offload, and one host with itself. */
#include "../../test/check.h"
#include "../tcp.h"
#include "stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 4096u
#define PORT    80
#define SIZE    (UINT64_C(4) << 20)
#define RING    512u
#define LATENCY NS_PER_MS

struct frame {
    uint64_t at;
    uint32_t length;
    bool summed; /* the device on the other side completes the checksum */
    uint8_t bytes[PACKET_SIZE];
};

struct machine {
    struct stack *stack;
    struct netif netif;
    struct packet_pool pool;
    struct packet packets[PACKETS];
    uint8_t *memory;
    struct frame ring[RING]; /* on their way to this machine */
    uint32_t head, tail;
    struct machine *peer;
};

static struct machine machines[2];
static uint32_t loss; /* per 1000 */
static uint64_t random_state = 1;
static uint64_t now;

static uint32_t random_word(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

static void random_bytes(void *to, size_t length)
{
    uint8_t *at = to;
    while (length-- > 0)
        *at++ = (uint8_t)random_word();
}

static void *allocate(size_t size) { return calloc(1, size); }

static int transmit(struct netif *netif, struct packet *packet)
{
    struct machine *machine = netif->device, *peer = machine->peer;
    if (peer->tail - peer->head == RING)
        return -ENOBUFS;
    if (random_word() % 1000 >= loss) {
        struct frame *frame = &peer->ring[peer->tail++ % RING];
        frame->at = now + LATENCY;
        frame->length = packet_total(packet);
        frame->summed = packet->flags & PACKET_CHECKSUM;
        packet_read(packet, 0, frame->bytes, frame->length);
    }
    packet_release(&machine->pool, packet);
    return 0;
}

static void receive(struct machine *machine)
{
    const struct frame *frame = &machine->ring[machine->head++ % RING];
    struct packet *packet = packet_alloc(&machine->pool, 0);
    if (!packet)
        return;
    memcpy(packet_append(packet, (uint16_t)frame->length), frame->bytes, frame->length);
    if (frame->summed)
        packet->flags |= PACKET_CHECKED;
    netif_input(&machine->netif, packet);
    netif_writable(&machine->peer->netif);
}

static void start(struct machine *machine, uint8_t number, unsigned offloads)
{
    *machine =
        (struct machine){.memory = malloc(PACKETS * PACKET_SIZE), .peer = &machines[number == 1]};
    packet_pool_init(&machine->pool, machine->packets, machine->memory, PACKETS);
    const struct stack_config config = {.allocate = allocate,
                                        .release = free,
                                        .random = random_bytes,
                                        .pool = &machine->pool,
                                        .sockets = 16,
                                        .now = now};
    machine->stack = stack_create(&config);
    CHECK(machine->stack != NULL);
    machine->netif = (struct netif){.name = "eth0",
                                    .kind = NETIF_ETHERNET,
                                    .mtu = ETHERNET_MTU,
                                    .mac = {2, 0, 0, 0, 0, number},
                                    .offloads = offloads,
                                    .up = true,
                                    .link = true,
                                    .transmit = transmit,
                                    .device = machine};
    netif_add(machine->stack, &machine->netif);
    const struct ip_address v4 = ip_v4(10, 0, 0, number);
    CHECK(netif_address_add(&machine->netif, &v4, 24, ADDRESS_STATIC) == 0);
}

static void stop(struct machine *machine)
{
    stack_destroy(machine->stack);
    CHECK(machine->pool.in_use == 0, "%u packets are lost", machine->pool.in_use);
    free(machine->memory);
}

/* step: to the next arrival or deadline. */
static void step(void)
{
    uint64_t next = now + NS_PER_S;
    for (int i = 0; i < 2; i++) {
        const struct machine *machine = &machines[i];
        const uint64_t due = stack_deadline(machine->stack);
        if (due && due < next)
            next = due;
        if (machine->head != machine->tail && machine->ring[machine->head % RING].at < next)
            next = machine->ring[machine->head % RING].at;
    }
    if (next > now)
        now = next;
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &machines[i];
        stack_poll(machine->stack, now);
        while (machine->head != machine->tail && machine->ring[machine->head % RING].at <= now)
            receive(machine);
    }
}

/* pump: as much as goes now; true: it has moved something. */
static void pump(struct socket *from, struct socket *to, uint64_t *sent, uint64_t *received)
{
    struct socket_message message = {0};
    struct stream source = stream_source(*sent), sink = stream_sink(*received);
    if (*sent < SIZE) {
        const int64_t moved = socket_send(from, &source.transfer, (size_t)(SIZE - *sent), &message);
        CHECK(moved > 0 || moved == -EAGAIN, "%lld", (long long)moved);
        *sent += moved > 0 ? (uint64_t)moved : 0;
    }
    const int64_t moved = socket_receive(to, &sink.transfer, SIZE, &message);
    CHECK(moved > 0 || moved == -EAGAIN, "%lld", (long long)moved);
    CHECK(sink.wrong == 0, "octets at %llu are wrong", (unsigned long long)*received);
    *received += moved > 0 ? (uint64_t)moved : 0;
}

static struct socket *listen_on(struct stack *stack, enum ip_family family)
{
    const struct endpoint any = {.address = ip_any(family), .port = PORT};
    struct socket *listener;
    CHECK(socket_create(stack, family, SOCKET_STREAM, 0, &listener) == 0);
    CHECK(socket_bind(listener, &any) == 0 && socket_listen(listener, 1) == 0);
    return listener;
}

/* transfer: SIZE octets from client to server at the given address. */
static void transfer(struct stack *client_stack, struct stack *server_stack,
                     struct ip_address address, enum ip_family listening, unsigned interface)
{
    const struct endpoint peer = {address, PORT, (uint16_t)interface};
    struct socket *listener = listen_on(server_stack, listening), *client, *server = NULL;
    uint64_t sent = 0, received = 0;
    CHECK(socket_create(client_stack, address.family, SOCKET_STREAM, 0, &client) == 0);
    CHECK(socket_connect(client, &peer) == -EINPROGRESS);
    const uint64_t begun = now;
    while (!server && now - begun < 60 * NS_PER_S) {
        step();
        if (socket_accept(listener, &server) < 0)
            server = NULL;
    }
    CHECK(server != NULL, "nobody came");
    while (server && received < SIZE && now - begun < 600 * NS_PER_S) {
        pump(client, server, &sent, &received);
        step();
    }
    CHECK(received == SIZE, "%llu", (unsigned long long)received);
    struct endpoint seen;
    CHECK(socket_peer(server, &seen) == 0 && seen.address.family == listening);
    printf("%s: %.2f s\n", check_test, (double)(now - begun) / 1e9);
    socket_close(client);
    socket_close(server);
    socket_close(listener);
    for (int i = 0; i < 200; i++)
        step();
}

static void begin(uint32_t per_thousand, unsigned offloads)
{
    now += NS_PER_S;
    loss = per_thousand;
    start(&machines[0], 1, offloads);
    start(&machines[1], 2, offloads);
    for (const uint64_t end = now + 5 * NS_PER_S; now < end;) /* duplicate address detection */
        step();
}

static void end(void)
{
    stop(&machines[0]);
    stop(&machines[1]);
}

static void test_v4(void)
{
    begin(0, 0);
    transfer(machines[0].stack, machines[1].stack, ip_v4(10, 0, 0, 2), IP_V4, 0);
    end();
}

static void test_v4_lossy(void)
{
    begin(20, 0);
    transfer(machines[0].stack, machines[1].stack, ip_v4(10, 0, 0, 2), IP_V4, 0);
    end();
}

static void test_offload(void)
{
    begin(10, NETIF_CHECKSUM);
    transfer(machines[0].stack, machines[1].stack, ip_v4(10, 0, 0, 2), IP_V4, 0);
    end();
}

static void test_v6(void)
{
    static const uint8_t prefix[8] = {0xfe, 0x80};
    begin(10, 0);
    for (int i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *own = &machines[1].netif.addresses[i];
        if (own->state == ADDRESS_PREFERRED && memcmp(own->address.bytes, prefix, 8) == 0)
            transfer(machines[0].stack, machines[1].stack, own->address, IP_V6,
                     machines[0].netif.index);
    }
    end();
}

static void test_dual_stack_listener(void)
{
    begin(0, 0);
    transfer(machines[0].stack, machines[1].stack, ip_v4(10, 0, 0, 2), IP_V6, 0);
    end();
}

static void test_loopback(void)
{
    begin(0, 0);
    transfer(machines[0].stack, machines[0].stack, ip_loopback(IP_V4), IP_V4, 0);
    transfer(machines[0].stack, machines[0].stack, ip_loopback(IP_V6), IP_V6, 0);
    end();
}

int main(void)
{
    static const struct test tests[] = {
        {"IPv4", test_v4},
        {"IPv4, 2 % loss", test_v4_lossy},
        {"checksum offload, 1 % loss", test_offload},
        {"IPv6, 1 % loss", test_v6},
        {"IPv4 to a dual-stack listener", test_dual_stack_listener},
        {"loopback", test_loopback},
    };
    return RUN_TESTS(tests);
}
