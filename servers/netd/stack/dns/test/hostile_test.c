/* The resolver against answers as they should not be: forged, malformed, endless. */
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

/* ignored: the answer was as if it had never come, and the right one is still taken. */
static void ignored(const struct answer *answer)
{
    unsigned before = answers;
    uint64_t count = dns_counters(resolver)->ignored;
    arrive(answer);
    CHECK(answers == before && fake_sent == 1 && dns_counters(resolver)->ignored == count + 1);
    reply_address(5, 0);
    CHECK(answers == before + 1 && got.error == 0 && got.addresses[0].bytes[3] == 5);
}

/* nonsense: the next server is asked at once. */
static void nonsense(const struct answer *answer)
{
    arrive(answer);
    CHECK(answers == 0 && fake_sent == 2 && query()->to.address.bytes[3] == 2);
}

static void ask(struct answer *answer)
{
    resolve("www.example", DNS_A);
    begin(answer, 0);
}

static void a_wrong_id(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    answer.bytes[1] ^= 1;
    ignored(&answer);
}

static void a_wrong_port(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    struct endpoint from = query()->to, to = query()->from;
    to.port ^= 1;
    CHECK(!fake_deliver(from, to, answer.bytes, answer.length));
    from.port = 5353;
    CHECK(fake_forge(from, query()->from, answer.bytes, answer.length));
    run_for(0);
    CHECK(answers == 0 && dns_counters(resolver)->ignored == 1);
}

static void a_wrong_sender(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    struct endpoint from = query()->to;
    from.address.bytes[3] = 66;
    CHECK(fake_forge(from, query()->from, answer.bytes, answer.length));
    run_for(0);
    CHECK(answers == 0 && dns_counters(resolver)->ignored == 1);
}

static void a_wrong_question(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    answer.bytes[13] ^= 1; /* xww.example */
    ignored(&answer);
}

static void a_wrong_type_in_the_question(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    answer.bytes[query()->length - 3] = DNS_AAAA;
    ignored(&answer);
}

static void no_question(void)
{
    struct answer answer;
    ask(&answer);
    answer.bytes[5] = 0;
    ignored(&answer);
}

static void two_questions(void)
{
    struct answer answer;
    ask(&answer);
    answer.bytes[5] = 2;
    ignored(&answer);
}

static void a_query_for_an_answer(void)
{
    struct answer answer;
    ask(&answer);
    answer.bytes[2] &= 0x7f;
    ignored(&answer);
}

static void another_opcode(void)
{
    struct answer answer;
    ask(&answer);
    answer.bytes[2] |= 0x28;
    ignored(&answer);
}

static void a_header_cut_off(void)
{
    struct answer answer;
    ask(&answer);
    answer.length = 11;
    ignored(&answer);
}

static void addresses_of_another_name(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, "evil.example", 66, 60);
    arrive(&answer);
    CHECK(answers == 1 && got.error == -ENODATA && got.address_count == 0);
    CHECK(resolve("evil.example", DNS_A) > 0); /* and that is not believed later */
}

/* record_named: an address record whose owner is these bytes, at offset query()->length. */
static void record_named(struct answer *answer, const void *owner, size_t length)
{
    static const uint8_t rest[] = {0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66};
    uint8_t *at = answer->bytes + answer->length;
    at = put_bytes(put_bytes(at, owner, length), rest, sizeof(rest));
    answer->length = (size_t)(at - answer->bytes);
    answer->bytes[7]++;
}

static void a_pointer_to_itself(void)
{
    struct answer answer;
    ask(&answer);
    record_named(&answer, (uint8_t[]){0xc0, (uint8_t)answer.length}, 2);
    nonsense(&answer);
}

static void pointers_in_a_circle(void)
{
    struct answer answer;
    ask(&answer);
    uint8_t here = (uint8_t)answer.length;
    record_named(&answer, (uint8_t[]){1, 'a', 0xc0, (uint8_t)(here + 4), 1, 'b', 0xc0, here}, 8);
    nonsense(&answer);
}

