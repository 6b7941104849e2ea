/* What a message carries: data of every length, handles, windows; and what it must not carry:
 * bytes behind its length, and registers that nobody named. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define RIGHTS_CLIENT (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)
#define RW (PROT_READ | PROT_WRITE)

static struct ipc_page *const own_page = (struct ipc_page *)(USER_TOP - PAGE_SIZE);

static handle_t new_channel(void) { return (handle_t)channel_create(0); }
static uint64_t id_of(handle_t handle)
{
    struct handle_info info;
    return handle_info(handle, &info) == 0 ? info.id : 0;
}

/* ---- A server that does what the message says ---- */

enum { ECHO = 1, KEEP, GIVE, IN, OUT };

/* Words of its page: 0 = requests, 1 = dirty bytes found behind messages, 2 = ids of the handles
 * received add up to this, 3 = how many handles, 4.. = the handles themselves. */
static void serve(volatile struct child_page *p)
{
    static uint8_t buffer[3 * PAGE_SIZE];
    struct ipc_page *ipc = (struct ipc_page *)(USER_TOP - PAGE_SIZE);
    struct message m;
    for (;;) {
        memset(ipc->data, 0xee, sizeof(ipc->data));
        int64_t token = channel_recv(p->handles[0], &m, 0);
        if (token <= 0)
            continue;
        p->words[0]++;
        for (unsigned i = m.len < 32 ? 32 : m.len; i < MESSAGE_DATA_MAX; i++)
            p->words[1] += ipc->data[i] != 0xee;
        switch (m.type) {
        case ECHO: /* all bytes inverted */
            for (unsigned i = 0; i < m.len; i++)
                m.data[i] = (uint8_t)~m.data[i];
            break;
        case KEEP:
            p->words[2] = 0;
            p->words[3] = m.handle_count;
            for (unsigned i = 0; i < m.handle_count; i++) {
                p->words[2] += id_of(m.handles[i]);
                p->words[4 + i] = (uint64_t)m.handles[i];
            }
            m.handle_count = 0;
            m.len = 8;
            break;
        case GIVE: /* back what KEEP got: word 0 = how many */
            m.handle_count = (uint8_t)m.words[0];
            for (unsigned i = 0; i < m.handle_count; i++)
                m.handles[i] = (handle_t)p->words[4 + i];
            m.len = 8;
            break;
        case IN: /* word 0 = offset, 1 = length, 2 = window, 3 = the server's address or 0 */
            memset(buffer, 0x11, sizeof(buffer));
            m.words[0] = (uint64_t)copy_in((uint64_t)token, (uint32_t)m.words[2], m.words[0],
                                           m.words[3] ? (void *)m.words[3] : buffer, m.words[1]);
            memcpy(&m.words[1], buffer, 64);
            m.len = 72;
            break;
        case OUT:
            memset(buffer, 0x77, sizeof(buffer));
            m.words[0] = (uint64_t)copy_out((uint64_t)token, (uint32_t)m.words[2], m.words[0],
                                            m.words[3] ? (void *)m.words[3] : buffer, m.words[1]);
            m.len = 8;
            break;
        }
        m.window_count = 0;
        channel_reply((uint64_t)token, &m);
        if (m.type == GIVE) { /* they are gone, even if they could not be sent */
            p->words[3] = 0;
            for (unsigned i = 0; i < m.handle_count; i++)
                p->words[3] += id_of(m.handles[i]) != 0;
            p->words[8]++;
        }
    }
}

static struct child server;
static handle_t service;

static void start_server(void)
{
    service = new_channel();
    child_new(&server, "server", NULL);
    server.page->handles[0] = child_give(&server, service, RIGHT_RECV | RIGHT_SEND);
    child_start(&server, serve, 10);
}

/* ---- Data ---- */

