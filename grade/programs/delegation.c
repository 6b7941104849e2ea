/* System calls that services answer: the four well-known endpoints, and a personality, which gets
 * all calls and faults of a process. The test itself is the service; a child makes the calls. */
#include "abi/delegation.h"
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

/* ---- A child that makes one system call after another, as told ---- */

/* Words: 0 = rounds asked for, 1 = rounds done, 2 = number, 3..8 = arguments, 9 = result. Bytes:
 * for the service to read and write. It asks the kernel for nothing else, since in some tests it
 * has no kernel to ask. */
static void caller(volatile struct child_page *p)
{
    for (;;) {
        while (p->words[0] == p->words[1])
            ;
        p->words[9] = (uint64_t)raw(p->words[2], p->words[3], p->words[4], p->words[5],
                                    p->words[6], p->words[7], p->words[8]);
        p->words[1]++;
    }
}

static void ask(struct child *child, uint64_t number, const uint64_t a[6])
{
    child->page->words[2] = number;
    for (unsigned i = 0; i < 6; i++)
        child->page->words[3 + i] = a[i];
    child->page->words[0]++;
}

/* The result of what was asked, or INT64_MIN if it has not returned. */
static int64_t answer(struct child *child)
{
    if (!word_wait(&child->page->words[1], child->page->words[0], 2000))
        return INT64_MIN;
    return (int64_t)child->page->words[9];
}

static int64_t ask_and_wait(struct child *child, uint64_t number)
{
    static const uint64_t zero[6];
    ask(child, number, zero);
    return answer(child);
}

static bool caller_new(struct child *child)
{
    return child_new(child, "delegator", NULL) && child_start(child, caller, 10);
}

static int reply_word(int64_t token, uint64_t word)
{
    struct message reply = {.type = 0x80, .len = 8, .words = {word}};
    return channel_reply((uint64_t)token, &reply);
}

/* ---- Endpoints ---- */

static const struct {
    const char *name;
    uint32_t slot, first, last;
} endpoints[] = {
    {"vfs", HANDLE_VFS, 100, 199},
    {"network", HANDLE_NETWORK, 200, 299},
    {"loader", HANDLE_LOADER, 300, 399},
    {"block", HANDLE_BLOCK, 400, 499},
};

static void test_endpoints(void)
{
    struct child child;
    struct message m;
    handle_t channels[4];
    caller_new(&child);
    bool refused = true;
    for (unsigned e = 0; e < 4; e++)
        refused = refused && ask_and_wait(&child, SYSCALL_DELEGATED + endpoints[e].first) == -ENOSYS;
    test_case("no-endpoint", refused, "a call was not refused");
    for (unsigned e = 0; e < 4; e++) {
        channels[e] = new_channel();
        handle_t session = (handle_t)handle_mint(channels[e], RIGHTS_ALL, 1000 + e);
        process_grant(child.process, session, RIGHT_SEND, endpoints[e].slot);
        handle_close(session);
    }
    struct handle_info info;
    handle_info(child.process, &info);
    for (unsigned e = 0; e < 4; e++) {
        const uint32_t operations[] = {endpoints[e].first, endpoints[e].first + 37, endpoints[e].last};
        unsigned wrong = 0;
        for (unsigned i = 0; i < 3; i++) {
            const uint64_t a[6] = {operations[i], UINT64_MAX, 3, 0xabcdef0123456789ul, 5, 6};
            ask(&child, SYSCALL_DELEGATED + operations[i], a);
            int64_t token = channel_recv(channels[e], &m, test_deadline(2000));
            wrong += token <= 0 || m.type != operations[i] || m.len != 48 ||
                     m.flags != MESSAGE_DELEGATED || m.sender != info.id || m.badge != 1000 + e ||
                     m.handle_count != 0 || m.window_count != 1 ||
                     memcmp(m.words, a, sizeof(a)) != 0;
            uint64_t result = i == 2 ? (uint64_t)-ENOENT : 77000 + operations[i];
            wrong += reply_word(token, result) != 0 || answer(&child) != (int64_t)result;
        }
        test_case(endpoints[e].name, wrong == 0, "%u things are wrong; last type %u, flags %u", wrong,
                  m.type, m.flags);
    }
    static const uint64_t numbers[] = {0, 1, 99, 500, 501, 0xfff, 0x10000, UINT64_MAX - 0x1000};
    refused = true;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        refused = refused && ask_and_wait(&child, SYSCALL_DELEGATED + numbers[i]) == -ENOSYS;
    test_case("outside-of-all-ranges", refused, "a call was not refused");
    child_end(&child);
    for (unsigned e = 0; e < 4; e++)
        handle_close(channels[e]);
}

