/* UDP and raw sockets, and what all sockets share (RFC 768, RFC 1122 4.1, RFC 3493, RFC 6056). */
#include "../checksum.h"
#include "../wire/udp.h"
#include "wire.h"
#include <errno.h>

static struct socket *udp;

static void start(void)
{
    wire_start(NULL);
    said();
    know("10.0.0.2", PEER_MAC);
    know("10.0.0.254", PEER_MAC);
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
}

static void stop(void)
{
    expect_silence();
    wire_stop();
}

static int bind_to(struct socket *socket, const char *to, uint16_t port)
{
    const struct endpoint local = endpoint(to, port);
    return socket_bind(socket, &local);
}

static int connect_to(struct socket *socket, const char *to, uint16_t port)
{
    const struct endpoint peer = endpoint(to, port);
    return socket_connect(socket, &peer);
}

static int set_int(struct socket *socket, int level, int name, int value)
{
    return socket_set_option(socket, level, name, &value, sizeof value);
}

static int get_int(struct socket *socket, int level, int name)
{
    int value = -9999;
    size_t size = sizeof value;
    const int error = socket_get_option(socket, level, name, &value, &size);
    return error ? error : value;
}

static void received(struct socket *socket, const char *text)
{
    const char *seen = received_text(socket);
    CHECK(strcmp(seen, text) == 0, "received \"%s\", not \"%s\"", seen, text);
}

/* --- datagrams --- */

/* udp_with: a datagram whose header says what the test wants. */
static struct frame *udp_with(uint16_t length_field, uint16_t checksum, size_t bytes)
{
    uint8_t datagram[64] = {0};
    const struct udp_header header = {
        .source = 9, .destination = 7000, .length = length_field, .checksum = checksum};
    udp_emit(datagram, &header);
    memset(datagram + UDP_HEADER, 'x', sizeof datagram - UDP_HEADER);
    return ipv4_frame(&(struct ipv4_test){.payload = datagram, .length = bytes});
}

static void test_lengths(void)
{
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    for (uint16_t length = 0; length < 30; length++) {
        hear(udp_with(length, 0, 12));
        received(udp, length == 8    ? "10.0.0.2:9 "
                      : length == 9  ? "10.0.0.2:9 x"
                      : length == 10 ? "10.0.0.2:9 xx"
                      : length == 11 ? "10.0.0.2:9 xxx"
                      : length == 12 ? "10.0.0.2:9 xxxx"
                                     : "-11");
    }
    for (size_t bytes = 0; bytes < 8; bytes++)
        hear(udp_with(8, 0, bytes));
    CHECK(stack->counters.udp_in_errors == 8 + 17 + 8);
    received(udp, "-11");
    stop();
}

static void test_checksum(void)
{
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    hear(udp_with(12, 0, 12)); /* none: IPv4 allows it */
    received(udp, "10.0.0.2:9 xxxx");
    hear(udp_with(12, 0x1234, 12));
    received(udp, "-11");
    struct frame *good = udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "right");
    hear(good);
    received(udp, "10.0.0.2:9 right");
    good->bytes[44] ^= 1;
    hear(good);
    received(udp, "-11");
    CHECK(stack->counters.udp_in_errors == 2);
    /* A field of 0 would mean none: it is sent as 0xffff. The second text makes up for the first's
     * checksum. */
    uint16_t text = 0x4141, field;
    struct socket_message message = {.peer = endpoint("10.0.0.2", 9)};
    socket_send_memory(udp, &text, 2, &message);
    memcpy(&field, said()->bytes + 40, 2);
    text = checksum_join(text, field);
    message.peer = endpoint("10.0.0.2", 9);
    socket_send_memory(udp, &text, 2, &message);
    memcpy(&field, said()->bytes + 40, 2);
    CHECK(field == 0xffff, "%x", field);
    stop();
}

static void test_checksum_offload(void)
{
    start();
    eth.offloads = NETIF_CHECKSUM;
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    send_text(udp, "10.0.0.2", 9, "offloaded");
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 offloaded"); /* the device completed it */
    /* The device vouches for what it has checked. */
    struct frame *frame = udp_with(12, 0x1234, 12);
    struct packet *packet = packet_alloc(&pool, 0);
    memcpy(packet_append(packet, (uint16_t)frame->length), frame->bytes, frame->length);
    packet->flags = PACKET_CHECKED;
    netif_input(&eth, packet);
    received(udp, "10.0.0.2:9 xxxx");
    stop();
}

