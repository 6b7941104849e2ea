/* The host under test, and the hands of its peer. */
#include "host.h"
#include "../../checksum.h"
#include "../../link/ethernet.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

const uint8_t host_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
const uint8_t peer_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 9};

/* --- the host --- */

static struct host *generator; /* stack_config.random has no context */

static void random_bytes(void *to, size_t length)
{
    uint8_t *at = to;
    while (length-- > 0) {
        generator->random = generator->random * 6364136223846793005ull + 1442695040888963407ull;
        *at++ = (uint8_t)(generator->random >> 56);
    }
}

static void *allocate(size_t size) { return calloc(1, size); }

static int transmit(struct netif *netif, struct packet *frame)
{
    struct host *host = netif->device;
    packet_queue_put(&host->sent, frame);
    return 0;
}

void host_conflict(struct netif *netif, const struct ip_address *address)
{
    struct host *host = netif->device;
    (void)address;
    host->conflicts++;
}

void host_start(struct host *host)
{
    *host = (struct host){.now = SECOND, .random = 1, .memory = malloc(PACKETS * PACKET_SIZE)};
    generator = host;
    packet_pool_init(&host->pool, host->packets, host->memory, PACKETS);
    const struct stack_config config = {.allocate = allocate,
                                        .release = free,
                                        .random = random_bytes,
                                        .pool = &host->pool,
                                        .now = host->now,
                                        .address_secret = {1, 2}};
    host->stack = stack_create(&config);
    assert(host->stack);
    host->netif = (struct netif){.name = "eth0",
                                 .kind = NETIF_ETHERNET,
                                 .mtu = ETHERNET_MTU,
                                 .up = true,
                                 .transmit = transmit,
                                 .conflict = host_conflict,
                                 .device = host};
    memcpy(host->netif.mac, host_mac, MAC_SIZE);
    netif_add(host->stack, &host->netif);
}

void host_up(struct host *host)
{
    netif_set_link(&host->netif, true);
    host_run(host, 3 * SECOND);
    host_drain(host);
}

void host_end(struct host *host)
{
    host_drain(host);
    stack_destroy(host->stack);
    CHECK(host->pool.in_use == 0, "%u packets have not come back", host->pool.in_use);
    free(host->memory);
}

/* Every deadline on the way is met, each with a poll of its own. */
void host_run(struct host *host, uint64_t time)
{
    const uint64_t end = host->now + time;
    unsigned polls = 0;
    for (;;) {
        const uint64_t due = stack_deadline(host->stack);
        if (!due || due > end)
            break;
        host->now = due > host->now ? due : host->now;
        stack_poll(host->stack, host->now);
        CHECK(++polls < 100000, "time does not get on");
        if (polls == 100000)
            break;
    }
    host->now = end;
    stack_poll(host->stack, host->now);
}

/* --- output --- */

static bool is_checksum_ok(const struct frame *frame)
{
    const size_t length = (size_t)(frame->end - frame->payload);
    const uint16_t sum = checksum_pseudo(&frame->ip.source, &frame->ip.destination, frame->protocol,
                                         (uint32_t)length);
    return checksum_finish(checksum_add(sum, frame->payload, length)) == 0;
}

static bool take_apart(struct frame *frame)
{
    struct cursor cursor = cursor_over(frame->bytes, frame->size);
    cursor_bytes(&cursor, frame->to, MAC_SIZE);
    cursor_take(&cursor, MAC_SIZE);
    if (cursor_u16(&cursor) != ETHERTYPE_IPV6 || !ipv6_parse(&cursor, &frame->ip))
        return false;
    CHECK(cursor_left(&cursor) == frame->ip.payload_length, "payload length");
    frame->protocol = frame->ip.next_header;
    if (frame->protocol == NEXT_FRAGMENT) {
        frame->is_fragment = true;
        ipv6_fragment_parse(&cursor, &frame->fragment);
        frame->protocol = frame->fragment.next_header;
    } else {
        CHECK(ipv6_find_transport(&cursor, &frame->protocol), "the chain of headers");
    }
    frame->payload = cursor.at;
    frame->end = cursor.end;
    frame->checksum_ok = is_checksum_ok(frame);
    return true;
}

