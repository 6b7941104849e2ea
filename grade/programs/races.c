/* Workers on all harts that create, kill, call, answer, close, map and unmap what they share, in
 * an order that a fixed seed gives and the harts mix: the kernel must survive it, and afterwards
 * everything must have been given back. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/fp.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define WORKERS 6
#define SECONDS 2

/* What each worker is given, at the same places in all of their pages. */
enum {
    H_CODE, H_DATA,
    H_CHANNELS,                      /* 4 shared channels */
    H_MEMORIES = H_CHANNELS + 4,     /* 3 shared objects */
    H_WORKERS = H_MEMORIES + 3,      /* all workers that there are */
    H_LAST = H_WORKERS + WORKERS,
};
_Static_assert(H_LAST <= 32, "they fit into the page");
enum { W_SEED, W_ROUNDS, W_FIRST_ROUND, W_KILLS, W_CALLS, W_SERVED, W_MAPS };

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t soon(uint64_t *state) { return (uint64_t)clock_now() + random_next(state) % 300000; }

/* A process that lives for some yields, with FP registers in use. */
void short_life(void);
asm(".pushsection .text.short_life,\"ax\",@progbits\n"
    ".global short_life\n"
    "short_life:\n"
    "    mv s0, a0\n"
    "1:\n"
    "    fcvt.d.l fs0, s0\n"
    "    li a7, 3\n"
    "    ecall\n"
    "    addi s0, s0, -1\n"
    "    bgtz s0, 1b\n"
    "    li a7, 5\n"
    "    ecall\n"
    ".popsection");
_Static_assert(SYS_thread_yield == 3 && SYS_process_exit == 5, "short_life knows these numbers");

/* ---- What a worker does ---- */

struct worker {
    volatile struct child_page *page;
    uint64_t state;
    int64_t tokens[4]; /* calls that it has received and not answered */
    handle_t made[4];  /* processes that it has made */
};

static handle_t one_of(struct worker *w, unsigned first, unsigned n)
{
    return w->page->handles[first + random_next(&w->state) % n];
}

static void do_call(struct worker *w)
{
    static uint8_t buffer[3 * PAGE_SIZE];
    struct message m = {.type = 1, .len = (uint16_t)(random_next(&w->state) % 257)};
    uint64_t dice = random_next(&w->state);
    if (dice % 3 == 0) {
        m.handle_count = 2;
        m.handles[0] = one_of(w, H_CHANNELS, 4);
        m.handles[1] = one_of(w, H_MEMORIES, 3);
    }
    if (dice % 5 == 0) {
        m.window_count = 1;
        m.windows[0] = (struct window){(uint64_t)buffer, sizeof(buffer), WINDOW_READ | WINDOW_WRITE};
    }
    handle_t channel = one_of(w, H_CHANNELS, 4), session = 0;
    if (dice % 7 == 0)
        channel = session = (handle_t)handle_mint(channel, RIGHTS_ALL, dice);
    w->page->words[W_CALLS] += channel_call_deadline(channel, &m, soon(&w->state)) == 0;
    for (unsigned i = 0; i < m.handle_count && m.type == 0x81; i++)
        handle_close(m.handles[i]);
    if (session > 0)
        handle_close(session);
}

static void do_recv(struct worker *w)
{
    struct message m;
    unsigned slot = random_next(&w->state) % 4;
    w->tokens[slot] = 0; /* the call that it forgets times out */
    int64_t token = channel_recv(one_of(w, H_CHANNELS, 4), &m, soon(&w->state));
    if (token <= 0)
        return;
    w->tokens[slot] = token;
    for (unsigned i = 0; i < m.handle_count; i++)
        handle_close(m.handles[i]);
}

static void do_reply(struct worker *w)
{
    static uint8_t buffer[PAGE_SIZE];
    unsigned slot = random_next(&w->state) % 4;
    uint64_t token = (uint64_t)w->tokens[slot], dice = random_next(&w->state);
    copy_in(token, 0, dice % 9000, buffer, sizeof(buffer));
    copy_out(token, 0, dice % 9000, buffer, sizeof(buffer));
    struct message m = {.type = 0x81, .len = (uint16_t)(dice % 257)};
    if (dice % 4 == 0) {
        m.handle_count = 1;
        m.handles[0] = (handle_t)handle_dup(one_of(w, H_MEMORIES, 3), RIGHTS_ALL);
    }
    if (dice % 3 == 0) {
        int64_t next = channel_reply_recv(token, &m, one_of(w, H_CHANNELS, 4), soon(&w->state));
        w->tokens[slot] = next > 0 ? next : 0;
        for (unsigned i = 0; next > 0 && i < m.handle_count; i++)
            handle_close(m.handles[i]);
    } else {
        w->page->words[W_SERVED] += channel_reply(token, &m) == 0;
        w->tokens[slot] = 0;
    }
}