/* What an endpoint can be that nobody can call. */
static void test_odd_endpoints(void)
{
    struct child child;
    handle_t channel = new_channel(), facts = kernel_channel("sys:facts");
    caller_new(&child);
    process_grant(child.process, channel, RIGHT_PULSE, HANDLE_VFS);
    process_grant(child.process, facts, RIGHT_SEND, HANDLE_NETWORK);
    process_grant(child.process, child.process, RIGHTS_ALL, HANDLE_LOADER);
    handle_t gone = new_channel();
    process_grant(child.process, gone, RIGHT_SEND, HANDLE_BLOCK);
    handle_close(gone);
    test_case("endpoint-without-send", ask_and_wait(&child, SYSCALL_DELEGATED + 100) == -ENOSYS,
              "%ld", (long)child.page->words[9]);
    test_case("endpoint-in-the-kernel", ask_and_wait(&child, SYSCALL_DELEGATED + 200) == -ENOSYS,
              "%ld", (long)child.page->words[9]);
    test_case("endpoint-is-no-channel", ask_and_wait(&child, SYSCALL_DELEGATED + 300) == -ENOSYS,
              "%ld", (long)child.page->words[9]);
    test_case("endpoint-is-gone", ask_and_wait(&child, SYSCALL_DELEGATED + 400) == -EPEER, "%ld",
              (long)child.page->words[9]);
    child_end(&child);
    handle_close(channel);
}

/* The caller's whole memory is window 0, for as long as the call lasts. */
static void test_memory(void)
{
    struct child child;
    struct message m;
    char text[32] = "", back[] = "from the service";
    handle_t channel = new_channel();
    caller_new(&child);
    process_grant(child.process, channel, RIGHT_SEND, HANDLE_VFS);
    strcpy((char *)child.page->bytes, "to the service");
    uint64_t there = CHILD_PAGE + offsetof(struct child_page, bytes);
    const uint64_t a[6] = {there, 32};
    ask(&child, SYSCALL_DELEGATED + 150, a);
    int64_t token = channel_recv(channel, &m, test_deadline(2000));
    int64_t got = copy_in((uint64_t)token, 0, m.words[0], text, m.words[1]);
    test_case("reads-its-memory", got == 32 && strcmp(text, "to the service") == 0, "%ld: %s",
              (long)got, text);
    got = copy_out((uint64_t)token, 0, there, back, sizeof(back));
    test_case("writes-its-memory", got == sizeof(back) &&
                                       strcmp((char *)child.page->bytes, back) == 0,
              "%ld", (long)got);
    const struct {
        uint64_t offset;
        int64_t expected;
    } places[] = {{0, -EFAULT},
                  {8, -EFAULT},
                  {0x600000000ul, -EFAULT},
                  {USER_TOP - PAGE_SIZE - 8, -EFAULT}, /* below the IPC page */
                  {USER_TOP, 0},
                  {USER_TOP + 8, -EINVAL},
                  {0xffffffc080200000ul, -EINVAL},
                  {UINT64_MAX, -EINVAL}};
    unsigned wrong = 0;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        wrong += copy_in((uint64_t)token, 0, places[i].offset, text, 16) != places[i].expected;
        wrong += copy_out((uint64_t)token, 0, places[i].offset, back, 16) != places[i].expected;
    }
    wrong += copy_out((uint64_t)token, 0, (uint64_t)caller, back, 4) != -EFAULT; /* its code */
    wrong += copy_in((uint64_t)token, 1, there, text, 4) != -EINVAL;
    test_case("but-no-other-memory", wrong == 0, "%u copies were not refused", wrong);
    reply_word(token, 0);
    answer(&child);
    got = copy_in((uint64_t)token, 0, there, text, 4);
    test_case("memory-ends-with-the-call", got == -ESTALE, "%ld", (long)got);
    /* A reply's handles go nowhere, but they go. */
    ask(&child, SYSCALL_DELEGATED + 151, a);
    token = channel_recv(channel, &m, test_deadline(2000));
    uint32_t before = facts_of(child.process).handles;
    struct message reply = {.len = 8, .words = {5}, .handle_count = 1, .handles = {new_channel()}};
    struct handle_info info;
    int error = channel_reply((uint64_t)token, &reply);
    test_case("handles-in-the-answer", error == 0 && answer(&child) == 5 &&
                                           handle_info(reply.handles[0], &info) == -EBADF &&
                                           facts_of(child.process).handles == before,
              "reply gave %d", error);
    /* killed in the middle */
    ask(&child, SYSCALL_DELEGATED + 152, a);
    token = channel_recv(channel, &m, test_deadline(2000));
    child_end(&child);
    got = copy_in((uint64_t)token, 0, there, text, 4);
    test_case("caller-killed", token > 0 && got == -ESTALE && reply_word(token, 1) == -ESTALE, "%ld",
              (long)got);
    handle_close(channel);
}

