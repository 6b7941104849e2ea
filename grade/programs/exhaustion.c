/* Whoever takes all there is of something gets an error, or dies of it; a bystander goes on; and
 * when the taker is gone, everything is back. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define MOST 4 /* takers at a time */

/* ---- The bystander: a client and a server that talk all the time ---- */

static void answer(volatile struct child_page *p)
{
    struct message m;
    int64_t token = channel_recv(p->handles[0], &m, 0);
    for (;;) {
        if (token < 0)
            token = 0;
        p->words[1] += token == 0;
        m.len = 8;
        m.handle_count = m.window_count = 0;
        token = token ? channel_reply_recv((uint64_t)token, &m, p->handles[0], 0)
                      : channel_recv(p->handles[0], &m, 0);
    }
}
static void talk(volatile struct child_page *p)
{
    for (;;) {
        p->words[1] += call_words(p->handles[0], 1, p->words[0], 0, 0) != (int64_t)p->words[0];
        p->words[0]++;
    }
}

static struct child talker, answerer;
static handle_t service;

static void bystander_start(void)
{
    service = (handle_t)channel_create(0);
    child_new(&answerer, "answerer", NULL);
    child_new(&talker, "talker", NULL);
    answerer.page->handles[0] = child_give(&answerer, service, RIGHT_RECV | RIGHT_SEND);
    talker.page->handles[0] = child_give(&talker, service, RIGHT_SEND);
    child_start(&answerer, answer, 10);
    child_start(&talker, talk, 10);
}

/* It makes a few hundred more round trips, with right answers. */
static bool bystander_moves(void)
{
    return word_wait(&talker.page->words[0], talker.page->words[0] + 300, 8000) &&
           talker.page->words[1] == 0;
}

/* ---- What there was before ---- */

static struct {
    uint64_t free;
    uint32_t processes, handles, channels;
} before;

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

static void remember(void)
{
    struct process_facts own = {0};
    handle_t facts = kernel_channel("sys:facts");
    struct message m = {.type = KFACT_PROCESS, .len = 8, .words = {(uint64_t)process_self()}};
    channel_call(facts, &m);
    memcpy(&own, &m.words[1], sizeof(own));
    before.free = memory_facts().free;
    before.processes = count_processes();
    before.handles = own.handles;
    before.channels = own.channels;
}

static uint64_t ended_at; /* when the takers were ended */

/* All is as it was a minute after the end at the latest, but for a few pages that the servers may
 * have taken meanwhile. */
static void check_back(const char *what)
{
    char name[60];
    uint64_t deadline = ended_at + 60000000000ul, free;
    uint32_t processes;
    while (((free = memory_facts().free) + 64 * PAGE_SIZE < before.free ||
            (processes = count_processes()) > before.processes) &&
           (uint64_t)clock_now() < deadline)
        sleep_until(test_deadline(5));
    processes = count_processes();
    snprintf(name, sizeof(name), "%s-are-given-back", what);
    test_case(name, free + 64 * PAGE_SIZE >= before.free && processes <= before.processes,
              "%ld pages less, %u processes instead of %u",
              ((long)before.free - (long)free) / (long)PAGE_SIZE, processes, before.processes);
}

/* Runs takers until each says that it can take no more (words[1] = 1) or has ended, looks whether
 * the bystander moves while they hold it all, and ends them. Words of a taker: 0 = taken, 1 =
 * full, 2 = the error. */
static void run_takers(const char *what, child_function *taker, unsigned n, uint64_t least,
                       int64_t error_a, int64_t error_b, bool may_die)
{
    struct child takers[MOST];
    struct process_status status;
    char name[60];
    uint64_t taken = 0;
    bool stopped = true, right = true;
    remember();
    for (unsigned i = 0; i < n; i++) {
        child_new(&takers[i], "taker", NULL);
        takers[i].page->handles[0] = child_give(&takers[i], service, RIGHT_PULSE);
        child_start(&takers[i], taker, 10);
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t deadline = test_deadline(60000);
        do {
            sleep_until(test_deadline(2));
            process_status(takers[i].process, &status);
        } while (!takers[i].page->words[1] && status.reason == EXIT_RUNNING &&
                 (uint64_t)clock_now() < deadline);
        bool died = status.reason == EXIT_FAULT;
        stopped = stopped && (takers[i].page->words[1] || (may_die && died));
        int64_t error = (int64_t)takers[i].page->words[2];
        right = right && ((may_die && died) || error == error_a || error == error_b);
        taken += takers[i].page->words[0];
    }
    snprintf(name, sizeof(name), "%s-run-out", what);
    test_case(name, stopped && right && taken >= least, "stopped: %d, taken %lu, error %ld",
              stopped, (unsigned long)taken, (long)takers[0].page->words[2]);
    snprintf(name, sizeof(name), "bystander-without-%s", what);
    test_case(name, bystander_moves(), "it stands still, or got wrong answers (%lu)",
              (unsigned long)talker.page->words[1]);
    ended_at = (uint64_t)clock_now();
    for (unsigned i = 0; i < n; i++)
        child_end(&takers[i]);
    check_back(what);
}