bool host_sent(struct host *host, struct frame *frame)
{
    struct packet *packet;
    stack_poll(host->stack, host->now);
    while ((packet = packet_queue_take(&host->sent))) {
        *frame = (struct frame){.size = packet_total(packet)};
        assert(frame->size <= sizeof frame->bytes);
        packet_read(packet, 0, frame->bytes, (uint32_t)frame->size);
        packet_release(&host->pool, packet);
        if (take_apart(frame))
            return true;
    }
    return false;
}

bool host_sent_icmp(struct host *host, uint8_t type, struct frame *frame)
{
    while (host_sent(host, frame))
        if (frame->protocol == PROTOCOL_ICMPV6 && frame->payload[0] == type) {
            CHECK(frame->checksum_ok, "the checksum of ICMPv6 type %u", type);
            return true;
        }
    return false;
}

unsigned host_drain(struct host *host)
{
    struct frame frame;
    unsigned count = 0;
    while (host_sent(host, &frame))
        count++;
    return count;
}

/* --- input --- */

struct ip_address address(const char *text)
{
    struct ip_address result;
    const bool ok = ip_parse(text, &result);
    assert(ok);
    (void)ok;
    return result;
}

void host_receive_raw(struct host *host, const void *frame, size_t length)
{
    struct packet *packet = packet_alloc(&host->pool, 16);
    stack_poll(host->stack, host->now);
    CHECK(packet, "the pool is empty");
    if (!packet)
        return;
    memcpy(packet_append(packet, (uint16_t)length), frame, length);
    packet->arrived = host->now;
    netif_input(&host->netif, packet);
}

void host_receive(struct host *host, const char *source, const char *destination, uint8_t hop_limit,
                  uint8_t next_header, const void *payload, size_t length)
{
    uint8_t frame[PACKET_SIZE], mac[MAC_SIZE], *at = frame;
    const struct ipv6_header header = {.payload_length = (uint16_t)length,
                                       .next_header = next_header,
                                       .hop_limit = hop_limit,
                                       .source = address(source),
                                       .destination = address(destination)};
    memcpy(mac, host_mac, MAC_SIZE);
    if (ip_is_multicast(&header.destination))
        ethernet_multicast(&header.destination, mac);
    at = put_bytes(at, mac, MAC_SIZE);
    at = put_bytes(at, peer_mac, MAC_SIZE);
    at = put_u16(at, ETHERTYPE_IPV6);
    at = ipv6_emit(at, &header);
    at = put_bytes(at, payload, length);
    host_receive_raw(host, frame, (size_t)(at - frame));
}

void fill_checksum(const char *source, const char *destination, uint8_t protocol, void *segment,
                   size_t length, size_t at)
{
    const struct ip_address from = address(source), to = address(destination);
    const uint16_t pseudo = checksum_pseudo(&from, &to, protocol, (uint32_t)length);
    const uint16_t sum = checksum_finish(checksum_add(pseudo, segment, length));
    memcpy((uint8_t *)segment + at, &sum, sizeof sum);
}

void host_receive_icmp(struct host *host, const char *source, const char *destination,
                       uint8_t hop_limit, const void *message, size_t length)
{
    uint8_t copy[PACKET_SIZE];
    memcpy(copy, message, length);
    copy[2] = copy[3] = 0;
    fill_checksum(source, destination, PROTOCOL_ICMPV6, copy, length, 2);
    host_receive(host, source, destination, hop_limit, PROTOCOL_ICMPV6, copy, length);
}