static void test_lengths(void)
{
    unsigned wrong = 0, dirty = 0, first = 999;
    for (unsigned len = 0; len <= MESSAGE_DATA_MAX; len++) {
        struct message m = {.type = ECHO, .len = (uint16_t)len};
        for (unsigned i = 0; i < sizeof(m.data); i++)
            m.data[i] = (uint8_t)(i * 7 + len);
        memset(own_page->data, 0x3c, sizeof(own_page->data));
        int error = channel_call(service, &m);
        bool good = error == 0 && m.len == len;
        for (unsigned i = 0; i < len; i++)
            good = good && m.data[i] == (uint8_t) ~(i * 7 + len);
        if (!good && !wrong++)
            first = len;
        /* Behind the reply's last byte our page is what it was: the last word was ours. */
        for (unsigned i = ((len < 32 ? 32 : len) + 7) & ~7u; i < MESSAGE_DATA_MAX; i++)
            dirty += own_page->data[i] != 0x3c;
    }
    test_case("all-lengths", wrong == 0, "%u are wrong, the first is %u", wrong, first);
    test_case("nothing-behind-a-reply", dirty == 0, "%u bytes", dirty);
    test_case("nothing-behind-a-request", server.page->words[1] == 0, "%lu bytes",
              (unsigned long)server.page->words[1]);
}

/* ---- Handles ---- */

static void call_server(struct message *m, uint32_t type)
{
    m->type = type;
    m->len = 8;
    int error = channel_call(service, m);
    if (error)
        m->words[0] = (uint64_t)(int64_t)error;
}

static void test_handles(void)
{
    for (unsigned n = 0; n <= MESSAGE_HANDLES_MAX; n++) {
        char name[40];
        struct message m = {.handle_count = (uint8_t)n};
        handle_t channels[MESSAGE_HANDLES_MAX];
        uint64_t ids = 0;
        uint32_t before = facts_of(server.process).handles;
        for (unsigned i = 0; i < n; i++) {
            channels[i] = m.handles[i] = new_channel();
            ids += id_of(channels[i]);
        }
        call_server(&m, KEEP);
        uint64_t got = server.page->words[3], got_ids = server.page->words[2];
        snprintf(name, sizeof(name), "call-copies-%u-handles", n);
        uint64_t kept = 0;
        for (unsigned i = 0; i < n; i++)
            kept += id_of(channels[i]);
        test_case(name, got == n && got_ids == ids && kept == ids &&
                            facts_of(server.process).handles == before + n,
                  "%lu arrived, ids %lu of %lu, kept %lu", (unsigned long)got,
                  (unsigned long)got_ids, (unsigned long)ids, (unsigned long)kept);
        uint64_t replies = server.page->words[8];
        m = (struct message){.words = {n}};
        call_server(&m, GIVE);
        word_wait(&server.page->words[8], replies + 1, 2000);
        got_ids = 0;
        for (unsigned i = 0; i < m.handle_count; i++) {
            got_ids += id_of(m.handles[i]);
            handle_close(m.handles[i]);
        }
        snprintf(name, sizeof(name), "reply-moves-%u-handles", n);
        test_case(name, m.handle_count == n && got_ids == ids && server.page->words[3] == 0 &&
                            facts_of(server.process).handles == before,
                  "%u came, ids %lu of %lu, %lu stayed", m.handle_count, (unsigned long)got_ids,
                  (unsigned long)ids, (unsigned long)server.page->words[3]);
        for (unsigned i = 0; i < n; i++)
            handle_close(channels[i]);
    }
}

static void test_same_handle_twice(void)
{
    handle_t channel = new_channel();
    uint32_t before = facts_of(server.process).handles;
    struct message m = {.handle_count = 3, .handles = {channel, channel, channel}};
    call_server(&m, KEEP);
    bool distinct = server.page->words[4] != server.page->words[5] &&
                    server.page->words[5] != server.page->words[6];
    test_case("same-handle-thrice", (int64_t)m.words[0] >= 0 && distinct &&
                                        server.page->words[2] == 3 * id_of(channel) &&
                                        facts_of(server.process).handles == before + 3,
              "ids add up to %lu", (unsigned long)server.page->words[2]);
    /* back: one of them twice in one reply */
    server.page->words[5] = server.page->words[4];
    uint64_t replies = server.page->words[8];
    m = (struct message){.words = {2}};
    call_server(&m, GIVE);
    word_wait(&server.page->words[8], replies + 1, 2000);
    test_case("same-handle-twice-in-a-reply",
              m.handle_count == 2 && m.handles[0] != m.handles[1] &&
                  id_of(m.handles[0]) == id_of(channel) && id_of(m.handles[1]) == id_of(channel) &&
                  server.page->words[3] == 0,
              "%u came, %lu stayed", m.handle_count, (unsigned long)server.page->words[3]);
    handle_close(m.handles[0]);
    handle_close(m.handles[1]);
    handle_close(channel);
}

