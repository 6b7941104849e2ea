/* The resolver as it should be: questions, servers that do not answer, the cache, aliases, TCP. */
#include "check.h"
#include "conversation.h"

#include <errno.h>

static const struct dns_config usual;

#define RUN(test)                                                                                  \
    do {                                                                                           \
        converse(&usual, NULL);                                                                    \
        test();                                                                                    \
        conversation_end();                                                                        \
        CHECK(fake_open_sockets() == 0);                                                           \
    } while (0)

static bool is_address(unsigned index, uint8_t last)
{
    struct ip_address wanted = ip_v4(192, 0, 2, last);
    return ip_equal(&got.addresses[index], &wanted);
}

static void a_question_and_its_answer(void)
{
    static const uint8_t question[] = "\3www\7example\0\0\1\0\1";
    struct answer answer;

    CHECK(resolve("WWW.Example.", DNS_A) > 0);
    const struct fake_datagram *q = query();
    CHECK(fake_sent == 1 && q->to.port == 53 && q->to.address.bytes[3] == 1);
    CHECK(q->length == 12 + sizeof(question) - 1);
    CHECK(memcmp(q->bytes + 12, question, sizeof(question) - 1) == 0);
    CHECK(memcmp(q->bytes + 2, "\1\0\0\1\0\0\0\0\0\0", 10) == 0);
    CHECK(dns_deadline(resolver) == fake_stack.now + 2 * SECOND);

    begin(&answer, 0);
    answer_address(&answer, NAME_OF_QUESTION, 10, 300);
    answer_address(&answer, NAME_OF_QUESTION, 11, 200);
    arrive(&answer);
    CHECK(answers == 1 && got.error == 0 && got.address_count == 2 && got.ttl == 200);
    CHECK(is_address(0, 10) && is_address(1, 11) && strcmp(got.name, "www.example") == 0);
    CHECK(dns_deadline(resolver) == 0 && fake_open_sockets() == 0);
}

