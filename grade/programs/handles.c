/* Handles: what a process can name, and that nothing gives it more than it was given. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define RIGHTS_CHANNEL                                                                           \
    (RIGHT_SEND | RIGHT_RECV | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER | RIGHT_MINT)
#define RIGHTS_SESSION (RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER)

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

static struct handle_info info_of(handle_t handle)
{
    struct handle_info info = {0};
    if (handle_info(handle, &info) != 0)
        return (struct handle_info){0};
    return info;
}

static void test_info(void)
{
    handle_t channel = new_channel(), memory = (handle_t)memory_create(1, 0);
    handle_t process = (handle_t)process_create("p", 1, NULL);
    handle_t session = (handle_t)handle_mint(channel, RIGHTS_ALL, 0x1234);
    struct handle_info info = info_of(channel);
    test_case("info-channel", info.type == OBJECT_CHANNEL && info.rights == RIGHTS_CHANNEL &&
                                  info.id != 0,
              "type %u, rights %x", info.type, info.rights);
    uint64_t id = info.id;
    info = info_of(session);
    test_case("info-session", info.type == OBJECT_SESSION && info.rights == RIGHTS_SESSION &&
                                  info.id == id,
              "type %u, rights %x", info.type, info.rights);
    info = info_of(memory);
    test_case("info-memory", info.type == OBJECT_MEMORY && !(info.rights & RIGHT_MANAGE),
              "type %u, rights %x", info.type, info.rights);
    info = info_of(process);
    test_case("info-process", info.type == OBJECT_PROCESS && info.id > 1 &&
                                  info.rights & RIGHT_MANAGE,
              "type %u, rights %x", info.type, info.rights);
    const handle_t all[] = {channel, memory, process, session};
    bool well = true;
    for (unsigned i = 0; i < 4; i++)
        well = well && all[i] > 0 && (all[i] & (HANDLES_MAX - 1)) >= HANDLE_FIRST_FREE;
    test_case("values-are-positive", well, "%x %x %x %x", channel, memory, process, session);
    for (unsigned i = 0; i < 4; i++)
        handle_close(all[i]);
    well = true;
    for (unsigned i = 0; i < 4; i++)
        well = well && info_of(all[i]).type == 0;
    test_case("closed-is-gone", well, "one is still there");
}

static void test_dup(void)
{
    handle_t channel = new_channel();
    uint32_t wrong = 0;
    for (uint32_t rights = 0; rights <= RIGHTS_ALL; rights++) {
        handle_t copy = (handle_t)handle_dup(channel, rights);
        if (info_of(copy).rights != (rights & RIGHTS_CHANNEL))
            wrong++;
        /* and again from the copy, with everything asked for */
        int64_t second = handle_dup(copy, UINT32_MAX);
        if (rights & RIGHT_DUP)
            wrong += info_of((handle_t)second).rights != (rights & RIGHTS_CHANNEL);
        else
            wrong += second != -EACCES;
        if (second > 0)
            handle_close((handle_t)second);
        handle_close(copy);
    }
    test_case("dup-never-adds-rights", wrong == 0, "%u of 1024 did", wrong);
    handle_t copy = (handle_t)handle_dup(channel, RIGHTS_ALL);
    test_case("dup-is-the-same-object", info_of(copy).id == info_of(channel).id && copy != channel,
              "ids %lu, %lu", (unsigned long)info_of(copy).id, (unsigned long)info_of(channel).id);
    struct message m;
    handle_close(channel);
    pulse(copy, 5);
    test_case("dup-outlives-the-first", channel_recv(copy, &m, test_deadline(100)) == 0 &&
                                            m.words[0] == 5,
              "no pulse");
    handle_close(copy);
}

