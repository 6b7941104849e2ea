/* Who wants to be pulsed when a socket becomes ready: once (FS_POLL), or each time
 * (NET_SUBSCRIBE_EVENTS). A process that waits for many sockets gives the same channel to each, so
 * channels are kept once, however many pollers use them. */
#pragma once

#include "abi/handle.h"
#include <stdbool.h>
#include <stdint.h>

#define POLLERS_MAX      8192
#define POLLERS_A_SOCKET 8

struct poll_channel;
struct poller {
    struct poller *next;
    struct poll_channel *channel;
    uint64_t bits;
    uint32_t events;
    bool standing; /* stays until it is taken back */
};

/* poller_add: takes over the handle on success. In place of a standing one with the same channel;
 * together with one that is not standing. If there are too many, in place of the oldest, which is
 * pulsed. -EINVAL: it cannot be pulsed; -ENOBUFS. */
int poller_add(struct poller **list, handle_t channel, uint32_t events, uint64_t bits,
               bool standing);

/* pollers_pulse: pulses those that wait for one of the events that are ready; of the standing ones,
 * those that wait for one of `changed`. */
void pollers_pulse(struct poller **list, uint32_t ready, uint32_t changed);
void pollers_clear(struct poller **list);

/* pollers_unsubscribe: takes back the standing ones. */
void pollers_unsubscribe(struct poller **list);
