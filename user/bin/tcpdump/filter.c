/* Which frames are wanted: a parser by descent into postfix steps, and a stack of bits. */
#include "filter.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DEPTH_MAX 32 /* of "not" and parentheses; the stack of bits is 64 deep */

struct parser {
    char *const *words;
    unsigned at, count, depth;
    struct filter *filter;
    const char *error;
};

static const char *peek(const struct parser *p) { return p->at < p->count ? p->words[p->at] : ""; }

static bool take_word(struct parser *p, const char *word)
{
    if (p->at == p->count || strcmp(p->words[p->at], word) != 0)
        return false;
    p->at++;
    return true;
}

static void fail(struct parser *p, const char *error)
{
    if (p->error == NULL)
        p->error = error;
}

static void emit(struct parser *p, struct filter_step step)
{
    if (p->filter->count == FILTER_STEPS)
        fail(p, "the expression is too long");
    else
        p->filter->steps[p->filter->count++] = step;
}

static const struct {
    const char *name;
    struct filter_step step;
} names[] = {
    {"arp", {.kind = FILTER_TYPE, .number = TYPE_ARP}},
    {"ip", {.kind = FILTER_TYPE, .number = TYPE_IPV4}},
    {"ip6", {.kind = FILTER_TYPE, .number = TYPE_IPV6}},
    {"tcp", {.kind = FILTER_PROTOCOL, .number = P_TCP}},
    {"udp", {.kind = FILTER_PROTOCOL, .number = P_UDP}},
    {"icmp", {.kind = FILTER_PROTOCOL, .number = P_ICMP}},
    {"icmp6", {.kind = FILTER_PROTOCOL, .number = P_ICMPV6}},
    {"broadcast", {.kind = FILTER_BROADCAST}},
};

static void parse_host(struct parser *p, enum filter_side side)
{
    struct filter_step step = {.kind = FILTER_HOST, .side = (uint8_t)side};
    if (inet_pton(AF_INET, peek(p), step.address) != 1) {
        step.v6 = true;
        if (inet_pton(AF_INET6, peek(p), step.address) != 1) {
            fail(p, "an address is missing");
            return;
        }
    }
    p->at++;
    emit(p, step);
}

static void parse_port(struct parser *p, enum filter_side side)
{
    char *end;
    const char *word = peek(p);
    unsigned long number = strtoul(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || number > 65535) {
        fail(p, "a port's number is missing");
        return;
    }
    p->at++;
    emit(p, (struct filter_step){
                .kind = FILTER_PORT, .side = (uint8_t)side, .number = (uint16_t)number});
}

static void parse_primitive(struct parser *p)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (take_word(p, names[i].name)) {
            emit(p, names[i].step);
            return;
        }
    enum filter_side side = take_word(p, "src")   ? SIDE_SOURCE
                            : take_word(p, "dst") ? SIDE_DESTINATION
                                                  : SIDE_ANY;
    if (take_word(p, "port"))
        parse_port(p, side);
    else if (take_word(p, "host") || side != SIDE_ANY)
        parse_host(p, side);
    else
        fail(p, "not understood");
}

static void parse_expression(struct parser *p);

static void parse_term(struct parser *p)
{
    if (p->error != NULL)
        return;
    if (++p->depth > DEPTH_MAX) {
        fail(p, "too deep");
    } else if (take_word(p, "not") || take_word(p, "!")) {
        parse_term(p);
        emit(p, (struct filter_step){.kind = FILTER_NOT});
    } else if (take_word(p, "(")) {
        parse_expression(p);
        if (!take_word(p, ")"))
            fail(p, "\")\" is missing");
    } else {
        parse_primitive(p);
    }
    p->depth--;
}

static void parse_expression(struct parser *p)
{
    parse_term(p);
    while (p->error == NULL) {
        bool both = take_word(p, "and") || take_word(p, "&&");
        if (!both && !take_word(p, "or") && !take_word(p, "||"))
            return;
        parse_term(p);
        emit(p, (struct filter_step){.kind = both ? FILTER_AND : FILTER_OR});
    }
}

const char *filter_compile(char *const *words, unsigned count, struct filter *filter,
                           const char **problem)
{
    struct parser p = {.words = words, .count = count, .filter = filter};
    filter->count = 0;
    if (count > 0)
        parse_expression(&p);
    if (p.at < p.count)
        fail(&p, "not understood");
    *problem = peek(&p);
    return p.error;
}

/* --- matching --- */

static bool same_address(const struct filter_step *step, const struct frame *frame,
                         const uint8_t *address)
{
    return memcmp(step->address, address, frame->v6 ? 16 : 4) == 0;
}

static bool matches_host(const struct filter_step *step, const struct frame *frame)
{
    if (!frame->has_addresses || frame->v6 != step->v6)
        return false;
    return (step->side != SIDE_DESTINATION && same_address(step, frame, frame->source)) ||
           (step->side != SIDE_SOURCE && same_address(step, frame, frame->destination));
}

static bool matches_port(const struct filter_step *step, const struct frame *frame)
{
    return frame->has_ports &&
           ((step->side != SIDE_DESTINATION && frame->source_port == step->number) ||
            (step->side != SIDE_SOURCE && frame->destination_port == step->number));
}

static bool is_broadcast(const struct frame *frame)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return frame->destination_mac != NULL && memcmp(frame->destination_mac, all, 6) == 0;
}

static bool matches(const struct filter_step *step, const struct frame *frame)
{
    switch (step->kind) {
    case FILTER_TYPE:
        return frame->type == step->number;
    case FILTER_PROTOCOL:
        return frame->type != TYPE_ARP && frame->has_addresses && frame->protocol == step->number;
    case FILTER_HOST:
        return matches_host(step, frame);
    case FILTER_PORT:
        return matches_port(step, frame);
    default:
        return is_broadcast(frame);
    }
}

bool filter_matches(const struct filter *filter, const struct frame *frame)
{
    uint64_t bits = 1; /* the last pushed is bit 0; an empty filter wants everything */
    for (unsigned i = 0; i < filter->count; i++) {
        const struct filter_step *step = &filter->steps[i];
        if (step->kind == FILTER_NOT)
            bits ^= 1;
        else if (step->kind == FILTER_AND)
            bits = (bits >> 1 & ~1ull) | (bits >> 1 & bits & 1);
        else if (step->kind == FILTER_OR)
            bits = bits >> 1 | (bits & 1);
        else
            bits = bits << 1 | matches(step, frame);
    }
    return bits & 1;
}