static void die_serving(volatile struct child_page *p)
{
    struct message m;
    p->words[0] = channel_recv(p->handles[0], &m, 0) > 0;
}

static void test_resent(void)
{
    struct child child, service;
    struct message m;
    handle_t channel = new_channel();
    caller_new(&child);
    child_new(&service, "service", NULL);
    process_grant(child.process, channel, RIGHT_SEND, HANDLE_BLOCK);
    service.page->handles[0] = child_give(&service, channel, RIGHT_RECV);
    child_start(&service, die_serving, 10);
    const uint64_t a[6] = {1, 2, 3, 4, 5, 6};
    sleep_until(test_deadline(5)); /* so that the service, not we, gets it */
    ask(&child, SYSCALL_DELEGATED + 444, a);
    child_wait(&service, 3000, NULL);
    int64_t token = channel_recv(channel, &m, test_deadline(2000));
    test_case("resent", service.page->words[0] == 1 && token > 0 && m.type == 444 &&
                            m.flags == (MESSAGE_DELEGATED | MESSAGE_RESENT) &&
                            memcmp(m.words, a, sizeof(a)) == 0,
              "token %ld, type %u, flags %u", (long)token, m.type, m.flags);
    reply_word(token, 9);
    test_case("resent-is-answered", answer(&child) == 9, "%ld", (long)child.page->words[9]);
    child_end(&service);
    child_end(&child);
    handle_close(channel);
}

/* ---- Personality ---- */