static void a_circle_with_a_label_in_it(void)
{
    struct answer answer;
    ask(&answer);
    record_named(&answer, (uint8_t[]){1, 'a', 0xc0, (uint8_t)answer.length}, 4);
    nonsense(&answer);
}

static void a_pointer_forwards(void)
{
    struct answer answer;
    ask(&answer);
    record_named(&answer, (uint8_t[]){0xc0, (uint8_t)(answer.length + 2)}, 2);
    nonsense(&answer);
}

static void a_pointer_past_the_end(void)
{
    struct answer answer;
    ask(&answer);
    record_named(&answer, (uint8_t[]){0xff, 0xff}, 2);
    nonsense(&answer);
}

static void a_label_longer_than_63(void)
{
    struct answer answer;
    uint8_t owner[70] = {64};
    ask(&answer);
    memset(owner + 1, 'a', 64);
    record_named(&answer, owner, 66);
    nonsense(&answer);
}

static void a_label_of_the_reserved_kinds(void)
{
    struct answer answer;
    ask(&answer);
    record_named(&answer, (uint8_t[]){0x80, 1}, 2);
    nonsense(&answer);
}

static void a_name_longer_than_255(void)
{
    struct answer answer;
    uint8_t owner[5 * 64 + 1] = {0};
    ask(&answer);
    for (unsigned i = 0; i < 4; i++) {
        owner[i * 64] = 63;
        memset(owner + i * 64 + 1, 'a', 63);
    }
    record_named(&answer, owner, 4 * 64 + 1); /* 257 on the wire */
    nonsense(&answer);
}

static void a_name_of_exactly_255(void)
{
    uint8_t owner[255];
    struct answer answer;
    memset(owner, 'a', sizeof(owner));
    owner[0] = owner[64] = owner[128] = 63;
    owner[192] = 61;
    owner[254] = 0;
    ask(&answer);
    record_named(&answer, owner, sizeof(owner));
    answer_address(&answer, NAME_OF_QUESTION, 5, 60);
    arrive(&answer);
    CHECK(answers == 1 && got.error == 0 && got.address_count == 1);
}

static void a_name_made_long_by_pointers(void)
{
    struct answer answer;
    uint8_t owner[300] = {0};
    ask(&answer);
    size_t here = answer.length;
    for (unsigned i = 0; i < 3; i++) {
        owner[i * 64] = 63;
        memset(owner + i * 64 + 1, 'a', 63);
    }
    record_named(&answer, owner, 3 * 64 + 1);
    owner[0] = 63;
    owner[64] = 0xc0;
    owner[65] = (uint8_t)here;
    record_named(&answer, owner, 66); /* 63 + 3 * 63 and more */
    nonsense(&answer);
}

static void characters_that_no_name_has(void)
{
    static const char *const bad[] = {"\3a.b", "\2a\n",  "\3a\0b",    "\2a ",
                                      "\2a\\", "\1\x1b", "\2\xc3\xa4"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct answer answer;
        uint8_t owner[8] = {0};
        conversation_end();
        converse(&usual, NULL);
        memcpy(owner, bad[i], 1u + (uint8_t)bad[i][0]);
        ask(&answer);
        record_named(&answer, owner, 2u + (uint8_t)bad[i][0]);
        nonsense(&answer);
    }
}

static void a_count_past_the_data(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    answer.bytes[6] = 0xff;
    nonsense(&answer);
}

static void authorities_past_the_data_are_not_kept(void)
{
    struct answer answer;
    resolve("www.example", DNS_A);
    begin(&answer, 3);
    answer.bytes[8] = 0xff;
    arrive(&answer);
    CHECK(answers == 1 && got.error == -ENOENT && got.ttl == 0);
}

static void an_rdlength_past_the_data(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    answer.bytes[answer.length - 5] = 5;
    nonsense(&answer);
}