static void do_process(struct worker *w)
{
    unsigned slot = random_next(&w->state) % 4;
    uint64_t dice = random_next(&w->state);
    handle_t process = w->made[slot];
    if (process > 0) {
        if (dice % 2)
            process_watch(process, one_of(w, H_CHANNELS, 4), (uint32_t)dice % 64);
        if (dice % 4)
            w->page->words[W_KILLS] += process_kill(process, (int64_t)dice) == 0;
        handle_close(process);
        w->made[slot] = 0;
        return;
    }
    process = (handle_t)process_create("short", 5, NULL);
    if (process < 0)
        return;
    w->made[slot] = process;
    if (dice % 8 == 0)
        process_grant(process, process, RIGHTS_ALL, 0);
    process_grant(process, one_of(w, H_CHANNELS, 4), RIGHTS_ALL, (uint32_t)dice % 5);
    if (dice % 16 == 0)
        process_set_personality(process, one_of(w, H_CHANNELS, 4));
    if (child_map(process, w->page->handles[H_CODE], w->page->handles[H_DATA]) && dice % 8)
        process_start(process, (uint64_t)short_life, CHILD_STACK_TOP, dice % 400, 1 + (uint32_t)dice % 14);
}

static void do_memory(struct worker *w)
{
    static const uint64_t places[] = {0x700000000ul, 0x700004000ul, 0x740000000ul};
    uint64_t dice = random_next(&w->state), at = places[dice % 3];
    handle_t memory = one_of(w, H_MEMORIES, 3), clone = 0;
    if (dice % 5 == 0)
        memory = clone = (handle_t)memory_clone(memory);
    int64_t mapped = memory_map(0, memory, dice % 2 ? at : 0, 0, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE);
    if (mapped > 0) {
        for (uint64_t i = 0; i < 8; i++)
            *(volatile uint64_t *)((uint64_t)mapped + i * PAGE_SIZE) += dice;
        memory_protect(0, (uint64_t)mapped + (dice % 8) * PAGE_SIZE, PAGE_SIZE, PROT_READ);
        memory_unmap(0, (uint64_t)mapped + (dice % 7) * PAGE_SIZE, 2 * PAGE_SIZE);
        memory_unmap(0, (uint64_t)mapped, 8 * PAGE_SIZE);
        w->page->words[W_MAPS]++;
    }
    if (clone > 0)
        handle_close(clone);
}

/* Things done to other workers: their priority, their watcher, rarely their life. */
static void do_others(struct worker *w)
{
    uint64_t dice = random_next(&w->state);
    handle_t other = one_of(w, H_WORKERS, WORKERS);
    switch (dice % 8) {
    case 0:
        process_set_priority(other, 8 + (uint32_t)(dice >> 8) % 6);
        break;
    case 1: /* a mapping that nobody asked for comes and goes */
        if (memory_map(other, one_of(w, H_MEMORIES, 3), 0x760000000ul, 0, PAGE_SIZE, PROT_READ) > 0)
            memory_unmap(other, 0x760000000ul, PAGE_SIZE);
        break;
    case 2:
        if ((dice >> 8) % 64 == 0)
            process_kill(other, 1);
        break;
    default:
        pulse(one_of(w, H_CHANNELS, 4), dice);
    }
}

static void quick_thread(uint64_t n)
{
    fp_fill(n);
    while (n--)
        thread_yield();
}

static void work(volatile struct child_page *page)
{
    struct worker w = {.page = page, .state = page->words[W_SEED]};
    for (;; page->words[W_ROUNDS]++) {
        switch (random_next(&w.state) % 16) {
        case 0: case 1: case 2: case 3:
            do_call(&w);
            break;
        case 4: case 5: case 6:
            do_recv(&w);
            break;
        case 7: case 8: case 9:
            do_reply(&w);
            break;
        case 10: case 11:
            do_process(&w);
            break;
        case 12: case 13:
            do_memory(&w);
            break;
        case 14:
            do_others(&w);
            break;
        case 15:
            if (page->words[W_ROUNDS] % 4 == 0)
                child_thread(quick_thread, random_next(&w.state) % 8);
            break;
        }
    }
}

/* ---- The test ---- */

static struct child workers[WORKERS];
static handle_t channels[4], memories[3];
static const struct process_quota quota = {.pages = 3000, .handles = 120, .threads = 8, .channels = 100};