static void test_mint(void)
{
    struct message m;
    handle_t channel = new_channel();
    uint32_t wrong = 0;
    for (uint32_t rights = 0; rights <= RIGHTS_ALL; rights++) {
        handle_t session = (handle_t)handle_mint(channel, rights, 7);
        wrong += info_of(session).rights != (rights & RIGHTS_SESSION);
        handle_close(session);
        channel_recv(channel, &m, test_deadline(100)); /* CLOSED */
    }
    test_case("mint-rights", wrong == 0, "%u of 1024 are wrong", wrong);
    handle_t bare = (handle_t)handle_dup(channel, RIGHTS_ALL & ~RIGHT_MINT);
    handle_t session = (handle_t)handle_mint(channel, RIGHTS_ALL, 7);
    test_case("mint-needs-the-right", handle_mint(bare, RIGHTS_ALL, 8) == -EACCES, "it did not");
    test_case("session-cannot-mint", handle_mint(session, RIGHTS_ALL, 8) == -EBADF, "it can");
    int64_t received = channel_recv(session, &m, test_deadline(10));
    test_case("session-cannot-receive", received == -EACCES || received == -EBADF, "%ld",
              (long)received);
    handle_close(bare);
    /* CLOSED comes once, when the last of several copies in two processes goes. */
    struct puppet holder;
    puppet_new(&holder, "holder", NULL);
    puppet_give(&holder, session, RIGHTS_SESSION);
    handle_t copy = (handle_t)handle_dup(session, RIGHTS_SESSION);
    handle_close(session);
    int64_t first = channel_recv(channel, &m, test_deadline(5));
    handle_close(copy);
    int64_t second = channel_recv(channel, &m, test_deadline(5));
    puppet_end(&holder);
    int64_t third = channel_recv(channel, &m, test_deadline(1000));
    bool told = third == 0 && m.type == MESSAGE_CLOSED && m.badge == 7;
    int64_t fourth = channel_recv(channel, &m, test_deadline(5));
    test_case("closed-after-the-last-copy",
              first == -ETIMEDOUT && second == -ETIMEDOUT && told && fourth == -ETIMEDOUT,
              "%ld %ld %ld %ld", (long)first, (long)second, (long)third, (long)fourth);
    handle_close(channel);
}

static void test_generations(void)
{
    enum { N = 300 };
    static handle_t values[N];
    unsigned same = 0, alive = 0;
    for (unsigned i = 0; i < N; i++) {
        values[i] = new_channel();
        handle_close(values[i]);
    }
    handle_t now = new_channel();
    for (unsigned i = 0; i < N; i++) {
        alive += info_of(values[i]).type != 0;
        for (unsigned j = 0; j < i; j++)
            same += values[i] == values[j];
    }
    test_case("stale-values-are-dead", alive == 0, "%u of 300 name something", alive);
    test_case("values-do-not-come-back", same == 0, "%u pairs are equal", same);
    struct message m = {.type = 1};
    struct handle_info info;
    handle_t stale = values[N - 1];
    test_case("stale-handle-is-ebadf",
              handle_info(stale, &info) == -EBADF && handle_dup(stale, 1) == -EBADF &&
                  handle_close(stale) == -EBADF && channel_call(stale, &m) == -EBADF &&
                  pulse(stale, 1) == -EBADF && info_of(now).type == OBJECT_CHANNEL,
              "one was taken");
    handle_close(now);
}

/* A child with a few handles tries all indices with many generations. Words: 0 = how many
 * worked, 1 = finished. */
static void brute_force(volatile struct child_page *page)
{
    struct handle_info info;
    for (uint64_t generation = 0; generation < 24; generation++)
        for (uint64_t index = 0; index < HANDLES_MAX; index++)
            page->words[0] += handle_info((handle_t)(generation << HANDLE_INDEX_BITS | index), &info) == 0;
    for (uint64_t bit = 19; bit < 32; bit++)
        for (uint64_t index = 0; index < 64; index++)
            page->words[0] += handle_info((handle_t)(1ul << bit | index), &info) == 0;
    page->words[1] = 1;
}

