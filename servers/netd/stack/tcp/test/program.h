/* Two programs that talk over a wire: each sends a stream, says that it is done, and reads the
 * other's to the end. They act only when they are told that it is worth it, so a lost notification
 * shows as a stall. */
#pragma once

#include "wire.h"

struct program {
    struct wire *wire;
    struct socket *socket;
    uint64_t to_send, sent, received;
    uint32_t chunk;   /* octets per call, at most; 0 = as many as there are */
    uint64_t pause;   /* ns that it may rest between reads; 0 = never */
    uint64_t wake_at; /* resting until then */
    uint64_t read_at; /* when something was read last */
    uint64_t random;
    bool woken, done_sending, end_seen, closed;
    int error;
};

struct conversation {
    struct wire wire;
    struct program client, server;
    struct socket *listener;
    uint64_t progress_at; /* when one of them read something last */
    uint64_t begun;
};

/* conversation_start: the client connects; options have been set by `prepare` on both sockets (the
 * server's: the listener). */
void conversation_start(struct conversation *conversation, const struct wire_quality *quality,
                        uint64_t seed, const struct host_limits *limits,
                        void (*prepare)(struct conversation *conversation, struct socket *socket));
/* conversation_run: until both have closed. False: nothing has moved for so long. check is called
 * after every event. */
bool conversation_run(struct conversation *conversation, uint64_t patience,
                      void (*check)(struct conversation *conversation));
/* conversation_stop: lets TIME-WAIT pass. */
void conversation_stop(struct conversation *conversation);