static void an_ipv6_address(void)
{
    struct answer answer;
    uint8_t bytes[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
    resolve("six.example", DNS_AAAA);
    begin(&answer, 0);
    answer_record(&answer, SECTION_ANSWER, NAME_OF_QUESTION, DNS_AAAA, 60, bytes, 16);
    arrive(&answer);
    CHECK(got.error == 0 && got.address_count == 1 && got.addresses[0].family == IP_V6);
    CHECK(memcmp(got.addresses[0].bytes, bytes, 16) == 0);
}

static void the_name_of_an_address(void)
{
    struct ip_address four = ip_v4(192, 0, 2, 99), six;
    struct answer answer;
    uint8_t name[] = "\4host\7EXAMPLE";

    CHECK(dns_reverse(resolver, &four, keep, NULL) > 0);
    CHECK(memcmp(query()->bytes + 12,
                 "\2"
                 "99\1"
                 "2\1"
                 "0\3"
                 "192\7in-addr\4arpa",
                 25) == 0);
    begin(&answer, 0);
    answer_record(&answer, SECTION_ANSWER, NAME_OF_QUESTION, DNS_PTR, 60, name, sizeof(name));
    arrive(&answer);
    CHECK(got.error == 0 && strcmp(got.name, "host.example") == 0);

    CHECK(ip_parse("2001:db8::1", &six));
    CHECK(dns_reverse(resolver, &six, keep, NULL) > 0);
    CHECK(memcmp(query()->bytes + 12,
                 "\1"
                 "1\1"
                 "0\1"
                 "0",
                 6) == 0 &&
          query()->length == 12 + 74 + 4);
}

static void aliases_are_followed_in_any_order(void)
{
    struct answer answer;
    resolve("a.example", DNS_A);
    begin(&answer, 0);
    answer_address(&answer, "c.example", 3, 500);
    answer_alias(&answer, "b.example", "c.example", 90);
    answer_alias(&answer, "a.example", "b.example", 400);
    answer_address(&answer, "d.example", 4, 500);
    arrive(&answer);
    CHECK(got.error == 0 && got.address_count == 1 && is_address(0, 3) && got.ttl == 90);
    CHECK(strcmp(got.name, "c.example") == 0);
}

static void an_alias_may_be_asked_for(void)
{
    struct answer answer;
    resolve("a.example", DNS_CNAME);
    begin(&answer, 0);
    answer_alias(&answer, "a.example", "b.example", 90);
    arrive(&answer);
    CHECK(got.error == 0 && strcmp(got.name, "b.example") == 0);
}

static void silence_is_asked_again_at_the_other_server(void)
{
    uint64_t start = fake_stack.now;
    static const unsigned waits[] = {2, 4, 8, 12, 20, 28}; /* 2 2, 4 4, 8 8 */

    resolve("a.example", DNS_A);
    for (unsigned i = 0; i < 6; i++) {
        CHECK(fake_sent == i + 1 && query()->to.address.bytes[3] == 1 + i % 2);
        run_until(start + waits[i] * SECOND - 1);
        CHECK(fake_sent == i + 1 && answers == 0);
        run_until(start + waits[i] * SECOND);
    }
    CHECK(answers == 1 && got.error == -ETIMEDOUT && fake_sent == 6);
    CHECK(dns_counters(resolver)->timeouts == 6);
    CHECK(query()->bytes[0] != fake_sent_data(1)->bytes[0] ||
          query()->bytes[1] != fake_sent_data(1)->bytes[1]);
    CHECK(query()->from.port != fake_sent_data(1)->from.port);
}

static void a_server_that_fails_makes_room_for_the_next_at_once(void)
{
    resolve("a.example", DNS_A);
    reply_rcode(2);
    CHECK(fake_sent == 2 && query()->to.address.bytes[3] == 2);
    reply_address(5, 60);
    CHECK(got.error == 0 && is_address(0, 5));
}

static void all_servers_fail(void)
{
    resolve("a.example", DNS_A);
    for (unsigned i = 0; i < 6; i++)
        reply_rcode(5);
    CHECK(answers == 1 && got.error == -EAGAIN && fake_sent == 6);
    resolve("a.example", DNS_A);
    CHECK(fake_sent == 7); /* not kept */
}

static void no_servers(void)
{
    dns_set_servers(resolver, NULL, 0, NULL);
    CHECK(resolve("a.example", DNS_A) > 0);
    run_for(0);
    CHECK(answers == 1 && got.error == -ENETUNREACH);
}

static void a_socket_that_cannot_be_had(void)
{
    fake_create_error = -ENFILE;
    CHECK(resolve("a.example", DNS_A) > 0);
    run_for(0);
    CHECK(answers == 1 && got.error == -ENFILE && fake_open_sockets() == 0);
    fake_create_error = 0;
    fake_send_error = -ENETUNREACH;
    resolve("a.example", DNS_A);
    run_for(0);
    CHECK(answers == 2 && got.error == -ENETUNREACH && fake_open_sockets() == 0);
    fake_send_error = 0;
    fake_bind_error = -EADDRINUSE;
    resolve("a.example", DNS_A);
    run_for(0);
    CHECK(answers == 3 && got.error == -EADDRINUSE && fake_open_sockets() == 0);
}

static void answers_are_kept_for_their_time(void)
{
    resolve("a.example", DNS_A);
    reply_address(5, 100);
    run_for(40);
    CHECK(resolve("A.example", DNS_A) == 0 && answers == 2 && got.ttl == 60 && is_address(0, 5));
    CHECK(resolve("a.example", DNS_AAAA) > 0); /* another question */
    run_until(fake_stack.now + 60 * SECOND - 1);
    CHECK(resolve("a.example", DNS_A) == 0 && got.ttl == 1);
    run_until(fake_stack.now + 1);
    CHECK(resolve("a.example", DNS_A) > 0);
}

static void nothing_is_kept_for_no_time_or_for_ever(void)
{
    resolve("a.example", DNS_A);
    reply_address(5, 0);
    CHECK(got.error == 0 && resolve("a.example", DNS_A) > 0);
    reply_address(5, 0x80000001); /* RFC 2181 8: as 0 */
    CHECK(resolve("a.example", DNS_A) > 0);
    reply_address(5, 0x7fffffff);
    CHECK(got.ttl == DNS_TTL_MAX && resolve("a.example", DNS_A) == 0);
}

static void absence_is_kept_as_the_soa_says(void)
{
    struct answer answer;
    resolve("no.example", DNS_A);
    begin(&answer, 3);
    answer_soa(&answer, 900, 60);
    arrive(&answer);
    CHECK(got.error == -ENOENT && got.ttl == 60);
    CHECK(resolve("no.example", DNS_A) == 0 && got.error == -ENOENT);
    run_for(60);
    CHECK(resolve("no.example", DNS_A) > 0);

    begin(&answer, 0);
    answer_soa(&answer, 20, 60);
    arrive(&answer);
    CHECK(got.error == -ENODATA && got.ttl == 20);
    run_for(20);
    resolve("no.example", DNS_A);
    begin(&answer, 0);
    answer_soa(&answer, 1000000, 1000000);
    arrive(&answer);
    CHECK(got.error == -ENODATA && got.ttl == DNS_NEGATIVE_MAX);
}

static void absence_without_soa_is_not_kept(void)
{
    resolve("no.example", DNS_A);
    reply_rcode(3);
    CHECK(got.error == -ENOENT && resolve("no.example", DNS_A) > 0);
}

static void literals_and_localhost_need_no_server(void)
{
    CHECK(resolve("192.0.2.9", DNS_A) == 0 && got.error == 0 && is_address(0, 9));
    CHECK(resolve("192.0.2.9", DNS_AAAA) == 0 && got.error == -ENODATA);
    CHECK(resolve("::1", DNS_AAAA) == 0 && got.error == 0 && ip_is_loopback(&got.addresses[0]));
    CHECK(resolve("localhost", DNS_A) == 0 && ip_is_loopback(&got.addresses[0]));
    CHECK(resolve("x.LOCALHOST.", DNS_AAAA) == 0 && got.addresses[0].family == IP_V6);
    struct ip_address loopback = ip_loopback(IP_V6);
    CHECK(dns_reverse(resolver, &loopback, keep, NULL) == 0 && strcmp(got.name, "localhost") == 0);
    CHECK(answers == 6 && fake_sent == 0);
    CHECK(resolve("notlocalhost", DNS_A) > 0 && fake_sent == 1);
}

static unsigned hosts(void *context, const char *name, enum ip_family family,
                      struct ip_address *addresses, unsigned max)
{
    (void)context;
    if (strcmp(name, "printer") != 0 || family != IP_V4 || max < 1)
        return 0;
    addresses[0] = ip_v4(192, 0, 2, 200);
    return 1;
}

static bool hosts_name(void *context, const struct ip_address *address, char name[DNS_NAME_MAX])
{
    (void)context;
    strcpy(name, "printer");
    return address->bytes[3] == 200;
}

static void local_knowledge_comes_first(void)
{
    const struct dns_config config = {.hosts = hosts, .hosts_name = hosts_name};
    struct ip_address address = ip_v4(192, 0, 2, 200);
    conversation_end();
    converse(&config, "example");
    CHECK(resolve("Printer", DNS_A) == 0 && is_address(0, 200));
    CHECK(dns_reverse(resolver, &address, keep, NULL) == 0 && strcmp(got.name, "printer") == 0);
    CHECK(resolve("printer", DNS_AAAA) > 0);
}

static void a_short_name_is_looked_up_in_the_domain_first(void)
{
    conversation_end();
    converse(&usual, "lab.example");
    resolve("www", DNS_A);
    CHECK(memcmp(query()->bytes + 12, "\3www\3lab\7example", 17) == 0);
    reply_rcode(3);
    CHECK(answers == 0 && fake_sent == 2 && memcmp(query()->bytes + 12, "\3www", 5) == 0);
    reply_address(5, 60);
    CHECK(answers == 1 && got.error == 0);
    resolve("www.other", DNS_A);
    CHECK(memcmp(query()->bytes + 12, "\3www\5other", 11) == 0);
    resolve("www.", DNS_A);
    CHECK(answers == 2); /* as it is, and known */
}

static void one_question_is_asked_once_for_all(void)
{
    int first = resolve("a.example", DNS_A), second = resolve("a.example", DNS_A);
    CHECK(first > 0 && second > 0 && first != second && fake_sent == 1);
    CHECK(resolve("a.example", DNS_AAAA) > 0 && fake_sent == 2);
    fake_sent = 1; /* answer the first */
    dns_cancel(resolver, first);
    reply_address(5, 60);
    CHECK(answers == 1 && got.address_count == 1);
}

static void canceled_questions_are_not_answered(void)
{
    int id = resolve("a.example", DNS_A);
    dns_cancel(resolver, id);
    dns_cancel(resolver, id);
    dns_cancel(resolver, 0);
    dns_cancel(resolver, -1);
    CHECK(fake_open_sockets() == 0 && dns_deadline(resolver) == 0);
    run_for(100);
    CHECK(answers == 0);
}

static void too_many_questions(void)
{
    char name[32];
    for (unsigned i = 0; i < 64; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        CHECK(resolve(name, DNS_A) > 0);
    }
    CHECK(resolve("one.too.many", DNS_A) == -ENOBUFS);
    CHECK(fake_open_sockets() == 64);
    run_for(100);
    CHECK(answers == 64 && resolve("one.too.many", DNS_A) > 0);
}

/* ask_again: a callback that asks the same, and another question. */
static unsigned again;
static void ask_again(void *context, const struct dns_answer *answer)
{
    (void)context;
    got = *answer;
    answers++;
    if (again++ == 0) {
        CHECK(dns_resolve(resolver, "a.example", DNS_A, keep, NULL) > 0);
        CHECK(dns_resolve(resolver, "b.example", DNS_A, keep, NULL) > 0);
    }
}

static void callbacks_may_ask(void)
{
    again = 0;
    dns_resolve(resolver, "a.example", DNS_A, ask_again, NULL);
    dns_resolve(resolver, "a.example", DNS_A, ask_again, NULL);
    reply_address(5, 0);
    CHECK(answers == 2 && fake_sent == 3);
    run_for(100);
    CHECK(answers == 4 && got.error == -ETIMEDOUT);
}

static void the_cache_is_bounded_and_forgets_the_least_used(void)
{
    const struct dns_config config = {.cache_entries = 4};
    char name[] = "a.example";
    conversation_end();
    converse(&config, NULL);
    for (name[0] = 'a'; name[0] <= 'd'; name[0]++) {
        resolve(name, DNS_A);
        reply_address(5, 3600);
        run_for(1);
    }
    CHECK(resolve("a.example", DNS_A) == 0);
    resolve("e.example", DNS_A);
    reply_address(5, 3600);
    CHECK(dns_counters(resolver)->cache_evicted == 1);
    CHECK(resolve("a.example", DNS_A) == 0 && resolve("e.example", DNS_A) == 0);
    CHECK(resolve("b.example", DNS_A) > 0);
}

static void other_servers_empty_the_cache(void)
{
    struct endpoint server = {ip_v4(192, 0, 2, 9), 0, 0};
    resolve("a.example", DNS_A);
    reply_address(5, 3600);
    dns_set_servers(resolver, &server, 1, NULL);
    CHECK(resolve("a.example", DNS_A) > 0 && query()->to.address.bytes[3] == 9);
    CHECK(query()->to.port == 53);
}

/* --- TCP --- */

static void truncate_it(void)
{
    struct answer answer;
    begin(&answer, 0);
    answer.bytes[2] |= 2;
    arrive(&answer);
}

/* over_stream: the answer with its length in front, in pieces of one byte. */
static void over_stream(const struct answer *answer)
{
    uint8_t length[2];
    put_u16(length, (uint16_t)answer->length);
    fake_stream_data(length, 2);
    run_for(0);
    for (size_t i = 0; i < answer->length; i++) {
        fake_stream_data(answer->bytes + i, 1);
        run_for(0);
    }
}

static void a_truncated_answer_is_asked_for_over_tcp(void)
{
    struct answer answer;
    uint8_t whole[2 + DNS_QUESTION_MAX];
    size_t length = 0;

    resolve("big.example", DNS_A);
    struct fake_datagram udp = *query();
    truncate_it();
    CHECK(answers == 0 && fake_sent == 1 && fake_open_sockets() == 1);
    CHECK(dns_counters(resolver)->over_tcp == 1);
    fake_stream_piece = 5;
    fake_stream_open(0);
    run_for(0);
    for (unsigned i = fake_sent - 1; i > 0; i--) {
        CHECK(fake_sent_data(i - 1)->type == SOCKET_STREAM);
        memcpy(whole + length, fake_sent_data(i - 1)->bytes, fake_sent_data(i - 1)->length);
        length += fake_sent_data(i - 1)->length;
    }
    CHECK(length == udp.length + 2 && memcmp(whole + 2, udp.bytes, udp.length) == 0);

    answer_begin(&answer, whole + 2, length - 2, 0);
    for (unsigned i = 0; i < 100; i++)
        answer_address(&answer, NAME_OF_QUESTION, (uint8_t)i, 300);
    over_stream(&answer);
    CHECK(answers == 1 && got.error == 0 && got.address_count == DNS_ADDRESSES);
    CHECK(fake_open_sockets() == 0);
}

static void tcp_is_refused(void)
{
    resolve("big.example", DNS_A);
    truncate_it();
    fake_stream_open(-ECONNREFUSED);
    run_for(0);
    CHECK(answers == 0 && query()->to.address.bytes[3] == 2 && query()->type == SOCKET_DATAGRAM);
}

static void tcp_ends_early(void)
{
    resolve("big.example", DNS_A);
    truncate_it();
    fake_stream_open(0);
    run_for(0);
    fake_stream_data("\0\x40\1", 3);
    fake_stream_end();
    run_for(0);
    CHECK(answers == 0 && query()->to.address.bytes[3] == 2);
}

static void tcp_says_nothing(void)
{
    resolve("big.example", DNS_A);
    truncate_it();
    run_for(2);
    CHECK(query()->to.address.bytes[3] == 2 && query()->type == SOCKET_DATAGRAM);
}

static void truncated_over_tcp_too(void)
{
    struct answer answer;
    resolve("big.example", DNS_A);
    begin(&answer, 0);
    answer.bytes[2] |= 2;
    arrive(&answer);
    fake_stream_open(0);
    run_for(0);
    over_stream(&answer);
    CHECK(answers == 0 && query()->to.address.bytes[3] == 2 && query()->type == SOCKET_DATAGRAM);
}

static void a_tcp_answer_longer_than_we_take(void)
{
    resolve("big.example", DNS_A);
    truncate_it();
    fake_stream_open(0);
    run_for(0);
    fake_stream_data("\xff\xff", 2);
    run_for(0);
    CHECK(query()->to.address.bytes[3] == 2 && query()->type == SOCKET_DATAGRAM);
}

static void tcp_places_are_few_and_come_back(void)
{
    char name[] = "a.example";
    for (; name[0] <= 'f'; name[0]++) {
        resolve(name, DNS_A);
        truncate_it();
    }
    CHECK(dns_counters(resolver)->over_tcp == DNS_STREAMS);
    CHECK(fake_open_sockets() == DNS_STREAMS);
    run_for(100);
    CHECK(answers == 6 && fake_open_sockets() == 0);
    resolve("g.example", DNS_A);
    truncate_it();
    CHECK(dns_counters(resolver)->over_tcp == DNS_STREAMS + 1);
}

int main(void)
{
    RUN(a_question_and_its_answer);
    RUN(an_ipv6_address);
    RUN(the_name_of_an_address);
    RUN(aliases_are_followed_in_any_order);
    RUN(an_alias_may_be_asked_for);
    RUN(silence_is_asked_again_at_the_other_server);
    RUN(a_server_that_fails_makes_room_for_the_next_at_once);
    RUN(all_servers_fail);
    RUN(no_servers);
    RUN(a_socket_that_cannot_be_had);
    RUN(answers_are_kept_for_their_time);
    RUN(nothing_is_kept_for_no_time_or_for_ever);
    RUN(absence_is_kept_as_the_soa_says);
    RUN(absence_without_soa_is_not_kept);
    RUN(literals_and_localhost_need_no_server);
    RUN(local_knowledge_comes_first);
    RUN(a_short_name_is_looked_up_in_the_domain_first);
    RUN(one_question_is_asked_once_for_all);
    RUN(canceled_questions_are_not_answered);
    RUN(too_many_questions);
    RUN(callbacks_may_ask);
    RUN(the_cache_is_bounded_and_forgets_the_least_used);
    RUN(other_servers_empty_the_cache);
    RUN(a_truncated_answer_is_asked_for_over_tcp);
    RUN(tcp_is_refused);
    RUN(tcp_ends_early);
    RUN(tcp_says_nothing);
    RUN(truncated_over_tcp_too);
    RUN(a_tcp_answer_longer_than_we_take);
    RUN(tcp_places_are_few_and_come_back);
    return report();
}