static void test_rights_travel(void)
{
    handle_t channel = new_channel();
    struct handle_info info = {0};
    unsigned wrong = 0;
    for (uint32_t rights = 0; rights <= RIGHTS_ALL; rights += 37) {
        handle_t part = (handle_t)handle_dup(channel, rights | RIGHT_TRANSFER);
        struct message m = {.handle_count = 1, .handles = {part}};
        call_server(&m, KEEP);
        m = (struct message){.words = {1}};
        call_server(&m, GIVE);
        handle_info(m.handles[0], &info);
        struct handle_info sent = {0};
        handle_info(part, &sent);
        wrong += m.handle_count != 1 || info.rights != sent.rights || info.id != sent.id;
        handle_close(m.handles[0]);
        handle_close(part);
    }
    test_case("rights-travel-unchanged", wrong == 0, "%u are wrong", wrong);
    handle_close(channel);
}

/* A server that answers with the receive handle that it is going to receive on. Words: 0 = what
 * its reply_recv gave, 1 = finished. */
static void give_away(volatile struct child_page *p)
{
    struct message m;
    int64_t token = channel_recv(p->handles[0], &m, 0);
    p->words[2] = 1;
    m.handles[0] = p->handles[0];
    m.handle_count = 1;
    p->words[0] = (uint64_t)channel_reply_recv((uint64_t)token, &m, p->handles[0],
                                               (uint64_t)clock_now() + 50000000);
    p->words[1] = 1;
}
/* Words: 0 = result of its call, 1 = finished, 2 = what it found in its table then. */
static void take_it(volatile struct child_page *p)
{
    struct message m = {.type = 1};
    p->words[0] = (uint64_t)channel_call(p->handles[0], &m);
    p->words[2] = m.handle_count;
    p->words[1] = 1;
    for (;;)
        sleep_until((uint64_t)clock_now() + 10000000);
}

/* The channel goes through itself; with a client that has no room it goes altogether. */
static void test_gives_away(bool room)
{
    struct child giver, taker;
    struct process_quota tight = {.handles = 1};
    handle_t channel = new_channel();
    child_new(&giver, "giver", NULL);
    child_new(&taker, "taker", room ? NULL : &tight);
    giver.page->handles[0] = child_give(&giver, channel, RIGHT_RECV | RIGHT_TRANSFER);
    taker.page->handles[0] = child_give(&taker, channel, RIGHT_SEND);
    handle_close(channel);
    child_start(&giver, give_away, 10);
    child_start(&taker, take_it, 10);
    bool done = word_wait(&giver.page->words[1], 1, 3000) && word_wait(&taker.page->words[1], 1, 3000);
    int64_t called = (int64_t)taker.page->words[0], received = (int64_t)giver.page->words[0];
    test_case(room ? "channel-through-itself" : "channel-through-itself-fails",
              done && received == -EBADF && called == (room ? 0 : -EMFILE) &&
                  taker.page->words[2] == (room ? 1 : 0),
              "the call gave %ld and %lu handles, the receive %ld", (long)called,
              (unsigned long)taker.page->words[2], (long)received);
    child_end(&giver);
    child_end(&taker);
}

static void test_through_itself(void)
{
    struct message m = {.handle_count = 1, .handles = {service}};
    call_server(&m, KEEP);
    test_case("service-through-itself", (int64_t)m.words[0] >= 0 &&
                                            server.page->words[2] == id_of(service),
              "%ld", (long)m.words[0]);
    m = (struct message){.words = {1}};
    call_server(&m, GIVE);
    handle_close(m.handles[0]);
}

