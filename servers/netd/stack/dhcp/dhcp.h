/* DHCP client for one interface (RFC 2131; options of RFC 2132), on a UDP socket of the stack.
 *
 * It finds out what the interface should be and says so; the owner sets addresses, routes and
 * servers. As in all of the core nothing waits: the owner calls dhcp_poll after stack_poll, at
 * the latest at dhcp_deadline.
 *
 * No server has answered within fallback_after: the owner is given the fallback, and the client
 * goes on asking; a lease that comes later takes its place. */
#pragma once

#include "../address.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netif;
struct socket;
struct stack;

#define DHCP_ROUTERS 4
#define DHCP_SERVERS 4 /* name servers */
#define DHCP_DOMAIN  256
#define DHCP_HOST    64

/* The states of RFC 2131 figure 5. CHECKING: an ACK is here and the address is probed for (4.4.1).
 */
enum dhcp_state {
    DHCP_STOPPED,
    DHCP_INIT, /* waits before it asks (again) */
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_REBOOTING,
    DHCP_CHECKING,
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
};

/* What the interface should be. Times are moments in ns of the stack's clock; 0 = never. */
struct dhcp_lease {
    struct ip_address address; /* family IP_NONE: no configuration, take the last one away */
    uint8_t prefix;            /* bits */
    bool fallback;             /* not from a server */
    uint16_t mtu;              /* 0 = not said */
    struct ip_address server;  /* that has given the lease */
    struct ip_address routers[DHCP_ROUTERS];
    struct ip_address name_servers[DHCP_SERVERS];
    uint8_t router_count, name_server_count;
    char domain[DHCP_DOMAIN]; /* "" = not said */
    uint64_t renew_at, rebind_at, expires_at;
};

struct dhcp_config {
    const struct dhcp_lease *fallback; /* NULL: dhcp_fallback(); stays the caller's */
    uint64_t fallback_after;           /* ns; 0 = 6 s */
    const char *hostname;              /* NULL or "": not told; at most 63 bytes of it are used */

    /* changed: the configuration is another one, or its times are. Called from dhcp_poll,
     * dhcp_conflict and dhcp_stop; may call nothing of the client. */
    void (*changed)(void *context, const struct dhcp_lease *lease);
    /* probe: send an ARP probe for address (RFC 5227 2.1.1). Who hears of another holder, then or
     * later, says so through dhcp_conflict. NULL: addresses are not checked. */
    void (*probe)(void *context, const struct ip_address *address);
    void *context;
};

struct dhcp_counters {
    uint64_t sent, received, ignored; /* ignored: malformed, foreign, or not expected now */
    uint64_t naks, declines, conflicts;
};

/* The structure is the owner's; its fields are for reading, and only for tests and tables. */
struct dhcp_client {
    struct dhcp_config config;
    struct stack *stack;
    struct netif *netif;
    struct socket *socket;
    enum dhcp_state state;
    bool readable;            /* the socket has notified */
    bool configured;          /* `lease` is in force */
    uint8_t attempts;         /* messages of this exchange, or probes */
    uint32_t xid;             /* of this exchange */
    uint64_t now, started;    /* started: of the acquisition, for `secs` */
    uint64_t next;            /* when the state's timer is due; 0 = not at all */
    uint64_t fallback_at;     /* 0 = done, or not wanted */
    uint64_t conflict;        /* when the last one was seen; 0 = never */
    uint64_t requested;       /* when the last REQUEST left: leases count from there */
    struct dhcp_lease lease;  /* in force */
    struct dhcp_lease wanted; /* offered, requested, or being checked */
    struct dhcp_counters counters;
};

/* dhcp_start: asks for an address on netif, whose link is up; config is copied. Errors are those of
 * socket_create and socket_bind. */
int dhcp_start(struct dhcp_client *client, struct stack *stack, struct netif *netif,
               const struct dhcp_config *config);

/* dhcp_stop: gives the lease back (RELEASE), takes the configuration away, closes the socket. */
void dhcp_stop(struct dhcp_client *client);

/* dhcp_poll: reads what has arrived and does what is due. dhcp_deadline: when that will be; 0 =
 * never, a moment in the past = now. */
void dhcp_poll(struct dhcp_client *client, uint64_t now);
uint64_t dhcp_deadline(const struct dhcp_client *client);

/* dhcp_link: the link went down (nothing is sent) or came up, perhaps on another network: the old
 * address is asked for again (INIT-REBOOT, RFC 2131 3.2). */
void dhcp_link(struct dhcp_client *client, bool up, uint64_t now);

/* dhcp_conflict: somebody else uses this address; of no effect if it is not ours. An address that
 * is being checked is declined (RFC 2131 4.4.1). One in use is defended once, by the owner's ARP,
 * and declined when it happens again within 10 s (RFC 5227 2.4 (b)): one forged packet must not
 * cost us the address. */
void dhcp_conflict(struct dhcp_client *client, const struct ip_address *address, uint64_t now);

/* dhcp_fallback: 10.0.2.15/24, router 10.0.2.2, name server 10.0.2.3, what QEMU's user network
 * has. */
const struct dhcp_lease *dhcp_fallback(void);
const char *dhcp_state_name(enum dhcp_state state);