static void test_no_port(void)
{
    start();
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "hi"));
    expect("10.0.0.1 > 10.0.0.2 icmp 3/3 0 +30");
    hear(udp_frame("10.0.0.2", 9, "10.0.0.255", 7000, "hi"));
    hear(udp_frame("10.0.0.2", 9, "224.0.0.1", 7000, "hi"));
    CHECK(stack->counters.udp_no_port == 1);
    stop();
}

static void test_truncation_and_peek(void)
{
    char bytes[4];
    struct socket_message message = {.flags = SOCKET_PEEK};
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "abcdefgh"));
    CHECK(udp->operations->readable(udp) == 8);
    CHECK(socket_receive_memory(udp, bytes, 4, &message) == 4);
    CHECK(message.flags == SOCKET_TRUNCATE);
    message.flags = SOCKET_TRUNCATE; /* asks for the real length */
    CHECK(socket_receive_memory(udp, bytes, 4, &message) == 8);
    received(udp, "-11"); /* the rest of a datagram is lost */
    stop();
}

static void test_receive_facts(void)
{
    char byte;
    struct socket_message message = {0};
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    struct frame *frame = udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "x");
    hear(
        ipv4_frame(&(struct ipv4_test){.hop_limit = 7, .payload = frame->bytes + 34, .length = 9}));
    CHECK(socket_receive_memory(udp, &byte, 1, &message) == 1);
    const struct ip_address local = address("10.0.0.1");
    CHECK(message.hop_limit == 7 && message.interface == eth.index &&
          ip_equal(&message.local, &local));
    stop();
}

/* --- which socket --- */

static void test_best_match(void)
{
    start();
    struct socket *bound = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    struct socket *connected = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    struct socket *all[] = {udp, bound, connected};
    for (size_t i = 0; i < 3; i++)
        set_int(all[i], LEVEL_SOCKET, OPTION_REUSEADDR, 1);
    CHECK(bind_to(connected, "10.0.0.1", 7000) == 0 && connect_to(connected, "10.0.0.2", 9) == 0);
    CHECK(bind_to(bound, "10.0.0.1", 7000) == 0 && bind_to(udp, "0.0.0.0", 7000) == 0);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "from the peer"));
    received(connected, "10.0.0.2:9 from the peer");
    hear(udp_frame("10.0.0.2", 10, "10.0.0.1", 7000, "from another port"));
    received(bound, "10.0.0.2:10 from another port");
    hear(udp_frame("10.0.0.3", 9, "10.0.0.1", 7000, "from another host"));
    received(bound, "10.0.0.3:9 from another host");
    hear(udp_frame("10.0.0.3", 9, "255.255.255.255", 7000, "to all"));
    received(udp, "10.0.0.3:9 to all");
    for (size_t i = 0; i < 3; i++)
        received(all[i], "-11");
    stop();
}

static void test_connected(void)
{
    struct endpoint end;
    start();
    CHECK(send_text(udp, NULL, 0, "x") == -EDESTADDRREQ);
    CHECK(socket_peer(udp, &end) == -ENOTCONN);
    CHECK(connect_to(udp, "10.0.0.2", 0) == -EINVAL);
    CHECK(connect_to(udp, "10.0.0.2", 9) == 0);
    socket_local(udp, &end);
    const struct ip_address own = address("10.0.0.1");
    CHECK(ip_equal(&end.address, &own) && end.port >= 32768);
    CHECK(send_text(udp, NULL, 0, "x") == 1);
    said();
    struct frame *sent = NULL;
    send_text(udp, NULL, 0, "y");
    sent = said();
    hear(icmp_frame("10.0.0.2", "10.0.0.1", 3, 3, 0, sent->bytes + 14, 28));
    CHECK(socket_ready(udp) & SOCKET_ERROR);
    CHECK(send_text(udp, NULL, 0, "x") == -ECONNREFUSED); /* reported once */
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_ERROR) == 0);
    CHECK(socket_connect(udp, &(struct endpoint){0}) == 0); /* undone */
    CHECK(send_text(udp, NULL, 0, "x") == -EDESTADDRREQ);
    socket_local(udp, &end);
    CHECK(ip_is_any(&end.address) && end.port >= 32768);
    CHECK(connect_to(udp, "127.0.0.1", 9) == 0); /* from another address now */
    CHECK(send_text(udp, NULL, 0, "x") == 1);
    pass(0);
    pass(0);
    received(udp, "-111"); /* we refuse ourselves, too */
    stop();
}

static void test_unconnected_hears_no_errors(void)
{
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    send_text(udp, "10.0.0.2", 9, "x");
    hear(icmp_frame("10.0.0.2", "10.0.0.1", 3, 3, 0, said()->bytes + 14, 28));
    received(udp, "-11");
    stop();
}