static void an_address_of_a_wrong_length(void)
{
    for (size_t length = 0; length < 20; length++) {
        struct answer answer;
        uint8_t data[20] = {0};
        if (length == 4)
            continue;
        conversation_end();
        converse(&usual, NULL);
        ask(&answer);
        answer_record(&answer, SECTION_ANSWER, NAME_OF_QUESTION, DNS_A, 60, data, length);
        nonsense(&answer);
    }
}

static void an_alias_with_bytes_behind_its_name(void)
{
    struct answer answer;
    resolve("www.example", DNS_CNAME);
    begin(&answer, 0);
    answer_record(&answer, SECTION_ANSWER, NAME_OF_QUESTION, DNS_CNAME, 60, "\1a\0\0", 4);
    nonsense(&answer);
}

static void aliases_in_a_circle(void)
{
    struct answer answer;
    ask(&answer);
    answer_alias(&answer, "www.example", "b.example", 60);
    answer_alias(&answer, "b.example", "www.example", 60);
    nonsense(&answer);
    for (unsigned i = 0; i < 5; i++) {
        begin(&answer, 0);
        answer_alias(&answer, "www.example", "www.example", 60);
        arrive(&answer);
    }
    CHECK(answers == 1 && got.error == -EPROTO);
}

static void a_chain_of_too_many_aliases(void)
{
    struct answer answer;
    char from[32] = "www.example", to[32];
    ask(&answer);
    for (unsigned i = 0; i <= DNS_ALIASES_MAX; i++) {
        snprintf(to, sizeof(to), "n%u.example", i);
        answer_alias(&answer, from, to, 60);
        memcpy(from, to, sizeof(from));
    }
    answer_address(&answer, to, 66, 60);
    nonsense(&answer);
}

static void answers_cut_anywhere(void)
{
    struct answer answer;
    ask(&answer);
    answer_alias(&answer, NAME_OF_QUESTION, "b.example", 60);
    answer_address(&answer, "b.example", 66, 60);
    size_t whole = answer.length;
    for (size_t length = 0; length < whole; length++) {
        conversation_end();
        converse(&usual, NULL);
        resolve("www.example", DNS_A);
        memcpy(answer.bytes, query()->bytes, 2);
        answer.length = length;
        arrive(&answer);
        CHECK(answers == 0);
    }
}

static void a_flood_of_guesses(void)
{
    struct answer answer;
    ask(&answer);
    answer_address(&answer, NAME_OF_QUESTION, 66, 60);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 60; i++) {
            put_u16(answer.bytes, (uint16_t)(query()->bytes[0] << 8 | query()->bytes[1]) ^
                                      (uint16_t)(1 + round * 60 + i));
            fake_deliver(query()->to, query()->from, answer.bytes, answer.length);
        }
        uint64_t received = dns_counters(resolver)->received;
        dns_poll(resolver, fake_stack.now);
        CHECK(dns_counters(resolver)->received - received <= 16); /* a poll has an end */
        run_for(0);
    }
    CHECK(answers == 0 && fake_sent == 1);
    reply_address(5, 60);
    CHECK(answers == 1 && got.addresses[0].bytes[3] == 5);
}

static void names_that_are_none(void)
{
    static const char *const bad[] = {"",     ".",     "a..b", ".a",    "a b",       "a\n",
                                      "\xc3", "a\\.b", "a:b",  "a/b c", "1.2.3.4.5!"};
    char label[65 + 1], name[300];
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(resolve(bad[i], DNS_A) == -EINVAL);
    memset(label, 'a', sizeof(label));
    label[64] = '\0';
    CHECK(resolve(label, DNS_A) == -EINVAL);
    label[63] = '\0';
    CHECK(resolve(label, DNS_A) > 0);
    snprintf(name, sizeof(name), "%s.%s.%s.%.61s", label, label, label, label);
    CHECK(strlen(name) == 253 && resolve(name, DNS_A) > 0);
    CHECK(query()->length == 12 + 255 + 4);
    snprintf(name, sizeof(name), "%s.%s.%s.%.62s", label, label, label, label);
    CHECK(resolve(name, DNS_A) == -EINVAL);
    CHECK(resolve("a.example", DNS_SOA) == -EINVAL);
    struct ip_address none = {0};
    CHECK(dns_reverse(resolver, &none, keep, NULL) == -EINVAL);
    CHECK(answers == 0 && fake_sent == 2);
}

