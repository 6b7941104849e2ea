/* A resolver in virtual time, with a test for its servers: what all tests of it share. */
#pragma once

#include "../../test/fake_socket.h"
#include "../resolver.h"
#include "server.h"

#define SECOND 1000000000ull

extern struct dns_resolver *resolver;
extern struct dns_answer got; /* the last answer */
extern unsigned answers;

/* converse: makes the resolver, two servers (192.0.2.1 and .2); conversation_end: unmakes it. */
void converse(const struct dns_config *config, const char *domain);
void conversation_end(void);

/* resolve: asks; the answer goes to `got`. */
int resolve(const char *name, enum dns_type type);
void keep(void *context, const struct dns_answer *answer);
void run_until(uint64_t moment);
void run_for(uint64_t seconds);

/* The last query, and answers to it: reply_* put one together and let it arrive. */
const struct fake_datagram *query(void);
void begin(struct answer *answer, unsigned rcode);
void arrive(const struct answer *answer);
void reply_address(uint8_t last, uint32_t ttl);
void reply_rcode(unsigned rcode);