static void test_bind(void)
{
    start();
    struct socket *other = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(bind_to(udp, "10.0.0.9", 7000) == -EADDRNOTAVAIL);
    CHECK(bind_to(udp, "::1", 7000) == -EAFNOSUPPORT);
    CHECK(bind_to(udp, "10.0.0.1", 7000) == 0);
    CHECK(bind_to(udp, "10.0.0.1", 7001) == -EINVAL);
    CHECK(bind_to(other, "10.0.0.1", 7000) == -EADDRINUSE);
    CHECK(bind_to(other, "0.0.0.0", 7000) == -EADDRINUSE);
    set_int(other, LEVEL_SOCKET, OPTION_REUSEADDR, 1);
    CHECK(bind_to(other, "0.0.0.0", 7000) == -EADDRINUSE); /* both must want it */
    set_int(udp, LEVEL_SOCKET, OPTION_REUSEADDR, 1);
    CHECK(bind_to(other, "0.0.0.0", 7000) == 0);
    struct socket *third = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(bind_to(third, "127.0.0.1", 7000) == -EADDRINUSE);
    CHECK(bind_to(third, "127.0.0.1", 7001) == 0);
    stop();
}

static void test_ephemeral_ports(void)
{
    enum { ROUNDS = 10000 };
    unsigned same_step = 0, near = 0, low = 0;
    int last = 0, last_step = 0;
    start();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct endpoint local;
        struct socket *socket = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
        CHECK(bind_to(socket, "0.0.0.0", 0) == 0);
        socket_local(socket, &local);
        CHECK(local.port >= 32768 && local.port <= 60999);
        const int step = local.port - last;
        same_step += step == last_step;
        near += abs(step) < 100;
        low += local.port < 46884; /* the middle */
        last = local.port;
        last_step = step;
        socket_close(socket);
    }
    /* By chance: 0.35, 71 and 5,000 of 10,000. */
    CHECK(same_step < 8, "%u", same_step);
    CHECK(near < 140, "%u", near);
    CHECK(low > 4700 && low < 5300, "%u", low);
    stop();
}

static bool taken_but(void *context, uint16_t port) { return port != *(uint16_t *)context; }

static void test_last_port(void)
{
    start();
    for (uint16_t only = 32768; only < 60990; only += 1000)
        CHECK(socket_ephemeral_port(stack, taken_but, &only) == only);
    uint16_t none = 32767;
    CHECK(socket_ephemeral_port(stack, taken_but, &none) == 0);
    stop();
}

static void test_socket_limits(void)
{
    const struct stack_config limits = {.sockets = 3, .datagram_sockets = 2};
    struct socket *socket;
    wire_start(&limits);
    said();
    CHECK(socket_create(stack, IP_NONE, SOCKET_DATAGRAM, 0, &socket) == -EAFNOSUPPORT);
    CHECK(socket_create(stack, IP_V4, SOCKET_DATAGRAM, 6, &socket) == -EPROTONOSUPPORT);
    CHECK(socket_create(stack, IP_V4, SOCKET_RAW, 0, &socket) == -EPROTONOSUPPORT);
    CHECK(socket_create(stack, IP_V4, SOCKET_RAW, 256, &socket) == -EPROTONOSUPPORT);
    CHECK(socket_create(stack, IP_V4, (enum socket_type)9, 0, &socket) == -ESOCKTNOSUPPORT);
    struct socket *first = open_socket(IP_V4, SOCKET_DATAGRAM, 17);
    open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(socket_create(stack, IP_V4, SOCKET_DATAGRAM, 0, &socket) == -ENFILE);
    open_socket(IP_V4, SOCKET_RAW, 1);
    CHECK(socket_create(stack, IP_V4, SOCKET_RAW, 1, &socket) == -ENFILE);
    socket_close(first);
    CHECK(socket_create(stack, IP_V4, SOCKET_DATAGRAM, 0, &socket) == 0);
    CHECK(stack->socket_count == 3);
    wire_stop();
}

/* --- bounds --- */

static void test_queue_is_bounded(void)
{
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    set_int(udp, LEVEL_SOCKET, OPTION_RCVBUF, 10 * PACKET_SIZE);
    for (unsigned i = 0; i < 50; i++)
        hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "")); /* empty ones cost the same */
    CHECK(pool.in_use == 10 && stack->socket_packets == 10);
    CHECK(stack->counters.udp_queue_full == 40);
    received(udp, "10.0.0.2:9 ");
    CHECK(stack->socket_packets == 9);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "more"));
    CHECK(pool.in_use == 10);
    socket_close(udp);
    CHECK(pool.in_use == 0 && stack->socket_packets == 0);
    stop();
}