/* The handles of a reply leave the server also when nobody takes it. */
static void test_failed_replies(void)
{
    struct puppet client;
    struct message m, reply = {.len = 8, .handle_count = 2};
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHT_SEND), 1, 0);
    puppet_start(&client, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    reply.handles[0] = new_channel();
    reply.handles[1] = (handle_t)handle_mint(channel, RIGHTS_ALL, 99);
    int error = channel_reply((uint64_t)token + 1024, &reply);
    test_case("stale-reply-takes-handles", error == -ESTALE && !id_of(reply.handles[0]) &&
                                               !id_of(reply.handles[1]),
              "reply gave %d", error);
    int64_t told = channel_recv(channel, &m, test_deadline(100));
    test_case("stale-reply-closes-sessions", told == 0 && m.type == MESSAGE_CLOSED && m.badge == 99,
              "recv gave %ld", (long)told);
    handle_t good = new_channel(), kept = (handle_t)handle_dup(good, RIGHT_SEND | RIGHT_DUP);
    reply.handles[0] = good;
    reply.handles[1] = kept; /* cannot be transferred */
    error = channel_reply((uint64_t)token, &reply);
    test_case("refused-reply-takes-handles", error == -EACCES && !id_of(good) && !id_of(kept) &&
                                                 !client.steps[1 + call].done,
              "reply gave %d", error);
    reply.handle_count = 0;
    error = channel_reply((uint64_t)token, &reply);
    test_case("refused-reply-can-be-repeated", error == 0 && puppet_wait(&client, call), "%d", error);
    puppet_end(&client);
    handle_close(channel);
}

/* ---- Windows ---- */

/* A call that lends window (and nothing as window 1), for IN or OUT. word 0 of the reply. */
static int64_t lend(uint32_t type, const void *address, uint64_t length, uint64_t access,
                    uint64_t offset, uint64_t size, struct message *m)
{
    *m = (struct message){.type = type,
                          .len = 32,
                          .window_count = 1,
                          .words = {offset, size, 0, 0},
                          .windows = {{(uint64_t)address, length, access}}};
    int error = channel_call_deadline(service, m, test_deadline(5000));
    return error ? error : (int64_t)m->words[0];
}

static volatile uint8_t *map_pages(handle_t memory, uint64_t pages, uint32_t prot)
{
    return (volatile uint8_t *)memory_map(0, memory, 0, 0, pages * PAGE_SIZE, prot);
}

static void test_windows(void)
{
    static uint8_t buffer[600];
    struct message m;
    const struct {
        const char *name;
        uint32_t type;
        uint64_t length, access, offset, size;
        int64_t expected;
    } cases[] = {
        {"copy-in", IN, 600, WINDOW_READ, 0, 64, 64},
        {"copy-in-all", IN, 600, WINDOW_READ, 0, 600, 600},
        {"copy-in-middle", IN, 600, WINDOW_READ, 300, 64, 64},
        {"copy-in-is-cut", IN, 600, WINDOW_READ, 590, 64, 10},
        {"copy-in-at-the-end", IN, 600, WINDOW_READ, 600, 64, 0},
        {"copy-in-behind", IN, 600, WINDOW_READ, 601, 64, -EINVAL},
        {"copy-in-offset-wraps", IN, 600, WINDOW_READ, UINT64_MAX, 64, -EINVAL},
        {"copy-in-offset-and-size-wrap", IN, 600, WINDOW_READ, 1ul << 63, 1ul << 63, -EINVAL},
        {"copy-in-nothing", IN, 600, WINDOW_READ, 5, 0, 0},
        {"copy-in-empty-window", IN, 0, WINDOW_READ, 0, 8, 0},
        {"copy-in-not-allowed", IN, 600, WINDOW_WRITE, 0, 64, -EACCES},
        {"copy-out", OUT, 600, WINDOW_WRITE, 0, 64, 64},
        {"copy-out-is-cut", OUT, 600, WINDOW_READ | WINDOW_WRITE, 599, 64, 1},
        {"copy-out-behind", OUT, 600, WINDOW_WRITE, 601, 0, -EINVAL},
        {"copy-out-offset-wraps", OUT, 600, WINDOW_WRITE, UINT64_MAX - 7, 16, -EINVAL},
        {"copy-out-not-allowed", OUT, 600, WINDOW_READ, 0, 64, -EACCES},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned j = 0; j < sizeof(buffer); j++)
            buffer[j] = (uint8_t)j;
        int64_t got = lend(cases[i].type, buffer, cases[i].length, cases[i].access, cases[i].offset,
                           cases[i].size, &m);
        unsigned wrong = 0;
        if (cases[i].type == IN && got > 0)
            for (int64_t j = 0; j < 64; j++)
                wrong += ((uint8_t *)&m.words[1])[j] !=
                         (j < got ? (uint8_t)(cases[i].offset + (uint64_t)j) : 0x11);
        for (unsigned j = 0; j < sizeof(buffer); j++) {
            bool written = cases[i].type == OUT && got > 0 && j >= cases[i].offset &&
                           j < cases[i].offset + (uint64_t)got;
            wrong += buffer[j] != (written ? 0x77 : (uint8_t)j);
        }
        test_case(cases[i].name, got == cases[i].expected && wrong == 0,
                  "%ld instead of %ld, %u bytes are wrong", (long)got, (long)cases[i].expected, wrong);
    }
    int64_t got = lend(IN, buffer, 600, WINDOW_READ, 0, 1, &m);
    m = (struct message){.type = IN, .len = 32, .words = {0, 8, 0, 0}}; /* the old window is over */
    channel_call(service, &m);
    test_case("window-ends-with-the-call", got == 1 && (int64_t)m.words[0] == -EINVAL, "%ld",
              (long)m.words[0]);
}