bool host_ping(struct host *host, const char *source, const char *destination)
{
    static const uint8_t request[16] = {
        ICMPV6_ECHO_REQUEST, 0, 0, 0, 1, 2, 3, 4, 'p', 'i', 'n', 'g'};
    struct frame frame;
    host_drain(host);
    host_meet(host, source);
    host_receive_icmp(host, source, destination, 64, request, sizeof request);
    if (!host_sent_icmp(host, ICMPV6_ECHO_REPLY, &frame))
        return false;
    const struct ip_address from = address(destination), to = address(source);
    CHECK(ip_equal(&frame.ip.destination, &to), "the reply goes to another");
    CHECK(ip_is_multicast(&from) || ip_equal(&frame.ip.source, &from),
          "the reply comes from another");
    CHECK(frame.end - frame.payload == sizeof request &&
              memcmp(frame.payload + 4, request + 4, sizeof request - 4) == 0,
          "the reply is another");
    return true;
}

/* By a solicitation, which makes the host learn the sender's link-layer address. */
void host_meet(struct host *host, const char *neighbour)
{
    const char *ours = host_address(host, ADDRESS_LINK_LOCAL);
    const struct nd_neighbor solicit = {.target = address(ours)};
    uint8_t message[ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE];
    struct frame frame;
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_SOLICIT, &solicit),
                        ND_OPTION_SOURCE_LINK, peer_mac);
    host_receive_icmp(host, neighbour, ours, ND_HOP_LIMIT, message, sizeof message);
    CHECK(host_sent_icmp(host, ND_NEIGHBOR_ADVERT, &frame), "no answer to a solicitation");
}

const char *text_of(const struct ip_address *address)
{
    static char buffers[4][IP_TEXT_MAX];
    static unsigned next;
    return ip_format(address, buffers[next++ % 4]);
}

const char *host_address(struct host *host, enum netif_address_origin origin)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *a = &host->netif.addresses[i];
        if (a->state != ADDRESS_FREE && a->address.family == IP_V6 && a->origin == origin)
            return text_of(&a->address);
    }
    return "";
}

/* --- router advertisements --- */

void advert_begin(struct advert *advert, uint8_t hop_limit, uint16_t lifetime)
{
    uint8_t *at = put_u32(advert->bytes, (uint32_t)ND_ROUTER_ADVERT << 24);
    at = put_u8(at, hop_limit);
    at = put_u8(at, 0);
    at = put_u16(at, lifetime);
    at = put_u32(put_u32(at, 0), 0);
    advert->length = (size_t)(at - advert->bytes);
}

void advert_option(struct advert *advert, const void *option, size_t length)
{
    memcpy(advert->bytes + advert->length, option, length);
    advert->length += length;
}

void advert_prefix(struct advert *advert, const char *prefix, uint8_t bits, uint8_t flags,
                   uint32_t valid, uint32_t preferred)
{
    uint8_t option[32] = {ND_OPTION_PREFIX, 4, bits, flags};
    const struct ip_address bytes = address(prefix);
    put_bytes(put_u32(put_u32(put_u32(option + 4, valid), preferred), 0), bytes.bytes, 16);
    advert_option(advert, option, sizeof option);
}

void advert_send(struct host *host, struct advert *advert, const char *router)
{
    host_receive_icmp(host, router, "ff02::1", ND_HOP_LIMIT, advert->bytes, advert->length);
}

void host_advertise(struct host *host, uint16_t router, uint32_t valid, uint32_t preferred)
{
    struct advert advert;
    advert_begin(&advert, 64, router);
    advert_prefix(&advert, PREFIX, 64, ON_LINK | AUTONOMOUS, valid, preferred);
    advert_send(host, &advert, ROUTER);
}

void host_configure(struct host *host, uint32_t valid, uint32_t preferred)
{
    host_start(host);
    host_up(host);
    host_advertise(host, 1800, valid, preferred);
    host_run(host, 2 * SECOND);
    host_drain(host);
}

const char *host_next_hop(struct host *host, const char *destination)
{
    const struct ip_address to = address(destination);
    struct ip_route route;
    return ip_route_find(host->stack, &to, NULL, 0, &route) ? "" : text_of(&route.next_hop);
}