static void test_personality(void)
{
    struct child child;
    struct message m;
    handle_t channel = new_channel();
    handle_t session = (handle_t)handle_mint(channel, RIGHTS_ALL, 0xbad9e);
    caller_new(&child);
    int64_t plain = ask_and_wait(&child, SYS_process_self);
    int64_t set = process_set_personality(child.process, session);
    handle_close(session);
    const uint64_t numbers[] = {SYS_process_self, SYS_process_exit, 0x5d, SYSCALL_DELEGATED + 100,
                                UINT64_MAX, SYS_call, SYS_thread_yield};
    unsigned wrong = 0;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const uint64_t a[6] = {i, 11, 22, 33, 44, UINT64_MAX};
        ask(&child, numbers[i], a);
        int64_t token = channel_recv(channel, &m, test_deadline(2000));
        wrong += token <= 0 || m.type != PERSONALITY_SYSCALL || m.len != 64 || m.badge != 0xbad9e ||
                 m.flags != MESSAGE_DELEGATED || m.window_count != 1 || m.words[6] != numbers[i] ||
                 memcmp(m.words, a, sizeof(a)) != 0;
        uint32_t instruction = 0; /* words[7] is where the ecall is */
        wrong += copy_in((uint64_t)token, 0, m.words[7], &instruction, 4) != 4 ||
                 instruction != 0x00000073;
        wrong += reply_word(token, 1000 + i) != 0 || answer(&child) != (int64_t)(1000 + i);
    }
    test_case("personality-gets-all-calls", plain > 0 && set == 0 && wrong == 0,
              "%u things are wrong; type %x, flags %u", wrong, m.type, m.flags);
    set = process_set_personality(child.process, 0);
    test_case("personality-ends", set == 0 && ask_and_wait(&child, SYS_process_self) == plain,
              "%ld, %ld", (long)set, (long)child.page->words[9]);
    int64_t closed = channel_recv(channel, &m, test_deadline(1000));
    test_case("personality-keeps-its-session", closed == 0 && m.type == MESSAGE_CLOSED, "%ld",
              (long)closed);
    process_set_personality(child.process, channel);
    handle_close(channel);
    test_case("personality-is-gone", ask_and_wait(&child, SYS_process_self) == -EPEER, "%ld",
              (long)child.page->words[9]);
    child_end(&child);
}

/* A child that loads from a place where nothing is. Words: 0 = the value, 1 = finished. */
#define MISSING 0x700000010ul
static void load_missing(volatile struct child_page *p)
{
    while (!p->words[2])
        ;
    p->words[0] = *(volatile uint64_t *)MISSING;
    p->words[1] = 1;
    for (;;)
        ;
}
static void store_missing(volatile struct child_page *p)
{
    while (!p->words[2])
        ;
    *(volatile uint64_t *)MISSING = 1;
    p->words[1] = 1;
    for (;;)
        ;
}

static void test_faults(void)
{
    struct child child;
    struct message m;
    struct process_status status = {0};
    handle_t channel = new_channel(), memory = (handle_t)memory_create(PAGE_SIZE, 0);
    uint64_t *here = (uint64_t *)memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    here[2] = 4711;
    child_new(&child, "faulter", NULL);
    process_set_personality(child.process, channel);
    child_start(&child, load_missing, 10);
    child.page->words[2] = 1;
    int64_t token = channel_recv(channel, &m, test_deadline(2000));
    test_case("fault-is-told", token > 0 && m.type == PERSONALITY_FAULT && m.len == 24 &&
                                   m.words[0] == 13 && m.words[1] == MISSING &&
                                   m.flags == MESSAGE_DELEGATED && m.window_count == 1,
              "type %x, cause %lu, address %lx", m.type, (unsigned long)m.words[0],
              (unsigned long)m.words[1]);
    reply_word(token, 0); /* retried, it faults again */
    token = channel_recv(channel, &m, test_deadline(2000));
    int64_t mapped = memory_map(child.process, memory, MISSING & ~(PAGE_SIZE - 1), 0, PAGE_SIZE, PROT_READ);
    reply_word(token, 0);
    bool loaded = word_wait(&child.page->words[1], 1, 2000);
    test_case("fault-is-mended", mapped > 0 && loaded && child.page->words[0] == 4711, "loaded %lu",
              (unsigned long)child.page->words[0]);
    child_end(&child);
    child_new(&child, "killed", NULL);
    process_set_personality(child.process, channel);
    child_start(&child, store_missing, 10);
    child.page->words[2] = 1;
    token = channel_recv(channel, &m, test_deadline(2000));
    uint64_t pc = m.words[2];
    reply_word(token, 1);
    bool ended = child_wait(&child, 2000, &status);
    test_case("fault-kills", ended && status.reason == EXIT_FAULT && status.value == 15 &&
                                 status.address == MISSING && status.pc == pc && pc != 0,
              "reason %u, cause %ld, pc %lx not %lx", status.reason, (long)status.value,
              (unsigned long)status.pc, (unsigned long)pc);
    child_end(&child);
    child_new(&child, "abandoned", NULL);
    process_set_personality(child.process, channel);
    child_start(&child, store_missing, 10);
    child.page->words[2] = 1;
    token = channel_recv(channel, &m, test_deadline(2000));
    handle_close(channel); /* a fault that was received, and its server goes on without the channel */
    int replied = reply_word(token, 3);
    ended = child_wait(&child, 2000, &status);
    test_case("fault-outlives-the-channel", replied == 0 && ended && status.reason == EXIT_FAULT &&
                                                status.address == MISSING,
              "reply %d, reason %u", replied, status.reason);
    child_end(&child);
    channel = new_channel();
    child_new(&child, "orphan", NULL);
    process_set_personality(child.process, channel);
    handle_close(channel);
    child_start(&child, load_missing, 10);
    child.page->words[2] = 1;
    ended = child_wait(&child, 2000, &status);
    test_case("fault-without-a-server", ended && status.reason == EXIT_FAULT && status.value == 13 &&
                                            status.address == MISSING,
              "reason %u, cause %ld", status.reason, (long)status.value);
    child_end(&child);
    memory_unmap(0, (uint64_t)here, PAGE_SIZE);
    handle_close(memory);
}