/* Windows over memory that is not all there, lazy, copied on write, or read-only. */
static void test_window_memory(void)
{
    struct message m;
    handle_t memory = (handle_t)memory_create(4 * PAGE_SIZE, 0);
    volatile uint8_t *at = map_pages(memory, 4, RW);
    struct memory_info info;
    int64_t got = lend(OUT, (void *)(at + 100), 2 * PAGE_SIZE, WINDOW_WRITE, 0, 2 * PAGE_SIZE, &m);
    memory_info(memory, &info);
    test_case("copy-out-to-lazy-pages", got == 2 * PAGE_SIZE && info.populated == 3 * PAGE_SIZE &&
                                            at[99] == 0 && at[100] == 0x77 &&
                                            at[2 * PAGE_SIZE + 99] == 0x77 &&
                                            at[2 * PAGE_SIZE + 100] == 0,
              "%ld bytes, %lx populated", (long)got, (unsigned long)info.populated);
    got = lend(IN, (void *)(at + 3 * PAGE_SIZE), PAGE_SIZE, WINDOW_READ, 0, 64, &m);
    test_case("copy-in-from-lazy-pages", got == 64 && m.words[1] == 0 && m.words[8] == 0, "%ld",
              (long)got);
    handle_t clone = (handle_t)memory_clone(memory);
    volatile uint8_t *copy = map_pages(clone, 4, RW);
    memset((void *)at, 0x42, 64);
    got = lend(OUT, (void *)(copy + 200), 64, WINDOW_WRITE, 0, 64, &m);
    test_case("copy-out-to-a-clone", got == 64 && copy[200] == 0x77 && at[200] == 0x77 &&
                                         copy[50] == 0 && at[50] == 0x42,
              "%ld, bytes %x %x", (long)got, copy[50], at[50]);
    memset((void *)copy, 0x13, PAGE_SIZE);
    got = lend(OUT, (void *)at, PAGE_SIZE, WINDOW_WRITE, 0, PAGE_SIZE, &m);
    test_case("copy-out-to-the-source", got == PAGE_SIZE && at[0] == 0x77 && copy[0] == 0x13,
              "%ld, bytes %x %x", (long)got, at[0], copy[0]);
    memory_unmap(0, (uint64_t)copy, 4 * PAGE_SIZE);
    handle_close(clone);

    memory_protect(0, (uint64_t)at + PAGE_SIZE, PAGE_SIZE, PROT_READ);
    got = lend(OUT, (void *)(at + PAGE_SIZE + 8), 64, WINDOW_WRITE, 0, 64, &m);
    test_case("copy-out-to-read-only", got == -EFAULT, "%ld", (long)got);
    got = lend(OUT, (void *)(at + 1000), 2 * PAGE_SIZE, WINDOW_WRITE, 0, 2 * PAGE_SIZE, &m);
    test_case("copy-out-up-to-read-only", got == (int64_t)PAGE_SIZE - 1000, "%ld", (long)got);
    memory_unmap(0, (uint64_t)at + 2 * PAGE_SIZE, PAGE_SIZE);
    got = lend(IN, (void *)(at + PAGE_SIZE), 3 * PAGE_SIZE, WINDOW_READ, 0, 3 * PAGE_SIZE, &m);
    test_case("copy-in-up-to-a-hole", got == PAGE_SIZE, "%ld", (long)got);
    got = lend(IN, (void *)(at + 2 * PAGE_SIZE), 2 * PAGE_SIZE, WINDOW_READ, 0, 64, &m);
    test_case("copy-in-from-a-hole", got == -EFAULT, "%ld", (long)got);
    got = lend(IN, (void *)(at + 2 * PAGE_SIZE), 2 * PAGE_SIZE, WINDOW_READ, PAGE_SIZE, 64, &m);
    test_case("copy-in-behind-a-hole", got == 64, "%ld", (long)got);
    memory_unmap(0, (uint64_t)at, 4 * PAGE_SIZE);
    handle_close(memory);
    memory = (handle_t)memory_create(32 * PAGE_SIZE, 0);
    at = map_pages(memory, 32, RW);
    got = lend(IN, (void *)at, 32 * PAGE_SIZE, WINDOW_READ, 0, 2 * PAGE_SIZE, &m);
    test_case("copy-in-two-pages", got == 2 * PAGE_SIZE, "%ld", (long)got);
    memory_unmap(0, (uint64_t)at, 32 * PAGE_SIZE);
    handle_close(memory);
}