static void test_queues_leave_packets(void)
{
    start();
    for (uint16_t i = 0; i < 10; i++) {
        struct socket *socket = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
        CHECK(bind_to(socket, "0.0.0.0", (uint16_t)(7000 + i)) == 0);
        for (unsigned j = 0; j < 200; j++)
            hear(udp_frame("10.0.0.2", 9, "10.0.0.1", (uint16_t)(7000 + i), "x"));
    }
    CHECK(pool.in_use == WIRE_PACKETS / 4 * 3); /* config.socket_packets */
    hear(icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 1, "x", 1));
    expect("10.0.0.1 > 10.0.0.2 icmp 0/0 1 +1"); /* the others go on */
    stop();
}

static unsigned notified;

static void notify(struct socket *socket, unsigned events)
{
    (void)socket;
    notified |= events;
}

static void test_backpressure(void)
{
    start();
    udp->notify = notify;
    notified = 0;
    wire_full = true;
    CHECK(send_text(udp, "10.0.0.2", 9, "x") == -EAGAIN);
    CHECK(!(socket_ready(udp) & SOCKET_WRITABLE) && pool.in_use == 0);
    wire_full = false;
    netif_writable(&eth);
    CHECK(notified == SOCKET_WRITABLE && socket_ready(udp) & SOCKET_WRITABLE);
    CHECK(send_text(udp, "10.0.0.2", 9, "x") == 1);
    said();
    wire_full = true;
    CHECK(send_text(udp, "10.0.0.2", 9, "x") == -EAGAIN);
    netif_set_link(&eth, false);
    wire_full = false;
    notified = 0;
    netif_set_link(&eth, true);
    CHECK(notified == SOCKET_WRITABLE);
    said(), said();
    know("10.0.0.2", PEER_MAC);
    CHECK(eth.counters.tx_dropped == 2 && stack->counters.ip_out_dropped == 2);
    struct packet *all[WIRE_PACKETS];
    for (unsigned i = 0; i < WIRE_PACKETS; i++)
        all[i] = packet_alloc(&pool, 0);
    CHECK(send_text(udp, "10.0.0.2", 9, "x") == -ENOBUFS);
    for (unsigned i = 0; i < WIRE_PACKETS; i++)
        packet_release(&pool, all[i]);
    stop();
}

static int broken_copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    (void)transfer, (void)offset, (void)data, (void)length;
    return -EFAULT;
}

static void test_bad_memory(void)
{
    struct transfer broken = {broken_copy};
    struct socket_message message = {.peer = endpoint("10.0.0.2", 9)};
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    CHECK(socket_send(udp, &broken, 5, &message) == -EFAULT && pool.in_use == 0);
    CHECK(socket_send(udp, &broken, 65508, &message) == -EMSGSIZE);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "x"));
    CHECK(socket_receive(udp, &broken, 5, &message) == -EFAULT && pool.in_use == 0);
    stop();
}

/* --- broadcast and multicast --- */

static void test_broadcast(void)
{
    start();
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    CHECK(send_text(udp, "255.255.255.255", 9, "x") == -EACCES);
    CHECK(send_text(udp, "10.0.0.255", 9, "x") == -EACCES);
    CHECK(connect_to(udp, "10.0.0.255", 9) == -EACCES);
    set_int(udp, LEVEL_SOCKET, OPTION_BROADCAST, 1);
    CHECK(send_text(udp, "10.0.0.255", 9, "net") == 3);
    struct frame *frame = said();
    CHECK(strcmp(describe(frame), "10.0.0.1 > 10.0.0.255 df udp 7000 > 9 net") == 0);
    CHECK(frame->bytes[0] == 0xff);
    CHECK(send_text(udp, "255.255.255.255", 7000, "all") == 3);
    expect("10.0.0.1 > 255.255.255.255 df udp 7000 > 7000 all");
    pass(0);
    received(udp, "10.0.0.1:7000 all"); /* we are among them */
    stop();
}