static void full(volatile struct child_page *p, int64_t error)
{
    p->words[2] = (uint64_t)error;
    p->words[1] = 1;
    for (;;)
        sleep_until((uint64_t)clock_now() + 10000000);
}

/* ---- Takers ---- */

static void take_handles(volatile struct child_page *p)
{
    handle_t channel = (handle_t)channel_create(0);
    int64_t made;
    while ((made = handle_dup(channel, RIGHTS_ALL)) > 0)
        p->words[0]++;
    full(p, made);
}

static void take_channels(volatile struct child_page *p)
{
    handle_t channel = (handle_t)channel_create(0);
    int64_t made;
    for (;; p->words[0]++) {
        made = p->words[0] % 2 ? channel_create(0) : handle_mint(channel, RIGHTS_ALL, p->words[0]);
        if (made < 0)
            full(p, made);
    }
}

static void take_memory(volatile struct child_page *p)
{
    for (;;) {
        handle_t memory = (handle_t)memory_create(16ul << 20, 0);
        int64_t at = memory_map(0, memory, 0, 0, 16ul << 20, PROT_READ | PROT_WRITE);
        handle_close(memory);
        if (at < 0)
            full(p, at);
        for (uint64_t i = 0; i < 16ul << 20; i += PAGE_SIZE, p->words[0]++)
            *(volatile char *)((uint64_t)at + i) = 1;
    }
}

static void take_contiguous(volatile struct child_page *p)
{
    uint64_t size = 16ul << 20;
    int64_t made = 0;
    while (size >= PAGE_SIZE) {
        made = memory_create(size, MEMORY_CONTIGUOUS);
        if (made < 0)
            size /= 2;
        else
            p->words[0] += size / PAGE_SIZE;
    }
    full(p, made);
}

static void take_objects(volatile struct child_page *p) /* many small ones, each with a table */
{
    int64_t made;
    while ((made = memory_create(PAGE_SIZE, 0)) > 0)
        p->words[0]++;
    full(p, made);
}

static void take_processes(volatile struct child_page *p)
{
    int64_t made;
    while ((made = process_create("taken", 5, NULL)) > 0)
        p->words[0]++;
    full(p, made);
}

static void idle_thread(uint64_t unused)
{
    (void)unused;
    struct registers r = {{0, 0, 0, 0, 0, 0, 0, SYS_recv}, 0};
    raw_call(&r);
}
static void take_threads(volatile struct child_page *p)
{
    int64_t made;
    while ((made = child_thread(idle_thread, 0)) >= 0) /* their few stacks are of no use to them */
        p->words[0]++;
    full(p, made);
}

static void take_regions(volatile struct child_page *p)
{
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    int64_t at;
    for (uint64_t i = 0; (at = memory_map(0, memory, 0x700000000ul + (i << 21), 0, PAGE_SIZE,
                                          PROT_READ | PROT_WRITE)) > 0;
         i++) {
        *(volatile char *)at = 1;
        p->words[0]++;
    }
    full(p, at);
}

/* ---- Storms ---- */

static void storm_pulses(volatile struct child_page *p)
{
    while (!p->words[1]) {
        pulse(p->handles[0], ~0ul);
        p->words[0]++;
    }
}
static void storm_yields(volatile struct child_page *p)
{
    while (!p->words[1]) {
        thread_yield();
        p->words[0]++;
    }
}
static void storm_faults(volatile struct child_page *p)
{
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    for (; !p->words[1]; p->words[0]++) {
        int64_t at = memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
        *(volatile char *)at = 1;
        memory_unmap(0, (uint64_t)at, PAGE_SIZE);
    }
}
static void test_storm(const char *what, child_function *storm)
{
    struct child takers[MOST];
    char name[60];
    remember();
    for (unsigned i = 0; i < MOST; i++) {
        child_new(&takers[i], "storm", NULL);
        takers[i].page->handles[0] = child_give(&takers[i], service, RIGHT_PULSE);
        child_start(&takers[i], storm, 10);
    }
    bool rages = word_wait(&takers[0].page->words[0], 50, 5000);
    uint64_t start = talker.page->words[0];
    bool moves = bystander_moves();
    snprintf(name, sizeof(name), "bystander-in-a-storm-of-%s", what);
    test_case(name, rages && moves, "rages: %d, %lu round trips", rages,
              (unsigned long)(talker.page->words[0] - start));
    for (unsigned i = 0; i < MOST; i++)
        takers[i].page->words[1] = 1;
    ended_at = (uint64_t)clock_now();
    for (unsigned i = 0; i < MOST; i++)
        child_end(&takers[i]);
    check_back(what);
}