/* chi_square: how far counts are from equal; for n kinds about n, give or take sqrt(2 n). */
static double chi_square(const unsigned *counts, unsigned kinds, unsigned total)
{
    double expected = (double)total / kinds, sum = 0;
    for (unsigned i = 0; i < kinds; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

/* Ids and ports of 10,000 questions: evenly spread in their high and low bits, and not a function
 * of those before (the differences are spread as well). */
static void ids_and_ports_cannot_be_predicted(void)
{
    enum { QUESTIONS = 10000, KINDS = 256 };
    static unsigned id_high[KINDS], id_low[KINDS], id_step[KINDS], port_high[KINDS / 2],
        port_low[KINDS], port_step[KINDS];
    uint16_t last_id = 0, last_port = 0;

    for (unsigned i = 0; i < QUESTIONS; i++) {
        int id = resolve("www.example", DNS_A);
        uint16_t query_id = (uint16_t)(query()->bytes[0] << 8 | query()->bytes[1]);
        uint16_t port = query()->from.port;
        dns_cancel(resolver, id);
        id_high[query_id >> 8]++;
        id_low[query_id & 255]++;
        id_step[(uint16_t)(query_id - last_id) >> 8]++;
        CHECK(port >= 32768);
        port_high[(port & 0x7fff) >> 8]++;
        port_low[port & 255]++;
        port_step[(uint16_t)((port - last_port) * 2) >> 8]++;
        last_id = query_id;
        last_port = port;
    }
    /* 255 +- 6 standard deviations of 22.6; 127 +- 6 of 16 */
    CHECK(chi_square(id_high, KINDS, QUESTIONS) < 391);
    CHECK(chi_square(id_low, KINDS, QUESTIONS) < 391);
    CHECK(chi_square(id_step, KINDS, QUESTIONS) < 391);
    CHECK(chi_square(port_high, KINDS / 2, QUESTIONS) < 223);
    CHECK(chi_square(port_low, KINDS, QUESTIONS) < 391);
    CHECK(chi_square(port_step, KINDS, QUESTIONS) < 391);
}

int main(void)
{
    RUN(a_wrong_id);
    RUN(a_wrong_port);
    RUN(a_wrong_sender);
    RUN(a_wrong_question);
    RUN(a_wrong_type_in_the_question);
    RUN(no_question);
    RUN(two_questions);
    RUN(a_query_for_an_answer);
    RUN(another_opcode);
    RUN(a_header_cut_off);
    RUN(addresses_of_another_name);
    RUN(a_pointer_to_itself);
    RUN(pointers_in_a_circle);
    RUN(a_circle_with_a_label_in_it);
    RUN(a_pointer_forwards);
    RUN(a_pointer_past_the_end);
    RUN(a_label_longer_than_63);
    RUN(a_label_of_the_reserved_kinds);
    RUN(a_name_longer_than_255);
    RUN(a_name_of_exactly_255);
    RUN(a_name_made_long_by_pointers);
    RUN(characters_that_no_name_has);
    RUN(a_count_past_the_data);
    RUN(authorities_past_the_data_are_not_kept);
    RUN(an_rdlength_past_the_data);
    RUN(an_address_of_a_wrong_length);
    RUN(an_alias_with_bytes_behind_its_name);
    RUN(aliases_in_a_circle);
    RUN(a_chain_of_too_many_aliases);
    RUN(answers_cut_anywhere);
    RUN(a_flood_of_guesses);
    RUN(names_that_are_none);
    RUN(ids_and_ports_cannot_be_predicted);
    return report();
}