/* Before there is an address: DHCP (RFC 2131 4.1). */
static void test_unspecified_source(void)
{
    const struct ip_address own = address("10.0.0.1");
    start();
    netif_address_remove(&eth, &own);
    set_int(udp, LEVEL_SOCKET, OPTION_BROADCAST, 1);
    CHECK(socket_set_option(udp, LEVEL_SOCKET, OPTION_BINDTODEVICE, "eth0", 4) == 0);
    CHECK(bind_to(udp, "0.0.0.0", 68) == 0);
    CHECK(send_text(udp, "255.255.255.255", 67, "x") == -EADDRNOTAVAIL);
    udp->unspecified_source = true;
    CHECK(send_text(udp, "255.255.255.255", 67, "discover") == 8);
    expect("0.0.0.0 > 255.255.255.255 df udp 68 > 67 discover");
    pass(0);
    CHECK(stack->counters.ip_in == 0); /* nobody takes in what has no source, we neither */
    hear(udp_frame("10.0.0.2", 67, "255.255.255.255", 68, "offer"));
    received(udp, "10.0.0.2:67 offer");
    netif_address_add(&eth, &own, 24, ADDRESS_STATIC);
    said();
    CHECK(send_text(udp, "255.255.255.255", 67, "again") == 5);
    expect("0.0.0.0 > 255.255.255.255 df udp 68 > 67 again");
    stop();
}

static int join(struct socket *socket, const char *group, const char *interface, bool joins)
{
    uint8_t request[8];
    const struct ip_address a = address(group), b = address(interface);
    memcpy(request, a.bytes, 4);
    memcpy(request + 4, b.bytes, 4);
    return socket_set_option(socket, LEVEL_IP,
                             joins ? OPTION_IP_ADD_MEMBERSHIP : OPTION_IP_DROP_MEMBERSHIP, request,
                             sizeof request);
}

static void test_multicast(void)
{
    start();
    struct socket *other = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    set_int(udp, LEVEL_SOCKET, OPTION_REUSEADDR, 1);
    set_int(other, LEVEL_SOCKET, OPTION_REUSEADDR, 1);
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0 && bind_to(other, "239.1.2.3", 7000) == 0);
    CHECK(join(udp, "10.0.0.5", "0.0.0.0", true) == -EINVAL);
    CHECK(join(udp, "239.1.2.3", "10.0.0.77", true) == -ENODEV);
    CHECK(join(udp, "239.1.2.3", "10.0.0.1", true) == 0);
    expect("10.0.0.1 > 224.0.0.22 ttl 1 options 4 igmp v3 record 4 239.1.2.3");
    CHECK(join(udp, "239.1.2.3", "10.0.0.1", true) == -EADDRINUSE);
    hear(udp_frame("10.0.0.2", 9, "239.1.2.3", 7000, "group"));
    received(udp, "10.0.0.2:9 group");
    received(other, "-11"); /* has not joined */
    CHECK(join(other, "239.1.2.3", "0.0.0.0", true) == 0);
    hear(udp_frame("10.0.0.2", 9, "239.1.2.3", 7000, "group"));
    received(udp, "10.0.0.2:9 group");
    received(other, "10.0.0.2:9 group");
    /* Sending: hop limit 1, and a copy for ourselves unless that is not wanted (RFC 1112 6.1). */
    CHECK(send_text(udp, "239.1.2.3", 7000, "ours") == 4);
    struct frame *frame = said();
    CHECK(strcmp(describe(frame), "10.0.0.1 > 239.1.2.3 ttl 1 df udp 7000 > 7000 ours") == 0);
    CHECK(frame->bytes[0] == 1 && frame->bytes[3] == 1 && frame->bytes[5] == 3);
    pass(0);
    received(udp, "10.0.0.1:7000 ours");
    received(other, "10.0.0.1:7000 ours");
    set_int(udp, LEVEL_IP, OPTION_IP_MULTICAST_LOOP, 0);
    set_int(udp, LEVEL_IP, OPTION_IP_MULTICAST_TTL, 5);
    CHECK(get_int(udp, LEVEL_IP, OPTION_IP_MULTICAST_TTL) == 5);
    send_text(udp, "239.1.2.3", 7000, "theirs");
    expect("10.0.0.1 > 239.1.2.3 ttl 5 df udp 7000 > 7000 theirs");
    pass(0);
    received(other, "-11");
    CHECK(join(udp, "239.1.2.3", "10.0.0.1", false) == 0);
    CHECK(join(udp, "239.1.2.3", "10.0.0.1", false) == -EADDRNOTAVAIL);
    const struct ip_address group = address("239.1.2.3");
    CHECK(netif_is_member(&eth, &group));
    socket_close(other); /* leaves for it */
    CHECK(!netif_is_member(&eth, &group));
    CHECK(strstr(describe(said()), "igmp v3 record 3 239.1.2.3") != NULL);
    stop();
}

static void test_membership_limits(void)
{
    start();
    for (unsigned i = 0; i < 8; i++) {
        char group[20];
        snprintf(group, sizeof group, "239.1.2.%u", i);
        CHECK(join(udp, group, "0.0.0.0", true) == 0);
    }
    CHECK(join(udp, "239.1.3.1", "0.0.0.0", true) == -ENOBUFS);
    while (said())
        ;
    stop();
}