static void test_brute_force(void)
{
    struct child child;
    handle_t channel = new_channel();
    child_new(&child, "brute", NULL);
    handle_t given = child_give(&child, channel, RIGHT_SEND);
    process_grant(child.process, channel, RIGHT_SEND, HANDLE_NETWORK);
    uint32_t handles = facts_of(child.process).handles;
    child_start(&child, brute_force, 10);
    child_wait(&child, 15000, NULL);
    test_case("brute-force", given > 0 && handles == 2 && child.page->words[1] == 1 &&
                                 child.page->words[0] == 2,
              "%lu values worked, %u handles", (unsigned long)child.page->words[0], handles);
    child_end(&child);
    struct puppet puppet; /* what names something here names nothing there */
    puppet_new(&puppet, "foreign", NULL);
    unsigned use = puppet_step(&puppet, SYS_pulse, (uint64_t)channel, 1, 0, 0, 0, 0);
    unsigned own = puppet_step(&puppet, SYS_process_kill, (uint64_t)puppet.process, 1, 0, 0, 0, 0);
    puppet_start(&puppet, 10);
    puppet_wait(&puppet, own);
    test_case("foreign-handle", puppet_result(&puppet, use) == -EBADF &&
                                    puppet_result(&puppet, own) == -EBADF,
              "%ld, %ld", (long)puppet_result(&puppet, use), (long)puppet_result(&puppet, own));
    puppet_end(&puppet);
    handle_close(channel);
}

static void test_grant(void)
{
    struct child child;
    handle_t channel = new_channel();
    child_new(&child, "granted", NULL);
    handle_t process = child.process;
    handle_t weak = (handle_t)handle_dup(process, RIGHTS_ALL & ~RIGHT_MANAGE);
    handle_t kept = (handle_t)handle_dup(channel, RIGHTS_ALL & ~RIGHT_TRANSFER);
    test_case("grant-needs-manage", process_grant(weak, channel, RIGHT_SEND, 0) == -EACCES,
              "it did not");
    test_case("grant-needs-transfer", process_grant(process, kept, RIGHT_SEND, 0) == -EACCES,
              "it did not");
    test_case("grant-index", process_grant(process, channel, RIGHT_SEND, 5) == -EINVAL &&
                                 process_grant(process, channel, RIGHT_SEND, HANDLES_MAX) == -EINVAL &&
                                 raw(SYS_process_grant, (uint64_t)process, (uint64_t)channel, 1,
                                     1ul << 32, 0, 0) == -EINVAL,
              "one was taken");
    bool slots = true;
    for (uint32_t index = HANDLE_VFS; index <= HANDLE_BLOCK; index++) {
        slots = slots && process_grant(process, channel, RIGHT_SEND, index) == (int64_t)index;
        slots = slots && process_grant(process, channel, RIGHT_SEND, index) == -EBUSY;
    }
    test_case("well-known-slots", slots, "not 1..4, once each");
    test_case("grant-to-any", process_grant(process, channel, RIGHT_SEND, 0) == HANDLE_FIRST_FREE,
              "not the first free one");
    child_end(&child);
    test_case("grant-to-nobody", process_grant(process, channel, RIGHT_SEND, 0) == -EBADF &&
                                     process_grant(weak, channel, RIGHT_SEND, 0) == -EACCES,
              "not refused");
    handle_close(weak);
    child_new(&child, "dead", NULL);
    process_kill(child.process, 0);
    child_wait(&child, 2000, NULL);
    test_case("grant-to-the-dead", process_grant(child.process, channel, RIGHT_SEND, 0) == -ESRCH,
              "not refused");
    child_end(&child);
    handle_close(kept);
    handle_close(channel);
}

/* Rights shrink on the way, and a puppet closes and refills its own well-known slot. */
static void test_grant_rights(void)
{
    struct puppet puppet;
    handle_t channel = new_channel();
    handle_t half = (handle_t)handle_dup(channel, RIGHT_SEND | RIGHT_RECV | RIGHT_TRANSFER);
    puppet_new(&puppet, "rights", NULL);
    handle_t there = (handle_t)process_grant(puppet.process, half, RIGHT_RECV | RIGHT_PULSE, 0);
    handle_t slot = (handle_t)process_grant(puppet.process, channel, RIGHT_SEND, HANDLE_BLOCK);
    unsigned info = puppet_step(&puppet, SYS_handle_info, (uint64_t)there, PUPPET_DATA, 0, 0, 0, 0);
    unsigned close = puppet_step(&puppet, SYS_handle_close, (uint64_t)slot, 0, 0, 0, 0, 0);
    unsigned again = puppet_step(&puppet, SYS_handle_close, (uint64_t)slot, 0, 0, 0, 0, 0);
    puppet_start(&puppet, 10);
    puppet_wait(&puppet, again);
    const volatile struct handle_info *got = (const volatile struct handle_info *)puppet.data;
    test_case("grant-shrinks-rights", puppet_result(&puppet, info) == 0 && got->rights == RIGHT_RECV,
              "rights %x", got->rights);
    test_case("slot-can-be-closed", puppet_result(&puppet, close) == 0 &&
                                        puppet_result(&puppet, again) == -EBADF,
              "%ld, %ld", (long)puppet_result(&puppet, close), (long)puppet_result(&puppet, again));
    int64_t refilled = process_grant(puppet.process, channel, RIGHT_SEND, HANDLE_BLOCK);
    test_case("slot-can-be-refilled", refilled > 0 && refilled != slot &&
                                          refilled % HANDLES_MAX == HANDLE_BLOCK,
              "%lx", (unsigned long)refilled);
    puppet_end(&puppet);
    handle_close(half);
    handle_close(channel);
}

