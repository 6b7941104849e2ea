/* The student's stack on the host, in virtual time: commands come on standard input, a line each;
 * what the stack does about them goes to standard output. An answer's last line is ".".
 *
 * The random numbers of the stack come from a seed on the command line, so that a run repeats. */
#include "driver.h"
#include "netd/stack/ip/route.h"
#include "netd/stack/netif.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS    512u
#define INTERFACES 4u
#define SOCKETS    16u
#define PIECE      1600u /* a frame up to this long is in one piece */

static struct packet packets[PACKETS];
static uint8_t memory[PACKETS * PACKET_SIZE];
static struct packet_pool pool;
struct stack *stack;
static struct netif interfaces[INTERFACES];
static struct socket *sockets[SOCKETS];
uint8_t bytes[BYTES_MAX];
static uint64_t random_state;

/* ---- What the stack needs -------------------------------------------------------------------- */

static void *allocate(size_t size) { return calloc(1, size); }

static void random_bytes(void *to, size_t length)
{
    for (uint8_t *at = to; length-- > 0; at++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        *at = (uint8_t)(random_state >> 56);
    }
}

void print_hex(const uint8_t *at, size_t length)
{
    while (length-- > 0)
        printf("%02x", *at++);
}

static int transmit(struct netif *netif, struct packet *frame)
{
    static uint8_t whole[65536 + 64];
    const uint32_t length = packet_total(frame);
    if (length <= sizeof whole && packet_read(frame, 0, whole, length)) {
        printf("sent %u ", netif->index);
        print_hex(whole, length);
        printf("\n");
    }
    packet_release(&pool, frame);
    return 0;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

char *word(void)
{
    char *text = strtok(NULL, " \n");
    if (!text) {
        fprintf(stderr, "an argument is missing\n");
        exit(2);
    }
    return text;
}

uint64_t number(void) { return strtoull(word(), NULL, 0); }

struct ip_address address(void)
{
    struct ip_address parsed = {0};
    const char *text = word();
    if (strcmp(text, "any") == 0)
        return ip_any(IP_V4);
    if (!ip_parse(text, &parsed)) {
        fprintf(stderr, "not an address: %s\n", text);
        exit(2);
    }
    return parsed;
}

size_t hex(void)
{
    const char *text = word();
    size_t length = 0;
    for (; text[0] && text[1]; text += 2) {
        unsigned byte;
        sscanf(text, "%2x", &byte);
        bytes[length++] = (uint8_t)byte;
    }
    return length;
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* interface N MAC MTU: numbers count from 1; the loopback has one of its own. */
static void do_interface(void)
{
    struct netif *netif = &interfaces[number() % INTERFACES];
    *netif = (struct netif){.kind = NETIF_ETHERNET, .up = true, .link = true, .transmit = transmit};
    hex();
    memcpy(netif->mac, bytes, MAC_SIZE);
    netif->mtu = (uint16_t)number();
    netif_add(stack, netif);
    printf("interface %u\n", netif->index);
}

/* address N ADDRESS PREFIX */
static void do_address(void)
{
    struct netif *netif = &interfaces[number() % INTERFACES];
    const struct ip_address own = address();
    printf("result %d\n", netif_address_add(netif, &own, (unsigned)number(), ADDRESS_STATIC));
}

/* link N UP */
static void do_link(void)
{
    struct netif *netif = &interfaces[number() % INTERFACES];
    netif_set_link(netif, number());
}

/* route DESTINATION PREFIX GATEWAY METRIC N: N = 0: the interface on whose link the gateway is */
static void do_route(void)
{
    struct ip_route_entry entry = {.destination = address()};
    entry.prefix = (uint8_t)number();
    entry.gateway = address();
    entry.metric = (uint16_t)number();
    const unsigned on = (unsigned)number();
    entry.netif = on ? &interfaces[on % INTERFACES] : NULL;
    printf("result %d\n", ip_route_add(stack, &entry));
}

/* lookup ADDRESS INTERFACE */
static void do_lookup(void)
{
    struct ip_route_entry entry = {0};
    char text[IP_TEXT_MAX];
    const struct ip_address destination = address();
    if (!route_lookup(stack, &destination, (unsigned)number(), &entry))
        printf("none\n");
    else
        printf("route %u %s %u %u\n", entry.prefix,
               entry.gateway.family ? ip_format(&entry.gateway, text) : "0.0.0.0",
               entry.netif ? entry.netif->index : 0, entry.connected);
}

/* frame N HEX */
static void do_frame(void)
{
    struct netif *netif = &interfaces[number() % INTERFACES];
    const size_t length = hex();
    struct packet *first = NULL, **link = &first;
    for (size_t at = 0; at < length || !first; at += PIECE) { /* as a device gives long ones */
        struct packet *piece = packet_alloc(&pool, 12);
        if (!piece)
            break;
        const size_t part = length - at < PIECE ? length - at : PIECE;
        memcpy(packet_append(piece, (uint16_t)part), bytes + at, part);
        *link = piece;
        link = &piece->fragment;
    }
    if (first)
        netif_input(netif, first);
}

/* pass NS */
static void do_pass(void)
{
    const uint64_t end = stack->now + number();
    for (unsigned turns = 0; turns < 100000; turns++) {
        const uint64_t next = stack_deadline(stack);
        if (!next || next > end)
            break;
        stack_poll(stack, next);
    }
    stack_poll(stack, end);
}

/* ---- Sockets --------------------------------------------------------------------------------- */

struct memory_transfer {
    struct transfer transfer;
    uint8_t *at;
    bool out; /* to the socket */
};

static int copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct memory_transfer *self = (struct memory_transfer *)transfer;
    if (self->out)
        memcpy(data, self->at + offset, length);
    else
        memcpy(self->at + offset, data, length);
    return 0;
}

struct socket **place(void) { return &sockets[number() % SOCKETS]; }

/* socket S TYPE PROTOCOL: IPv4 */
static void do_socket(void)
{
    struct socket **at = place();
    const enum socket_type type = (enum socket_type)number();
    printf("result %d\n", socket_create(stack, IP_V4, type, (unsigned)number(), at));
}

struct endpoint end(void)
{
    const struct ip_address ip = address();
    return (struct endpoint){.address = ip, .port = (uint16_t)number()};
}

/* bind S ADDRESS PORT; connect S ADDRESS PORT */
static void do_bind(void)
{
    struct socket *socket = *place();
    const struct endpoint local = end();
    printf("result %d\n", socket_bind(socket, &local));
}

static void do_connect(void)
{
    struct socket *socket = *place();
    const struct endpoint peer = end();
    printf("result %d\n", socket_connect(socket, &peer));
}

/* reuse S */
static void do_reuse(void)
{
    struct socket *socket = *place();
    const int on = 1;
    printf("result %d\n",
           socket_set_option(socket, LEVEL_SOCKET, OPTION_REUSEADDR, &on, sizeof on));
}

/* send S ADDRESS PORT HEX: port 0: to the connected peer */
static void do_send(void)
{
    struct socket *socket = *place();
    struct socket_message message = {.peer = end()};
    const size_t length = hex();
    struct memory_transfer from = {.transfer.copy = copy, .at = bytes, .out = true};
    if (!message.peer.port)
        message.peer = (struct endpoint){0};
    printf("result %lld\n", (long long)socket_send(socket, &from.transfer, length, &message));
}

/* receive S */
static void do_receive(void)
{
    static uint8_t into[65536];
    struct socket *socket = *place();
    struct socket_message message = {0};
    struct memory_transfer to = {.transfer.copy = copy, .at = into};
    char text[IP_TEXT_MAX];
    const int64_t got = socket_receive(socket, &to.transfer, sizeof into, &message);
    if (got < 0) {
        printf("result %lld\n", (long long)got);
        return;
    }
    printf("received %s %u ", ip_format(&message.peer.address, text), message.peer.port);
    print_hex(into, (size_t)got);
    printf("\n");
}

static void do_close(void)
{
    struct socket **at = place();
    socket_close(*at);
    *at = NULL;
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void start(void)
{
    const struct stack_config config = {
        .allocate = allocate, .release = free, .random = random_bytes, .pool = &pool, .now = 1000};
    packet_pool_init(&pool, packets, memory, PACKETS);
    stack = stack_create(&config);
}

/* stop: the stack is destroyed; how many packets it has lost. */
static void do_stop(void)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        if (sockets[i])
            socket_close(sockets[i]);
    }
    stack_destroy(stack);
    printf("lost %u\n", pool.in_use);
}