/* Bad buffers on the server's side, and more than one call moves. */
static void test_server_buffers(void)
{
    static uint8_t buffer[100000];
    static const uint64_t bad[] = {8, 0x600000000ul, 0xffffffc080200000ul, USER_TOP - 4, UINT64_MAX - 7,
                                   1ul << 40};
    unsigned wrong = 0;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (uint32_t type = IN; type <= OUT; type++) {
            struct message m = {.type = type,
                                .len = 32,
                                .window_count = 1,
                                .words = {0, 64, 0, bad[i]},
                                .windows = {{(uint64_t)buffer, 64, WINDOW_READ | WINDOW_WRITE}}};
            channel_call(service, &m);
            wrong += (int64_t)m.words[0] != -EFAULT;
        }
    }
    struct message m = {.type = IN, /* into the server's code */
                        .len = 32,
                        .window_count = 1,
                        .words = {0, 64, 0, (uint64_t)serve},
                        .windows = {{(uint64_t)buffer, 64, WINDOW_READ}}};
    channel_call(service, &m);
    wrong += (int64_t)m.words[0] != -EFAULT;
    test_case("bad-server-buffers", wrong == 0, "%u were taken", wrong);
}

/* The owner's second thread maps and unmaps the window all the time. Words of the owner: 0 =
 * finished, 1 = copies that moved all, 2 = none, 3 = a part, 4 = anything else. */
#define FLICKER_AT 0x700000000ul
static volatile bool flicker_stop;
static void flicker(uint64_t memory)
{
    while (!flicker_stop) {
        memory_map(0, (handle_t)memory, FLICKER_AT, 0, 8 * PAGE_SIZE, RW);
        thread_yield();
        memory_unmap(0, FLICKER_AT + 3 * PAGE_SIZE, 2 * PAGE_SIZE);
        thread_yield();
        memory_unmap(0, FLICKER_AT, 8 * PAGE_SIZE);
    }
    flicker_stop = false;
}
static void lend_flickering(volatile struct child_page *p)
{
    handle_t memory = (handle_t)memory_create(8 * PAGE_SIZE, 0);
    child_thread(flicker, (uint64_t)memory);
    for (unsigned i = 0; i < 400; i++) {
        struct message m = {.type = i % 2 ? IN : OUT,
                            .len = 32,
                            .window_count = 1,
                            .words = {0, 3 * PAGE_SIZE, 0, 0},
                            .windows = {{FLICKER_AT + PAGE_SIZE + 50, 7 * PAGE_SIZE - 50, WINDOW_READ | WINDOW_WRITE}}};
        channel_call(p->handles[0], &m);
        int64_t got = (int64_t)m.words[0];
        int64_t part = 2 * PAGE_SIZE - 50;
        p->words[got == 3 * PAGE_SIZE ? 1 : got == -EFAULT ? 2 : got == part ? 3 : 4]++;
        if (p->words[4] && !p->words[5])
            p->words[5] = (uint64_t)got;
        if (i % 16 == 0)
            thread_yield();
    }
    flicker_stop = true;
    while (flicker_stop)
        thread_yield();
    p->words[0] = 1;
}

