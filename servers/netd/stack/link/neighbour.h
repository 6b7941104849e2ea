/* The neighbour cache: which link-layer address has the host of an IP address on this link. One
 * for ARP and NDP: the states and times are those of RFC 4861 7.3.2 for both; they differ in the
 * messages that ask and answer.
 *
 * Bounded: config.neighbours entries, NEIGHBOUR_QUEUE packets waiting in each. When all are used,
 * the least recently used entry that nobody needs gives way: one that no packet waits for, and that
 * has not carried traffic in the last seconds. So a flood of addresses replaces its own entries and
 * no others. */
#pragma once

#include "../address.h"
#include "../packet.h"
#include "../timer.h"
#include <stdbool.h>
#include <stdint.h>

struct netif;
struct stack;

#define NEIGHBOUR_QUEUE 4u /* packets that wait for one address; the oldest gives way */

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, /* asked for */
    NEIGHBOUR_REACHABLE,  /* confirmed within the last REACHABLE_TIME */
    NEIGHBOUR_STALE,      /* known, not confirmed; used as it is until somebody needs it */
    NEIGHBOUR_DELAY,      /* used while stale: waits for the transport to confirm it */
    NEIGHBOUR_PROBE,      /* asked by unicast whether it is still there */
    NEIGHBOUR_FAILED,     /* has not answered: packets are refused for a moment */
};

struct neighbour_facts {
    struct netif *netif;
    struct ip_address address;
    uint8_t mac[MAC_SIZE];
    enum neighbour_state state;
    unsigned waiting; /* packets */
};

int neighbours_create(struct stack *stack); /* ENOMEM */
void neighbours_destroy(struct stack *stack);

/* neighbour_output: sends an IP packet to a host on the link, when its link-layer address is known;
 * multicast and broadcast addresses are mapped, not asked for. The packet is taken over in any
 * case. 0: sent, or waiting; ENOBUFS: dropped, the device's queue or the table is full;
 * EHOSTUNREACH: the host has not answered just before. */
int neighbour_output(struct netif *netif, const struct ip_address *next_hop, struct packet *packet);

/* What the protocols hear.
 * neighbour_learn: somebody said by the way that address is at mac, in a message that asked us
 * for something (ARP request, RFC 826; the source option of NDP, RFC 4861 7.2.3): the entry is
 * created, or changed, as STALE. neighbour_update: the same where no entry is to be created.
 * neighbour_advertised: an answer (ARP reply; RFC 4861 7.2.5). mac NULL: the message carried none.
 * It never creates an entry: who was not asked is not believed. False if it was ignored. */
void neighbour_learn(struct netif *netif, const struct ip_address *address,
                     const uint8_t mac[MAC_SIZE]);
bool neighbour_update(struct netif *netif, const struct ip_address *address,
                      const uint8_t mac[MAC_SIZE]);
bool neighbour_advertised(struct netif *netif, const struct ip_address *address, const uint8_t *mac,
                          bool solicited, bool override);

/* neighbour_confirm: the transport has heard from it (RFC 4861 7.3.1). */
void neighbour_confirm(struct netif *netif, const struct ip_address *address);

/* neighbour_usable: there is no sign that address does not answer (RFC 4861 6.3.6). */
bool neighbour_usable(const struct netif *netif, const struct ip_address *address);

/* neighbour_flush: forgets all of an interface. */
void neighbour_flush(struct netif *netif);
void neighbour_list(struct stack *stack,
                    void (*visit)(void *context, const struct neighbour_facts *facts),
                    void *context);