/* --- dual stack (RFC 3493) --- */

static void test_mapped_addresses(void)
{
    struct endpoint end;
    char text[IP_TEXT_MAX];
    start();
    struct socket *six = open_socket(IP_V6, SOCKET_DATAGRAM, 0);
    CHECK(bind_to(six, "::", 7000) == 0);
    CHECK(bind_to(udp, "0.0.0.0", 7000) == -EADDRINUSE);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "four"));
    received(six, "::ffff:10.0.0.2:9 four");
    CHECK(send_text(six, "::ffff:10.0.0.2", 9, "x") == 1);
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 x");
    CHECK(send_text(six, "10.0.0.2", 9, "x") == -EAFNOSUPPORT);
    CHECK(connect_to(six, "::ffff:10.0.0.2", 9) == 0);
    CHECK(socket_peer(six, &end) == 0);
    CHECK(strcmp(ip_format(&end.address, text), "::ffff:10.0.0.2") == 0);
    socket_local(six, &end);
    CHECK(strcmp(ip_format(&end.address, text), "::ffff:10.0.0.1") == 0);
    struct socket *only = open_socket(IP_V6, SOCKET_DATAGRAM, 0);
    CHECK(set_int(only, LEVEL_IPV6, OPTION_IPV6_V6ONLY, 1) == 0);
    CHECK(bind_to(only, "::", 7001) == 0);
    CHECK(set_int(only, LEVEL_IPV6, OPTION_IPV6_V6ONLY, 0) == -EINVAL); /* too late */
    CHECK(bind_to(udp, "0.0.0.0", 7001) == 0);
    CHECK(connect_to(only, "::ffff:10.0.0.2", 9) == -ENETUNREACH);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7001, "four"));
    received(only, "-11");
    received(udp, "10.0.0.2:9 four");
    stop();
}

static void test_over_ipv6(void)
{
    start();
    struct socket *six = open_socket(IP_V6, SOCKET_DATAGRAM, 0);
    CHECK(bind_to(six, "::1", 7000) == 0);
    CHECK(send_text(six, "::1", 7000, "six") == 3);
    pass(0);
    received(six, "::1:7000 six");
    /* A membership that the end of the stack finds. */
    uint8_t request[20] = {0xff, 2, [15] = 9, [16] = 0};
    const int index = eth.index;
    memcpy(request + 16, &index, sizeof index);
    CHECK(socket_set_option(six, LEVEL_IPV6, OPTION_IPV6_ADD_MEMBERSHIP, request, 20) == 0);
    stop();
}

/* --- options and shutdown --- */

static void test_options(void)
{
    char name[16];
    size_t size = sizeof name;
    start();
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_TYPE) == SOCKET_DATAGRAM);
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_DOMAIN) == IP_V4);
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_PROTOCOL) == PROTOCOL_UDP);
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_ACCEPTCONN) == 0);
    CHECK(set_int(udp, LEVEL_SOCKET, OPTION_TYPE, 1) == -ENOPROTOOPT);
    CHECK(get_int(udp, LEVEL_SOCKET, 12345) == -ENOPROTOOPT);
    CHECK(set_int(udp, LEVEL_TCP, OPTION_TCP_NODELAY, 1) == -ENOPROTOOPT);
    CHECK(set_int(udp, LEVEL_SOCKET, OPTION_RCVBUF, 1) == 0);
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_RCVBUF) == 2048);
    CHECK(set_int(udp, LEVEL_SOCKET, OPTION_RCVBUF, 0x7fffffff) == 0);
    CHECK(get_int(udp, LEVEL_SOCKET, OPTION_RCVBUF) == 4 << 20);
    CHECK(set_int(udp, LEVEL_IP, OPTION_IP_TTL, 0) == -EINVAL);
    CHECK(set_int(udp, LEVEL_IP, OPTION_IP_TTL, 256) == -EINVAL);
    CHECK(get_int(udp, LEVEL_IP, OPTION_IP_TTL) == 64);
    CHECK(set_int(udp, LEVEL_IP, OPTION_IP_TTL, 9) == 0);
    CHECK(set_int(udp, LEVEL_IP, OPTION_IP_MTU_DISCOVER, 9) == -EINVAL);
    send_text(udp, "10.0.0.2", 9, "x");
    CHECK(strncmp(describe(said()), "10.0.0.1 > 10.0.0.2 ttl 9 df", 28) == 0);
    CHECK(set_int(udp, LEVEL_IP, OPTION_IP_TTL, -1) == 0);
    CHECK(get_int(udp, LEVEL_IP, OPTION_IP_TTL) == 64);
    CHECK(get_int(udp, LEVEL_IP, OPTION_IP_MTU) == -ENOTCONN);
    CHECK(connect_to(udp, "10.0.0.2", 9) == 0);
    CHECK(get_int(udp, LEVEL_IP, OPTION_IP_MTU) == 1500);
    CHECK(socket_set_option(udp, LEVEL_SOCKET, OPTION_REUSEADDR, name, 3) == -EINVAL);
    CHECK(socket_set_option(udp, LEVEL_SOCKET, OPTION_BINDTODEVICE, "eth9", 4) == -ENODEV);
    CHECK(socket_set_option(udp, LEVEL_SOCKET, OPTION_BINDTODEVICE, "lo", 3) == 0);
    CHECK(socket_get_option(udp, LEVEL_SOCKET, OPTION_BINDTODEVICE, name, &size) == 0);
    CHECK(size == 3 && strcmp(name, "lo") == 0);
    CHECK(socket_listen(udp, 1) == -EOPNOTSUPP && socket_accept(udp, NULL) == -EOPNOTSUPP);
    stop();
}