static bool worker_new(unsigned n)
{
    return child_new(&workers[n], "worker", &quota);
}

static void worker_give(unsigned n)
{
    volatile handle_t *handles = workers[n].page->handles;
    handles[H_CODE] = child_give(&workers[n], child_code(), RIGHTS_ALL);
    handles[H_DATA] = child_give(&workers[n], child_data(), RIGHTS_ALL);
    for (unsigned i = 0; i < 4; i++)
        handles[H_CHANNELS + i] = child_give(&workers[n], channels[i], RIGHTS_ALL);
    for (unsigned i = 0; i < 3; i++)
        handles[H_MEMORIES + i] = child_give(&workers[n], memories[i], RIGHTS_ALL);
    for (unsigned i = 0; i < WORKERS; i++)
        handles[H_WORKERS + i] = child_give(&workers[n], workers[i].process, RIGHTS_ALL);
}

static uint32_t count_processes(void)
{
    handle_t facts = kernel_channel("sys:facts");
    uint32_t n = 0;
    for (uint64_t pid = 0;; n++) {
        struct message m = {.type = KFACT_PROCESS, .len = 8, .words = {pid}};
        if (channel_call(facts, &m) != 0 || (int64_t)m.words[0] < 0)
            return n;
        pid = (uint32_t)m.words[1] + 1;
    }
}

static uint32_t count_channels(void)
{
    handle_t stats = kernel_channel("sys:stats");
    uint32_t n = 0;
    for (uint64_t id = 0;; n++) {
        struct message m = {.type = KSTAT_CHANNEL, .len = 8, .words = {id}};
        if (channel_call(stats, &m) != 0 || (int64_t)m.words[0] < 0)
            return n;
        id = m.words[1] + 1;
    }
}

static uint64_t totals[8];
static void worker_end(unsigned n)
{
    for (unsigned i = W_ROUNDS; i <= W_MAPS; i++)
        totals[i] += workers[n].page->words[i];
    child_end(&workers[n]);
}

static void hammer(void)
{
    unsigned ends = 0;
    uint64_t seed = 0x2545f4914f6cdd1dul, end = test_deadline(SECONDS * 1000);
    for (unsigned i = 0; i < 4; i++)
        channels[i] = (handle_t)channel_create(i % 2);
    for (unsigned i = 0; i < 3; i++)
        memories[i] = (handle_t)memory_create(8 * PAGE_SIZE, 0);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_new(i);
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_give(i);
        workers[i].page->words[W_SEED] = seed * (i + 1);
        child_start(&workers[i], work, 10);
    }
    while ((uint64_t)clock_now() < end) {
        sleep_until(test_deadline(3));
        for (unsigned i = 0; i < WORKERS; i++) {
            struct process_status status;
            process_status(workers[i].process, &status);
            if (status.reason == EXIT_RUNNING)
                continue;
            ends++;
            worker_end(i);
            if (!worker_new(i))
                continue;
            worker_give(i);
            workers[i].page->words[W_SEED] = seed * (100 + ends);
            child_start(&workers[i], work, 10);
        }
    }
    for (unsigned i = 0; i < WORKERS; i++)
        worker_end(i);
    for (unsigned i = 0; i < 4; i++)
        handle_close(channels[i]);
    for (unsigned i = 0; i < 3; i++)
        handle_close(memories[i]);
}

/* A timer that one hart had set and then had no use for must not be what the others wait for. */
static void sleep_often(volatile struct child_page *p)
{
    for (uint64_t i = 0; i < 200; i++) {
        struct message m = {.type = 1};
        if (p->words[1])
            channel_call_deadline(p->handles[0], &m, (uint64_t)clock_now() + 2000000);
        sleep_until((uint64_t)clock_now() + 100000 + i * 5000);
        p->words[0]++;
    }
}
static void answer_soon(volatile struct child_page *p)
{
    struct message m;
    for (;;) {
        int64_t token = channel_recv(p->handles[0], &m, 0);
        m.len = 8;
        channel_reply((uint64_t)token, &m);
    }
}

static void test_timers(void)
{
    enum { N = 5 };
    struct child sleepers[N], answerer;
    handle_t channel = (handle_t)channel_create(0);
    child_new(&answerer, "answerer", NULL);
    answerer.page->handles[0] = child_give(&answerer, channel, RIGHT_RECV);
    child_start(&answerer, answer_soon, 12);
    unsigned done = 0;
    for (unsigned i = 0; i < N; i++) {
        child_new(&sleepers[i], "sleeper", NULL);
        sleepers[i].page->handles[0] = child_give(&sleepers[i], channel, RIGHT_SEND);
        sleepers[i].page->words[1] = i % 2;
        child_start(&sleepers[i], sleep_often, 10);
    }
    for (unsigned i = 0; i < N; i++)
        done += word_wait(&sleepers[i].page->words[0], 200, 8000);
    test_case("nobody-oversleeps", done == N, "%u of %u woke up in time", done, N);
    for (unsigned i = 0; i < N; i++)
        child_end(&sleepers[i]);
    child_end(&answerer);
    handle_close(channel);
}