static void test_flicker(void)
{
    struct child owner;
    child_new(&owner, "owner", NULL);
    owner.page->handles[0] = child_give(&owner, service, RIGHT_SEND);
    child_start(&owner, lend_flickering, 10);
    child_wait(&owner, 10000, NULL);
    volatile uint64_t *w = owner.page->words;
    test_case("window-unmapped-meanwhile", w[0] == 1 && w[1] + w[2] + w[3] == 400 && w[4] == 0,
              "whole %lu, none %lu, part %lu, other %lu (%ld)", (unsigned long)w[1],
              (unsigned long)w[2], (unsigned long)w[3], (unsigned long)w[4], (long)w[5]);
    child_end(&owner);
}

/* ---- Registers ---- */

/* A system call with x1 and x3..x31 from regs, and their values afterwards in regs. */
void call_with_all(uint64_t regs[32]);
asm(".pushsection .text.call_with_all,\"ax\",@progbits\n"
    ".global call_with_all\n"
    "call_with_all:\n"
    "    addi sp, sp, -128\n"
    "    sd ra, 0(sp)\n"
    "    sd gp, 8(sp)\n"
    "    sd tp, 16(sp)\n"
    "    sd s0, 24(sp)\n    sd s1, 32(sp)\n    sd s2, 40(sp)\n    sd s3, 48(sp)\n"
    "    sd s4, 56(sp)\n    sd s5, 64(sp)\n    sd s6, 72(sp)\n    sd s7, 80(sp)\n"
    "    sd s8, 88(sp)\n    sd s9, 96(sp)\n    sd s10, 104(sp)\n    sd s11, 112(sp)\n"
    "    sd sp, 16(a0)\n"
    "    mv sp, a0\n"
    ".irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    ld x\\n, 8*\\n(sp)\n"
    ".endr\n"
    "    ecall\n"
    ".irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    sd x\\n, 8*\\n(sp)\n"
    ".endr\n"
    "    ld sp, 16(sp)\n"
    "    ld ra, 0(sp)\n"
    "    ld gp, 8(sp)\n"
    "    ld tp, 16(sp)\n"
    "    ld s0, 24(sp)\n    ld s1, 32(sp)\n    ld s2, 40(sp)\n    ld s3, 48(sp)\n"
    "    ld s4, 56(sp)\n    ld s5, 64(sp)\n    ld s6, 72(sp)\n    ld s7, 80(sp)\n"
    "    ld s8, 88(sp)\n    ld s9, 96(sp)\n    ld s10, 104(sp)\n    ld s11, 112(sp)\n"
    "    addi sp, sp, 128\n"
    "    ret\n"
    ".popsection");

enum { T0 = 5, A0 = 10, A1, A2, A3, A4, A5, A6, A7 };
#define BIT(n) (1u << (n))
#define CALL_CHANGES (BIT(A0) | BIT(A1) | BIT(A2) | BIT(A3) | BIT(A4) | BIT(A5))
#define RECV_CHANGES (CALL_CHANGES | BIT(A6) | BIT(A7) | BIT(T0))

/* Makes the call; which registers changed, as a mask. */
static uint32_t changed_by(uint64_t number, const uint64_t a[7], uint64_t t0, uint64_t *result)
{
    uint64_t before[32], after[32];
    uint32_t changed = 0;
    for (unsigned i = 0; i < 32; i++)
        before[i] = 0x1000100010001000ul * i + number;
    for (unsigned i = 0; i < 7; i++)
        before[A0 + i] = a[i];
    before[A7] = number;
    before[T0] = t0;
    memcpy(after, before, sizeof(after));
    call_with_all(after);
    for (unsigned i = 1; i < 32; i++)
        changed |= i != 2 && before[i] != after[i] ? BIT(i) : 0;
    *result = after[A0];
    return changed;
}

