/* Fuzz target: answers of any content, over UDP and TCP, to a question whose id and name are put in
 * where the first bit says so. Names and addresses that come out must be such. */
#include "conversation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(void *context, const struct dns_answer *answer)
{
    char text[DNS_NAME_MAX];
    (void)context;
    if (answer->address_count > DNS_ADDRESSES || answer->ttl > DNS_TTL_MAX ||
        memchr(answer->name, 0, DNS_NAME_MAX) == NULL)
        abort();
    if (answer->name[0] != '\0' &&
        (!dns_name_text(answer->name, text) || strcmp(text, answer->name) != 0))
        abort();
}

static void step(struct cursor *input)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_PTR, DNS_CNAME};
    struct answer answer = {.length = 0};
    uint8_t kind = cursor_u8(input);
    size_t length = cursor_u16(input) % FAKE_BYTES;

    dns_resolve(resolver, kind & 2 ? "www.example" : "w", types[kind >> 2 & 3], judge, NULL);
    if (length > cursor_left(input))
        length = cursor_left(input);
    if ((kind & 1) && fake_sent > 0)
        begin(&answer, 0);
    if (kind & 1)
        cursor_bytes(input, answer.bytes + 2, length < 10 ? length : 10); /* flags, counts */
    cursor_bytes(input, answer.bytes + answer.length, length > 10 ? length - 10 : 0);
    answer.length += length;
    if (kind & 16)
        answer.bytes[2] = 0x82; /* truncated */
    if (answer.length < FAKE_BYTES && fake_sent > 0)
        arrive(&answer);
    if ((kind & 32) && dns_counters(resolver)->over_tcp > 0) {
        fake_stream_open(0);
        fake_stream_data(answer.bytes, answer.length);
    }
    fake_stack.now += 1ull << (kind >> 5) * 5;
    dns_poll(resolver, fake_stack.now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dns_config config = {.queries = 8, .cache_entries = 4};
    struct cursor input = cursor_over(data, size);

    converse(&config, "lab");
    for (unsigned i = 0; i < 30 && cursor_left(&input) >= 4; i++)
        step(&input);
    conversation_end();
    return 0;
}