/* Floating-point registers must come along when a thread whose hart has gone idle meanwhile goes on
 * at another one, and nobody may be hurt when such a thread dies. */
static void answer_late(volatile struct child_page *p)
{
    struct message m;
    for (;;) {
        int64_t token = channel_recv(p->handles[0], &m, 0);
        for (uint64_t end = (uint64_t)clock_now() + 20000 + p->words[0]++ % 7 * 10000;
             (uint64_t)clock_now() < end;)
            ;
        m.len = 8;
        channel_reply((uint64_t)token, &m);
    }
}
static void keep_registers(volatile struct child_page *p)
{
    for (uint64_t i = 0; i < p->words[2]; i++) {
        struct message m = {.type = 1};
        fp_fill(p->words[3] + i);
        channel_call(p->handles[0], &m);
        p->words[1] += fp_check(p->words[3] + i);
        p->words[0]++;
    }
}

static void test_registers(void)
{
    enum { N = 6, ROUNDS = 400, DEATHS = 60 };
    struct child keepers[N], answerers[2];
    handle_t channel = (handle_t)channel_create(0);
    for (unsigned i = 0; i < 2; i++) {
        child_new(&answerers[i], "answerer", NULL);
        answerers[i].page->handles[0] = child_give(&answerers[i], channel, RIGHT_RECV);
        child_start(&answerers[i], answer_late, 10);
    }
    uint64_t done = 0, lost = 0;
    for (unsigned death = 0; death <= DEATHS; death++) { /* some are killed, the last ones finish */
        for (unsigned i = 0; i < N; i++) {
            child_new(&keepers[i], "keeper", NULL);
            keepers[i].page->handles[0] = child_give(&keepers[i], channel, RIGHT_SEND);
            keepers[i].page->words[2] = ROUNDS;
            keepers[i].page->words[3] = 1000 * i;
            child_start(&keepers[i], keep_registers, 10);
        }
        for (unsigned i = 0; i < N; i++) {
            if (word_wait(&keepers[i].page->words[0], death < DEATHS ? 2 : ROUNDS, 8000))
                done++;
            lost += keepers[i].page->words[1];
        }
        for (unsigned i = 0; i < N; i++)
            child_end(&keepers[i]);
    }
    test_case("registers-come-along", done == N * (DEATHS + 1) && lost == 0,
              "%lu of %u went on, %lu registers were lost", (unsigned long)done, N * (DEATHS + 1),
              (unsigned long)lost);
    for (unsigned i = 0; i < 2; i++)
        child_end(&answerers[i]);
    handle_close(channel);
}

int main(void)
{
    child_code(); /* what is made once is made before counting */
    child_data();
    test_timers();
    test_registers();
    uint64_t free_before = memory_facts().free, free = 0;
    uint32_t processes_before = count_processes(), channels_before = count_channels();
    hammer();
    test_case("hammered", totals[W_ROUNDS] > 500 && totals[W_CALLS] > 0 && totals[W_SERVED] > 0 &&
                              totals[W_KILLS] > 5 && totals[W_MAPS] > 20,
              "%lu rounds, %lu calls, %lu replies, %lu kills, %lu maps", (unsigned long)totals[W_ROUNDS],
              (unsigned long)totals[W_CALLS], (unsigned long)totals[W_SERVED],
              (unsigned long)totals[W_KILLS], (unsigned long)totals[W_MAPS]);
    uint64_t deadline = test_deadline(6000);
    uint32_t processes, live;
    do {
        sleep_until(test_deadline(10));
        processes = count_processes();
        live = count_channels();
        free = memory_facts().free;
    } while ((processes > processes_before || live > channels_before ||
              free + 64 * PAGE_SIZE < free_before) &&
             (uint64_t)clock_now() < deadline);
    test_case("no-process-is-left", processes <= processes_before, "%u instead of %u", processes,
              processes_before);
    test_case("no-channel-is-left", live <= channels_before, "%u instead of %u", live,
              channels_before);
    test_case("no-page-is-left", free + 64 * PAGE_SIZE >= free_before, "%ld pages are missing",
              ((long)free_before - (long)free) / (long)PAGE_SIZE);
    return test_done();
}