/* ---- A bomb: each process makes more of itself, for ever ---- */

/* Words of the page that all of them share: 0 = started, 1 = stop, 2 = refused. Handles, which
 * are the same in all of them: 0 = page, 1 = code, 2 = data. */
static void bomb(volatile struct child_page *p)
{
    __atomic_fetch_add(&p->words[0], 1, __ATOMIC_RELAXED);
    while (!p->words[1]) {
        handle_t process = (handle_t)process_create("bomb", 4, NULL);
        bool made = process > 0 &&
                    memory_map(process, p->handles[0], CHILD_PAGE, 0, PAGE_SIZE,
                               PROT_READ | PROT_WRITE) > 0 &&
                    child_map(process, p->handles[1], p->handles[2]);
        for (int i = 0; made && i < 3; i++)
            made = process_grant(process, p->handles[i], RIGHTS_ALL, 0) == p->handles[i];
        made = made &&
               process_start(process, (uint64_t)child_entry, CHILD_STACK_TOP, CHILD_PAGE, 10) == 0;
        if (!made) {
            __atomic_fetch_add(&p->words[2], 1, __ATOMIC_RELAXED);
            thread_yield();
        }
        if (process > 0)
            handle_close(process);
    }
}

static void test_bomb(void)
{
    struct child first;
    remember();
    child_new(&first, "bomb", NULL);
    handle_t page = (handle_t)memory_create(PAGE_SIZE, 0);
    volatile struct child_page *shared =
        (volatile struct child_page *)memory_map(0, page, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    memory_unmap(first.process, CHILD_PAGE, PAGE_SIZE);
    memory_map(first.process, page, CHILD_PAGE, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    shared->function = bomb;
    shared->handles[0] = child_give(&first, page, RIGHTS_ALL);
    shared->handles[1] = child_give(&first, child_code(), RIGHTS_ALL);
    shared->handles[2] = child_give(&first, child_data(), RIGHTS_ALL);
    process_start(first.process, (uint64_t)child_entry, CHILD_STACK_TOP, CHILD_PAGE, 10);
    bool full_of_them = word_wait(&shared->words[2], 1000, 10000);
    bool moves = bystander_moves();
    test_case("bomb", full_of_them && shared->words[0] > 100, "%lu started, %lu refused",
              (unsigned long)shared->words[0], (unsigned long)shared->words[2]);
    test_case("bystander-of-a-bomb", moves, "it stands still");
    shared->words[1] = 1;
    ended_at = (uint64_t)clock_now();
    child_end(&first);
    memory_unmap(0, (uint64_t)shared, PAGE_SIZE);
    handle_close(page);
    check_back("bombs");
}

int main(void)
{
    bystander_start();
    bool moves = bystander_moves();
    test_case("bystander", moves, "it does not even start");
    run_takers("handles", take_handles, 2, 1000, -EMFILE, -EMFILE, false);
    run_takers("channels", take_channels, 2, 1000, -EDQUOT, -EMFILE, false);
    run_takers("contiguous-pages", take_contiguous, 2, 10000, -ENOMEM, -EDQUOT, false);
    run_takers("objects", take_objects, 2, 1000, -ENOMEM, -EMFILE, false);
    run_takers("regions", take_regions, 4, 1000, -ENOMEM, -ENOMEM, false);
    run_takers("threads", take_threads, 4, 300, -EDQUOT, -ENOMEM, false);
    run_takers("processes", take_processes, 2, 100, -ENOMEM, -ENOMEM, false);
    run_takers("pages", take_memory, 1, 5000, -ENOMEM, -EDQUOT, true);
    run_takers("all-pages", take_memory, 3, 60000, -ENOMEM, -EDQUOT, true);
    test_storm("pulses", storm_pulses);
    test_storm("yields", storm_yields);
    test_storm("faults", storm_faults);
    test_bomb();
    test_case("bystander-to-the-end", bystander_moves(), "it stands still");
    child_end(&talker);
    child_end(&answerer);
    handle_close(service);
    return test_done();
}