/* With a table of 12: every call that makes a handle says EMFILE and leaves nothing behind.
 * Words: 0..7 = results, 8 = how many fitted, 9 = results after one was closed, 10 = finished. */
static void fill_table(volatile struct child_page *page)
{
    handle_t channel = (handle_t)channel_create(0), memory = (handle_t)memory_create(1, 0), last = 0;
    int64_t made;
    while ((made = handle_dup(channel, RIGHTS_ALL)) > 0) {
        last = (handle_t)made;
        page->words[8]++;
    }
    page->words[0] = (uint64_t)made;
    page->words[1] = (uint64_t)channel_create(0);
    page->words[2] = (uint64_t)memory_create(1, 0);
    page->words[3] = (uint64_t)memory_create(1, MEMORY_CONTIGUOUS);
    page->words[4] = (uint64_t)handle_mint(channel, RIGHT_SEND, 1);
    page->words[5] = (uint64_t)memory_clone(memory);
    page->words[6] = (uint64_t)process_create("x", 1, NULL);
    handle_close(last);
    made = channel_create(0);
    page->words[9] = made > 0 && channel_create(0) == -EMFILE;
    handle_close((handle_t)made);
    page->words[10] = 1;
    for (;;)
        sleep_until((uint64_t)clock_now() + 10000000);
}

static void test_limit(void)
{
    static const char *const names[] = {"dup",  "channel", "memory", "contiguous",
                                        "mint", "clone",   "process"};
    struct process_quota quota = {.handles = 12};
    struct child child;
    child_new(&child, "limited", &quota);
    child_start(&child, fill_table, 10);
    bool done = word_wait(&child.page->words[10], 1, 3000);
    test_case("handle-limit", done && child.page->words[8] == 10 && child.page->words[9] == 1,
              "%lu more than two fitted", (unsigned long)child.page->words[8]);
    for (unsigned i = 0; i < 7; i++) {
        char name[40];
        snprintf(name, sizeof(name), "handle-limit-%s", names[i]);
        test_case(name, (int64_t)child.page->words[i] == -EMFILE, "%ld",
                  (long)child.page->words[i]);
    }
    struct process_facts facts = facts_of(child.process);
    test_case("handle-limit-leaves-nothing", facts.handles == 11 && facts.channels == 1,
              "%u handles, %u channels", facts.handles, facts.channels);
    child_end(&child);
}

/* Words: 0 = how many, 1 = the last error, 2 = first and last worked, 3 = finished. */
static void fill_whole_table(volatile struct child_page *page)
{
    handle_t channel = (handle_t)channel_create(0), first = 0, last = 0;
    int64_t made;
    while ((made = handle_dup(channel, RIGHT_PULSE)) > 0) {
        first = first ? first : (handle_t)made;
        last = (handle_t)made;
        page->words[0]++;
    }
    page->words[1] = (uint64_t)made;
    page->words[2] = pulse(first, 1) == 0 && pulse(last, 2) == 0 && handle_close(first) == 0 &&
                     handle_dup(channel, 1) > 0 && handle_dup(channel, 1) == -EMFILE;
    page->words[3] = 1;
}

