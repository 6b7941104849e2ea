/* Sockets without a stack below them, for tests of what is built on sockets: what is sent is kept
 * for the test to look at, what is received is what the test delivers. */
#pragma once

#include "../netif.h"
#include "../socket.h"
#include "../stack.h"

#define FAKE_SOCKETS  256
#define FAKE_BYTES    2048
#define FAKE_ARRIVALS 64

struct fake_datagram {
    struct endpoint from, to;
    enum socket_type type;
    bool unspecified_source;
    size_t length;
    uint8_t bytes[FAKE_BYTES];
};

/* The stack, its clock and its random numbers (xorshift, from a seed); one interface. */
extern struct stack fake_stack;
extern struct netif fake_netif;
void fake_reset(void);
unsigned fake_open_sockets(void);

/* What has been sent since fake_reset; fake_sent_data(0) is the last one, 1 that before it. */
extern unsigned fake_sent;
const struct fake_datagram *fake_sent_data(unsigned back);

/* fake_deliver: a datagram for whoever is bound to `to.port`; false if nobody is, or (as a stack
 * would do) the socket is connected to somebody else. fake_forge: the same, the peer unchecked. */
bool fake_deliver(struct endpoint from, struct endpoint to, const void *data, size_t length);
bool fake_forge(struct endpoint from, struct endpoint to, const void *data, size_t length);

/* Streams: the last one that was connected. fake_stream_open: the handshake ends, with an error or
 * 0. fake_stream_data: bytes come; fake_stream_end: the peer has closed. */
void fake_stream_open(int error);
void fake_stream_data(const void *data, size_t length);
void fake_stream_end(void);

/* What the next calls return instead; 0 = nothing unusual. */
extern int fake_create_error, fake_bind_error, fake_send_error;
/* Bytes that a stream takes or gives in one call. */
extern size_t fake_stream_piece;