/* A thread that answers a fault of its own process with "kill": it ends itself, in the middle of
 * its reply. Words: 0 = how it answers (SYS_reply or SYS_reply_recv), 1 = it has the fault, 2 = go
 * on, 3 = it came back. */
static volatile struct child_page *const shared = (volatile struct child_page *)CHILD_PAGE;
static void fault_here(uint64_t unused)
{
    (void)unused;
    while (!shared->words[4])
        ;
    *(volatile uint64_t *)MISSING = 1;
}
static void serve_itself(volatile struct child_page *p)
{
    child_thread(fault_here, 0);
    struct registers r = {{0, 0, 0, 0, 0, 0, (uint64_t)p->handles[0], SYS_recv}, 0};
    p->words[5] = 1;
    raw_call(&r);
    p->words[1] = 1;
    while (!p->words[2])
        ;
    r = (struct registers){{r.a[0], TAG(0x80, 8, 0, 0, 0), 1, 0, 0, 0, (uint64_t)p->handles[0],
                            p->words[0]},
                           0};
    raw_call(&r);
    p->words[3] = 1;
}

static void test_serves_itself(uint64_t how, const char *name)
{
    struct child child;
    struct process_status status = {0};
    handle_t channel = new_channel();
    child_new(&child, "selfish", NULL);
    child.page->words[0] = how;
    child.page->handles[0] = child_give(&child, channel, RIGHT_RECV | RIGHT_SEND);
    child_start(&child, serve_itself, 10);
    word_wait(&child.page->words[5], 1, 2000);
    sleep_until(test_deadline(20)); /* it waits in recv; from now on its calls come here */
    process_set_personality(child.process, channel);
    child.page->words[4] = 1;
    bool has_it = word_wait(&child.page->words[1], 1, 2000);
    process_set_personality(child.process, 0);
    child.page->words[2] = 1;
    bool ended = child_wait(&child, 2000, &status);
    test_case(name, has_it && ended && status.reason == EXIT_FAULT && status.address == MISSING &&
                        child.page->words[3] == 0,
              "has it: %d, reason %u", has_it, status.reason);
    child_end(&child);
    handle_close(channel);
}

int main(void)
{
    test_endpoints();
    test_odd_endpoints();
    test_memory();
    test_resent();
    test_personality();
    test_faults();
    test_serves_itself(SYS_reply, "kills-itself-with-a-reply");
    test_serves_itself(SYS_reply_recv, "kills-itself-with-a-reply-recv");
    return test_done();
}
