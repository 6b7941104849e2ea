/* A stack with one Ethernet interface and nothing behind it but the test, in virtual time. The test
 * says what arrives, and reads what was sent as lines of text:
 *
 *     hear(arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.1"));
 *     expect("arp reply 10.0.0.1 is-at 02:00:00:00:00:01 to 10.0.0.2");
 *     expect_silence();
 *
 * IPv6's own traffic (its announcements) is left out unless wire_ipv6 is set. */
#pragma once

#include "../ip.h"
#include "../netif.h"
#include "../socket.h"
#include "../stack.h"
#include "../transfer.h"
#include "../wire/arp.h"
#include "../wire/icmpv4.h"
#include "../wire/ipv4.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

#define WIRE_PACKETS 512u
#define MS           1000000ull
#define SECOND       (1000 * MS)

extern struct stack *stack;
extern struct netif eth;
extern struct packet_pool pool;
extern bool wire_ipv6;
extern bool wire_full;       /* the device takes no more frames */
extern int wire_memory;      /* allocations that succeed; -1: all */
extern int wire_allocations; /* those that have not been released */

extern const uint8_t OUR_MAC[MAC_SIZE], PEER_MAC[MAC_SIZE], OTHER_MAC[MAC_SIZE];

/* wire_start: 10.0.0.1/24 on eth, default route through 10.0.0.254; limits: may be NULL. wire_stop:
 * destroys the stack, and checks that every packet is back in the pool, and all memory freed. */
void wire_start(const struct stack_config *limits);
void wire_stop(void);

/* pass: time goes by; timers expire when they are due. now: stack->now. */
void pass(uint64_t ns);

/* wire_config: what wire_start gives stack_create. */
struct stack_config wire_config(const struct stack_config *limits);

/* --- frames --- */

struct frame {
    size_t length;
    uint8_t bytes[4096]; /* more than Ethernet has: offloads make such */
};

/* hear: arrives; what is longer than a packet, as a chain of them. */
void hear(const struct frame *frame);

struct ip_address address(const char *text);
struct frame *arp_frame(uint16_t operation, const uint8_t sender_mac[MAC_SIZE], const char *sender,
                        const char *target);

/* An IPv4 packet from PEER_MAC. What is 0 or NULL gets the usual value; the rest is as given, right
 * or wrong. */
struct ipv4_test {
    const char *from, *to; /* 10.0.0.2, 10.0.0.1 */
    uint8_t protocol, hop_limit;
    uint16_t identification, fragment; /* the field with its flags */
    const void *options;
    size_t options_length; /* a multiple of 4 */
    const void *payload;
    size_t length;
    uint8_t version_ihl;   /* overrides */
    uint16_t total_length; /* overrides */
    bool bad_checksum;
    bool to_all; /* to the Ethernet broadcast address */
};
struct frame *ipv4_frame(const struct ipv4_test *test);
struct frame *udp_frame(const char *from, uint16_t from_port, const char *to, uint16_t to_port,
                        const char *text);
/* icmp_frame: with its checksum made right. */
struct frame *icmp_frame(const char *from, const char *to, uint8_t type, uint8_t code,
                         uint32_t rest, const void *data, size_t length);

/* --- what was sent --- */

/* said: the oldest frame not looked at yet, or NULL. expect: takes it, and compares its
 * description; text NULL or "" is silence. */
struct frame *said(void);
const char *describe(const struct frame *frame);
#define expect(text)     expect_at(__LINE__, text)
#define expect_silence() expect_at(__LINE__, NULL)
void expect_at(int line, const char *text);

/* know: makes peer's address known without a conversation. */
void know(const char *peer, const uint8_t mac[MAC_SIZE]);

/* --- sockets --- */

struct socket *open_socket(enum ip_family family, enum socket_type type, unsigned protocol);
struct endpoint endpoint(const char *text, uint16_t port);
int64_t send_text(struct socket *socket, const char *to, uint16_t port, const char *text);
/* received_text: "FROM:PORT TEXT", or the error's number as "-11". */
const char *received_text(struct socket *socket);
