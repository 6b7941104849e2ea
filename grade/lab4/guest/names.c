/* Works through commands on the real name server, as the host program names.c does on its table:
 * a line of result for each, on standard output. Views are numbered as they are made, 0 is the one
 * that the program was started with. Handle n is the n-th of its channels. */
#include "cairn/names.h"
#include "abi/handle.h"
#include "cairn/syscall.h"
#include "proto/ns.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX  0x10000
#define CHANNELS_MAX 64
#define VIEWS_MAX    16
#define TEXT_MAX     256

static const volatile uint64_t payload[PAYLOAD_MAX / 8] = {0x6461706e72696163, 0x2164616f6c796170};

static struct {
    handle_t handle;
    uint64_t id;
} channels[CHANNELS_MAX];
static handle_t views[VIEWS_MAX];
static unsigned view_count = 1;

struct command {
    long numbers[3];
    char a[TEXT_MAX], b[TEXT_MAX];
    size_t a_len, b_len;
};

/* One request of proto/ns.h on a view; its result. */
static int64_t request(const struct command *c, uint32_t type, uint32_t flags, bool two,
                       handle_t handle, struct message *m)
{
    struct ns_request *r = (struct ns_request *)m->data;
    size_t len = c->a_len + (two ? 1 + c->b_len : 0);
    if (len > sizeof r->text)
        return -1000;
    memset(m, 0, sizeof *m);
    m->type = type;
    m->len = (uint16_t)(offsetof(struct ns_request, text) + len);
    m->handle_count = handle > 0;
    m->handles[0] = handle;
    r->flags = flags;
    r->len = (uint32_t)len;
    memcpy(r->text, c->a, c->a_len);
    if (two) {
        r->text[c->a_len] = '\0';
        memcpy(r->text + c->a_len + 1, c->b, c->b_len);
    }
    long view = c->numbers[0];
    int error = channel_call(view < VIEWS_MAX ? views[view] : 0, m);
    return error ? error : (int64_t)m->words[0];
}

static void print_result(int64_t result)
{
    printf("%lld\n", (long long)result);
}

static void do_register(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_REGISTER, 0, false, channels[c->numbers[1]].handle, &m));
}

static void do_unregister(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_UNREGISTER, 0, false, 0, &m));
}

static void do_alias(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_ALIAS, 0, true, 0, &m));
}

static void do_view(const struct command *c)
{
    struct message m;
    uint32_t flags = (c->numbers[1] ? NS_VIEW_EMPTY : 0) | (c->numbers[2] ? NS_VIEW_READ_ONLY : 0);
    int64_t result = request(c, NS_VIEW, flags, false, 0, &m);
    if (result == 0 && m.handle_count == 1 && view_count < VIEWS_MAX) {
        views[view_count] = m.handles[0];
        result = view_count++;
    }
    print_result(result);
}

static void do_restrict(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_RESTRICT, 0, false, 0, &m));
}

static void do_hide(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_HIDE, 0, false, 0, &m));
}

static void do_bind(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_BIND, 0, false, channels[c->numbers[1]].handle, &m));
}

static void do_rebind(const struct command *c)
{
    struct message m;
    print_result(request(c, NS_REBIND, 0, true, 0, &m));
}

static void do_resolve(const struct command *c)
{
    struct message m;
    const struct ns_resolve_reply *reply = (const struct ns_resolve_reply *)m.data;
    struct handle_info info = {0};
    int64_t result = request(c, NS_RESOLVE, 0, false, 0, &m);
    if (result < 0) {
        print_result(result);
        return;
    }
    unsigned n = 0;
    if (m.handle_count == 1)
        handle_info(m.handles[0], &info);
    while (n < CHANNELS_MAX && channels[n].id != info.id)
        n++;
    printf("%u =", n);
    for (uint32_t i = 0; i < reply->rest_len && i < sizeof reply->rest; i++)
        printf("%02x", (unsigned char)reply->rest[i]);
    printf(" %u %s\n", (unsigned)(reply->matched & ~NS_MATCHED_DEEPER),
           reply->matched & NS_MATCHED_DEEPER ? "deeper" : "final");
    if (m.handle_count == 1)
        handle_close(m.handles[0]);
}

static const struct {
    const char *name;
    unsigned numbers, texts;
    void (*run)(const struct command *command);
} commands[] = {
    {"register", 3, 1, do_register}, {"unregister", 2, 1, do_unregister},
    {"alias", 2, 2, do_alias},       {"resolve", 2, 1, do_resolve},
    {"view", 3, 0, do_view},         {"restrict", 1, 1, do_restrict},
    {"hide", 1, 1, do_hide},         {"bind", 2, 1, do_bind},
    {"rebind", 1, 2, do_rebind},
};

static size_t decode(char *text, const char *hex)
{
    size_t len = 0;
    for (; hex && hex[0] != '-' && hex[0] != '\0' && len < TEXT_MAX; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        text[len++] = (char)strtoul(pair, NULL, 16);
    }
    return len;
}

static void run_line(char *line)
{
    static struct command c;
    const char *name = strtok(line, " ");
    for (size_t i = 0; name && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        for (unsigned n = 0; n < commands[i].numbers; n++)
            c.numbers[n] = atol(strtok(NULL, " "));
        c.a_len = commands[i].texts > 0 ? decode(c.a, strtok(NULL, " ")) : 0;
        c.b_len = commands[i].texts > 1 ? decode(c.b, strtok(NULL, " ")) : 0;
        commands[i].run(&c);
        return;
    }
}

int main(void)
{
    static char text[PAYLOAD_MAX];
    for (size_t i = 0; i < sizeof text / 8; i++)
        ((uint64_t *)text)[i] = payload[i];
    for (unsigned i = 0; i < CHANNELS_MAX; i++) {
        struct handle_info info = {0};
        channels[i].handle = (handle_t)channel_create(0);
        handle_info(channels[i].handle, &info);
        channels[i].id = info.id;
        printf("%llu%c", (unsigned long long)info.id, i + 1 < CHANNELS_MAX ? ' ' : '\n');
    }
    views[0] = namespace_get();
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        run_line(line);
    }
    return 0;
}