static void test_whole_table(void)
{
    struct child child;
    struct process_quota quota = {.handles = HANDLES_MAX};
    child_new(&child, "whole", &quota);
    child_start(&child, fill_whole_table, 10);
    child_wait(&child, 10000, NULL);
    uint64_t fitted = child.page->words[0];
    test_case("whole-table", child.page->words[3] == 1 && fitted > 500 &&
                                 fitted < HANDLES_MAX - HANDLE_FIRST_FREE &&
                                 (int64_t)child.page->words[1] == -EMFILE && child.page->words[2],
              "%lu fitted, then %ld", (unsigned long)fitted, (long)child.page->words[1]);
    child_end(&child);
}

/* What each handle holds: a process that was never started goes with its last handle, a started
 * one does not. */
static void wait_for_ever(volatile struct child_page *page)
{
    page->words[0] = 1;
    for (;;)
        sleep_until((uint64_t)clock_now() + 10000000);
}

static void make_unborn(volatile struct child_page *page)
{
    for (; page->words[0] < 20; page->words[0]++) {
        handle_t process = (handle_t)process_create("holds itself", 12, NULL);
        if (process < 0 || process_grant(process, process, RIGHTS_ALL, 0) < 0)
            break;
        handle_close(process);
    }
    page->words[1] = 1;
    for (;;)
        sleep_until((uint64_t)clock_now() + 10000000);
}

/* How many there are in the system. */
static uint64_t processes(void)
{
    handle_t facts = kernel_channel("sys:facts");
    uint64_t n = 0;
    for (uint64_t pid = 0;; n++) {
        struct message m = {.type = KFACT_PROCESS, .len = 8, .words = {pid}};
        if (channel_call(facts, &m) != 0 || (int64_t)m.words[0] < 0)
            return n;
        pid = (uint32_t)m.words[1] + 1;
    }
}

static void test_processes(void)
{
    handle_t facts = kernel_channel("sys:facts");
    handle_t process = (handle_t)process_create("unborn", 6, NULL);
    uint64_t pid = info_of(process).id;
    handle_close(process);
    uint64_t deadline = test_deadline(1000);
    struct message m;
    do {
        sleep_until(test_deadline(1));
        m = (struct message){.type = KFACT_PROCESS, .len = 8, .words = {pid}};
        channel_call(facts, &m);
    } while ((int64_t)m.words[0] == 0 && (uint32_t)m.words[1] == pid &&
             (uint64_t)clock_now() < deadline);
    test_case("unborn-goes-with-its-handle", (int64_t)m.words[0] < 0 || (uint32_t)m.words[1] != pid,
              "it is still there");
    /* A process that holds itself has no last handle outside; it goes with its creator. */
    struct child maker;
    child_new(&maker, "maker", NULL);
    child_start(&maker, make_unborn, 10);
    word_wait(&maker.page->words[1], 1, 2000);
    uint64_t made = maker.page->words[0], before = processes();
    child_end(&maker);
    deadline = test_deadline(1000);
    while (processes() > before - made - 1 && (uint64_t)clock_now() < deadline)
        sleep_until(test_deadline(1));
    test_case("unborn-goes-with-its-creator", made == 20 && processes() == before - made - 1,
              "%lu made, %lu of %lu left", (unsigned long)made, (unsigned long)processes(),
              (unsigned long)before);
    struct child child;
    child_new(&child, "born", NULL);
    child_start(&child, wait_for_ever, 10);
    word_wait(&child.page->words[0], 1, 1000);
    process = (handle_t)handle_dup(child.process, RIGHTS_ALL);
    handle_close(child.process);
    child.process = process;
    struct process_facts facts_now = facts_of(process); /* it may be about to sleep, or to wake */
    test_case("born-stays",
              facts_now.pid != 0 && facts_now.state != PROCESS_NEW &&
                  facts_now.state != PROCESS_DEAD,
              "pid %u, state %u", facts_now.pid, facts_now.state);
    child_end(&child);
}

int main(void)
{
    test_info();
    test_dup();
    test_mint();
    test_generations();
    test_brute_force();
    test_grant();
    test_grant_rights();
    test_limit();
    test_whole_table();
    test_processes();
    return test_done();
}