static void test_shutdown(void)
{
    start();
    CHECK(socket_shutdown(udp, true, true) == -ENOTCONN);
    CHECK(connect_to(udp, "10.0.0.2", 9) == 0);
    CHECK(socket_shutdown(udp, false, true) == 0);
    CHECK(send_text(udp, NULL, 0, "x") == -EPIPE);
    CHECK(socket_shutdown(udp, true, false) == 0);
    char byte;
    CHECK(socket_receive_memory(udp, &byte, 1, &(struct socket_message){0}) == 0);
    CHECK(socket_ready(udp) & SOCKET_HANGUP);
    stop();
}

static void count_socket(void *context, const struct socket_facts *facts)
{
    unsigned *counts = context;
    counts[facts->type]++;
    counts[0] += facts->receive_queue;
}

static void test_list(void)
{
    unsigned counts[4] = {0};
    start();
    open_socket(IP_V6, SOCKET_DATAGRAM, 0);
    open_socket(IP_V4, SOCKET_RAW, 1);
    CHECK(bind_to(udp, "0.0.0.0", 7000) == 0);
    hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "hello"));
    socket_list(stack, count_socket, counts);
    CHECK(counts[SOCKET_DATAGRAM] == 2 && counts[SOCKET_RAW] == 1 && counts[0] == 5);
    stop();
}

/* --- raw --- */

static void test_raw_receives(void)
{
    uint8_t bytes[100];
    struct socket_message message = {0};
    start();
    struct socket *raw = open_socket(IP_V4, SOCKET_RAW, PROTOCOL_ICMP);
    struct socket *other = open_socket(IP_V4, SOCKET_RAW, 99);
    hear(icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 1, "abc", 3));
    expect("10.0.0.1 > 10.0.0.2 icmp 0/0 1 +3"); /* it is answered all the same */
    CHECK(socket_receive_memory(raw, bytes, sizeof bytes, &message) == 20 + 8 + 3);
    CHECK(bytes[0] == 0x45 && bytes[9] == 1 && bytes[20] == 8 && bytes[28] == 'a');
    CHECK(message.peer.port == 0 && message.peer.address.bytes[3] == 2);
    hear(ipv4_frame(&(struct ipv4_test){.protocol = 99, .payload = "abcd", .length = 4}));
    expect_silence(); /* somebody wants it: no "protocol unreachable" */
    CHECK(socket_receive_memory(other, bytes, sizeof bytes, &message) == 24);
    CHECK(bind_to(other, "127.0.0.1", 0) == 0);
    hear(ipv4_frame(&(struct ipv4_test){.protocol = 99, .payload = "abcd", .length = 4}));
    expect("10.0.0.1 > 10.0.0.2 icmp 3/2 0 +24");
    received(other, "-11");
    received(raw, "-11");
    /* Fragments arrive as one, under a header of the whole. */
    hear(ipv4_frame(
        &(struct ipv4_test){.protocol = 1, .fragment = 1, .payload = "12345678", .length = 8}));
    hear(ipv4_frame(&(struct ipv4_test){
        .protocol = 1, .fragment = 0x2000, .payload = "abcdefgh", .length = 8}));
    CHECK(socket_receive_memory(raw, bytes, sizeof bytes, &message) == 36);
    CHECK(bytes[3] == 36 && bytes[6] == 0 && bytes[7] == 0);
    stop();
}

