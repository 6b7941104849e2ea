/* A wire between two hosts, in virtual time: it has a speed and a length, and it loses, reorders,
 * duplicates, corrupts and delays as it is told, repeatably by seed. */
#pragma once

#include "host.h"

struct wire_quality {
    /* per 1000 segments */
    uint32_t loss, duplication, corruption, reordering;
    uint64_t delay, jitter; /* ns, one way; reordered ones take up to four times as long */
    uint64_t bytes_per_s;   /* 0 = no limit */
    uint32_t queue;         /* segments that wait at most; 0 = no limit */
    bool no_sack, no_timestamps, no_scaling; /* a middlebox takes the option out of SYNs */
    bool offloads;                           /* the devices sum up and cut */
};

struct wire_event {
    uint64_t at, order;
    struct host *from, *to; /* leaves `from` (packet), or arrives at `to` (bytes) */
    struct ip_address source;
    struct packet *packet;
    uint8_t *bytes;
    uint32_t length;
};

struct wire {
    struct host host[2];
    struct wire_quality quality;
    uint64_t now, random, order;
    uint64_t free_at[2]; /* when the transmitter of each host is done */
    uint32_t waiting[2];
    struct wire_event *heap; /* [1 .. count] */
    uint32_t count, capacity;
    uint64_t carried, lost;
};

void wire_start(struct wire *wire, const struct wire_quality *quality, uint64_t seed,
                const struct host_limits *limits);
void wire_stop(struct wire *wire);
/* wire_step: to the next event of wire or hosts; false if there is none before `until`, which it is
 * then. */
bool wire_step(struct wire *wire, uint64_t until);

uint32_t random_below(uint64_t *state, uint32_t limit);
bool random_chance(uint64_t *state, uint32_t per_thousand);