static void test_registers(void)
{
    uint64_t result;
    handle_t channel = new_channel();
    const uint64_t odd = 0xdeadbeef;
    const struct {
        const char *name;
        uint64_t number, a[7], t0;
        uint32_t may;
        int64_t expected;
    } cases[] = {
        {"registers-call", SYS_call, {(uint64_t)service, TAG(ECHO, 32, 0, 0, 0), 1, 2, 3, 4, odd}, 0, CALL_CHANGES, 0},
        {"registers-long-call", SYS_call, {(uint64_t)service, TAG(ECHO, 256, 0, 0, 0), 1, 2, 3, 4, odd}, 0, CALL_CHANGES, 0},
        {"registers-call-fails", SYS_call, {0, TAG(ECHO, 32, 0, 0, 0), 1, 2, 3, 4, odd}, odd, BIT(A0), -EBADF},
        {"registers-recv-times-out", SYS_recv, {odd, odd, odd, odd, odd, odd, (uint64_t)channel}, 1000, BIT(A0), -ETIMEDOUT},
        {"registers-sleep", SYS_recv, {odd, odd, odd, odd, odd, odd, 0}, 1000, BIT(A0), -ETIMEDOUT},
        {"registers-reply-fails", SYS_reply, {odd, 0, odd, odd, odd, odd, odd}, odd, BIT(A0), -ESTALE},
        {"registers-handle-info", SYS_handle_info, {(uint64_t)channel, 8, odd, odd, odd, odd, odd}, odd, BIT(A0), -EFAULT},
        {"registers-yield", SYS_thread_yield, {odd, odd, odd, odd, odd, odd, odd}, odd, BIT(A0), 0},
        {"registers-unknown", 0xf00, {odd, odd, odd, odd, odd, odd, odd}, odd, BIT(A0), -ENOSYS},
        {"registers-pulse", SYS_pulse, {(uint64_t)channel, 1, odd, odd, odd, odd, odd}, odd, BIT(A0), 0},
        {"registers-recv-pulse", SYS_recv, {odd, odd, odd, odd, odd, odd, (uint64_t)channel}, 0, RECV_CHANGES, 0},
        {"registers-memory-clone", SYS_memory_clone, {odd, odd, odd, odd, odd, odd, odd}, odd, BIT(A0), -EBADF},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t changed = changed_by(cases[i].number, cases[i].a, cases[i].t0, &result);
        test_case(cases[i].name, !(changed & ~cases[i].may) && (int64_t)result == cases[i].expected,
                  "result %ld, changed %x, allowed %x", (long)result, changed, cases[i].may);
    }
    uint64_t time[7] = {odd, odd, odd, odd, odd, odd, odd};
    uint32_t changed = changed_by(SYS_clock_now, time, odd, &result);
    test_case("registers-clock", changed == BIT(A0) && result > 1000, "%x", changed);
    /* A message received, and its answer: nothing of one thread's registers but what it named. */
    struct puppet client;
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHT_SEND), 3, 55);
    client.steps[1 + call].a[6] = 77;
    puppet_start(&client, 10);
    puppet_blocked(&client, call);
    const uint64_t recv[7] = {odd, odd, odd, odd, odd, odd, (uint64_t)channel};
    changed = changed_by(SYS_recv, recv, 0, &result);
    test_case("registers-recv", !(changed & ~RECV_CHANGES) && (int64_t)result > 0, "changed %x, %ld",
              changed, (long)result);
    const uint64_t reply[7] = {result, TAG(0x83, 8, 0, 0, 0), 66, 0, 0, 0, odd};
    changed = changed_by(SYS_reply, reply, odd, &result);
    puppet_wait(&client, call);
    volatile struct step *step = &client.steps[1 + call];
    test_case("registers-reply", !(changed & ~BIT(A0)) && result == 0 && step->result[2] == 66 &&
                                     step->result[6] == 77 && step->result[7] == SYS_call,
              "changed %x; the client's a6 %lu, a7 %lu", changed, (unsigned long)step->result[6],
              (unsigned long)step->result[7]);
    puppet_end(&client);
    handle_close(channel);
}

int main(void)
{
    start_server();
    test_lengths();
    test_handles();
    test_same_handle_twice();
    test_rights_travel();
    test_gives_away(true);
    test_gives_away(false);
    test_through_itself();
    test_failed_replies();
    test_windows();
    test_window_memory();
    test_server_buffers();
    test_flicker();
    test_registers();
    child_end(&server);
    return test_done();
}
