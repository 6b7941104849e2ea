/* A resolver in virtual time. */
#include "conversation.h"

struct dns_resolver *resolver;
struct dns_answer got;
unsigned answers;

void converse(const struct dns_config *config, const char *domain)
{
    struct endpoint servers[2] = {{ip_v4(192, 0, 2, 1), 53, 0}, {ip_v4(192, 0, 2, 2), 0, 0}};

    fake_reset();
    answers = 0;
    memset(&got, 0, sizeof(got));
    resolver = dns_create(&fake_stack, config);
    dns_set_servers(resolver, servers, 2, domain);
}

void conversation_end(void) { dns_destroy(resolver); }

void keep(void *context, const struct dns_answer *answer)
{
    (void)context;
    got = *answer;
    answers++;
}

int resolve(const char *name, enum dns_type type)
{
    return dns_resolve(resolver, name, type, keep, NULL);
}

void run_until(uint64_t moment)
{
    for (uint64_t next; (next = dns_deadline(resolver)) != 0 && next <= moment;) {
        if (next > fake_stack.now)
            fake_stack.now = next;
        dns_poll(resolver, fake_stack.now);
    }
    fake_stack.now = moment;
}

void run_for(uint64_t seconds) { run_until(fake_stack.now + seconds * SECOND); }

const struct fake_datagram *query(void) { return fake_sent_data(0); }

void begin(struct answer *answer, unsigned rcode)
{
    answer_begin(answer, query()->bytes, query()->length, rcode);
}

void arrive(const struct answer *answer)
{
    fake_deliver(query()->to, query()->from, answer->bytes, answer->length);
    run_until(fake_stack.now);
}

void reply_address(uint8_t last, uint32_t ttl)
{
    struct answer answer;
    begin(&answer, 0);
    answer_address(&answer, NAME_OF_QUESTION, last, ttl);
    arrive(&answer);
}

void reply_rcode(unsigned rcode)
{
    struct answer answer;
    begin(&answer, rcode);
    arrive(&answer);
}