static void do_held(void) { printf("held %u\n", pool.in_use); }

static const struct command shared[] = {
    {"interface", do_interface},
    {"address", do_address},
    {"link", do_link},
    {"route", do_route},
    {"lookup", do_lookup},
    {"frame", do_frame},
    {"pass", do_pass},
    {"socket", do_socket},
    {"bind", do_bind},
    {"connect", do_connect},
    {"reuse", do_reuse},
    {"send", do_send},
    {"receive", do_receive},
    {"close", do_close},
    {"held", do_held},
    {"stop", do_stop},
    {NULL, NULL},
};

static bool run(const struct command *command, const char *name)
{
    for (; command->name; command++) {
        if (strcmp(name, command->name) == 0) {
            command->run();
            return true;
        }
    }
    return false;
}

int drive(const struct command *commands)
{
    static char line[LINE_MAX];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!fgets(line, sizeof line, stdin))
        return 2;
    random_state = strtoull(line, NULL, 0);
    start();
    while (fgets(line, sizeof line, stdin)) {
        const char *name = strtok(line, " \n");
        if (!name)
            continue;
        if (!run(shared, name) && !run(commands, name)) {
            fprintf(stderr, "unknown command: %s\n", name);
            return 2;
        }
        printf(".\n");
    }
    return 0;
}