static void test_raw_sends(void)
{
    start();
    struct socket *raw = open_socket(IP_V4, SOCKET_RAW, 99);
    CHECK(send_text(raw, NULL, 0, "x") == -EDESTADDRREQ);
    CHECK(send_text(raw, "10.0.0.2", 0, "hello") == 5);
    expect("10.0.0.1 > 10.0.0.2 protocol 99 +5");
    set_int(raw, LEVEL_IP, OPTION_IP_TTL, 3);
    CHECK(connect_to(raw, "10.0.0.2", 0) == 0 && send_text(raw, NULL, 0, "hi") == 2);
    expect("10.0.0.1 > 10.0.0.2 ttl 3 protocol 99 +2");
    CHECK(send_text(raw, "10.0.0.255", 0, "x") == -EACCES);
    /* An error that quotes less than 8 bytes is about nobody (RFC 792). */
    send_text(raw, NULL, 0, "12345678");
    const uint8_t *quoted = said()->bytes + 14;
    hear(icmp_frame("10.0.0.2", "10.0.0.1", 3, 2, 0, quoted, 27));
    received(raw, "-11");
    hear(icmp_frame("10.0.0.2", "10.0.0.1", 3, 2, 0, quoted, 28));
    received(raw, "-92"); /* ENOPROTOOPT */
    stop();
}

static void test_header_included(void)
{
    uint8_t packet[24] = {0x45, 0, 0, 0, 0, 0, 0, 0, 7,   99,  0,   0,
                          0,    0, 0, 0, 9, 9, 9, 9, 'd', 'a', 't', 'a'};
    struct socket_message message = {.peer = endpoint("10.0.0.2", 0)};
    start();
    struct socket *raw = open_socket(IP_V4, SOCKET_RAW, 255);
    CHECK(get_int(raw, LEVEL_IP, OPTION_IP_HDRINCL) == 1);
    CHECK(socket_send_memory(raw, packet, sizeof packet, &message) == sizeof packet);
    expect("10.0.0.1 > 10.0.0.2 ttl 7 protocol 99 +4");
    memcpy(packet + 12, "\10\10\10\10", 4);
    message.peer = endpoint("10.0.0.2", 0);
    CHECK(socket_send_memory(raw, packet, sizeof packet, &message) == -EADDRNOTAVAIL);
    memset(packet + 12, 0, 4);
    for (size_t length = 0; length < 20; length++)
        CHECK(socket_send_memory(raw, packet, length, &message) == -EINVAL);
    packet[0] = 0x44;
    CHECK(socket_send_memory(raw, packet, sizeof packet, &message) == -EINVAL);
    packet[0] = 0x4f;
    CHECK(socket_send_memory(raw, packet, sizeof packet, &message) == -EINVAL);
    CHECK(pool.in_use == 0);
    stop();
}

static void test_raw_queue_is_bounded(void)
{
    start();
    struct socket *raw = open_socket(IP_V4, SOCKET_RAW, 99);
    set_int(raw, LEVEL_SOCKET, OPTION_RCVBUF, 4 * PACKET_SIZE);
    for (unsigned i = 0; i < 10; i++)
        hear(ipv4_frame(&(struct ipv4_test){.protocol = 99, .payload = "abcd", .length = 4}));
    CHECK(pool.in_use == 4 && stack->counters.raw_in == 4 && stack->counters.raw_queue_full == 6);
    stop();
}

static const struct test tests[] = {
    {"UDP length below 8 or past the packet", test_lengths},
    {"checksum, and none", test_checksum},
    {"checksum offload", test_checksum_offload},
    {"port unreachable", test_no_port},
    {"truncation and peek", test_truncation_and_peek},
    {"what receive tells", test_receive_facts},
    {"the best match gets it", test_best_match},
    {"connected", test_connected},
    {"unconnected sockets hear no errors", test_unconnected_hears_no_errors},
    {"bind", test_bind},
    {"predictable ports", test_ephemeral_ports},
    {"the last free port is found", test_last_port},
    {"socket limits", test_socket_limits},
    {"a socket's queue is bounded", test_queue_is_bounded},
    {"all queues leave packets for the others", test_queues_leave_packets},
    {"backpressure", test_backpressure},
    {"bad memory", test_bad_memory},
    {"broadcast", test_broadcast},
    {"unspecified source", test_unspecified_source},
    {"multicast", test_multicast},
    {"membership limits", test_membership_limits},
    {"mapped addresses", test_mapped_addresses},
    {"over IPv6", test_over_ipv6},
    {"options", test_options},
    {"shutdown", test_shutdown},
    {"list", test_list},
    {"raw: receives", test_raw_receives},
    {"raw: sends", test_raw_sends},
    {"raw: header included", test_header_included},
    {"raw: the queue is bounded", test_raw_queue_is_bounded},
};

int main(void) { return RUN_TESTS(tests); }
