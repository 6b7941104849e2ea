/* Memory objects and mappings: lazy zero pages, copy-on-write in both directions, protection,
 * gaps, and translations that must be gone when the call returns, on every hart. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define RW (PROT_READ | PROT_WRITE)
#define RIGHTS_MEMORY (RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_MAP_X | RIGHT_DUP | RIGHT_TRANSFER)
#define PAGES(n) ((n) * PAGE_SIZE)

static handle_t new_memory(uint64_t pages) { return (handle_t)memory_create(PAGES(pages), 0); }

static volatile uint64_t *map(handle_t memory, uint64_t pages, uint32_t prot)
{
    int64_t at = memory_map(0, memory, 0, 0, PAGES(pages), prot);
    return at > 0 ? (volatile uint64_t *)at : NULL;
}
static void unmap(volatile uint64_t *at, uint64_t pages) { memory_unmap(0, (uint64_t)at, PAGES(pages)); }

static uint64_t populated(handle_t memory)
{
    struct memory_info info = {0};
    memory_info(memory, &info);
    return info.populated / PAGE_SIZE;
}

/* Word 0 of page n. */
static volatile uint64_t *page(volatile uint64_t *base, uint64_t n) { return base + n * 512; }

static uint64_t count_nonzero(volatile uint64_t *base, uint64_t pages)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < pages * 512; i++)
        n += base[i] != 0;
    return n;
}

static void test_lazy(void)
{
    handle_t memory = new_memory(100);
    struct memory_info info;
    int64_t result = memory_info(memory, &info);
    test_case("info", result == 0 && info.size == PAGES(100) && info.populated == 0 && !info.flags,
              "size %lx, populated %lx", (unsigned long)info.size, (unsigned long)info.populated);
    volatile uint64_t *at = map(memory, 100, RW);
    *page(at, 3) = 7;
    *page(at, 99) = 8;
    test_case("populated-on-touch", populated(memory) == 2, "%lu pages",
              (unsigned long)populated(memory));
    unmap(at, 100);
    at = map(memory, 100, RW);
    bool kept = *page(at, 3) == 7 && *page(at, 99) == 8;
    test_case("contents-outlive-the-mapping", kept, "%lu, %lu", (unsigned long)*page(at, 3),
              (unsigned long)*page(at, 99));
    handle_close(memory);
    test_case("mapping-outlives-the-handle", *page(at, 3) == 7, "%lu", (unsigned long)*page(at, 3));
    unmap(at, 100);
    int64_t odd = memory_create(1, 0), size = memory_info((handle_t)odd, &info);
    test_case("size-is-rounded-up", size == 0 && info.size == PAGE_SIZE, "%lx",
              (unsigned long)info.size);
    handle_close((handle_t)odd);
}

/* Frames that somebody has written to come back as zeros. */
static void test_zeroed(void)
{
    uint64_t dirty = 0;
    for (int round = 0; round < 4; round++) {
        handle_t memory = (handle_t)memory_create(PAGES(200), round % 2 ? MEMORY_CONTIGUOUS : 0);
        volatile uint64_t *at = map(memory, 200, RW);
        dirty += count_nonzero(at, 200);
        memset((void *)at, 0xa5, PAGES(200));
        unmap(at, 200);
        handle_close(memory);
    }
    test_case("new-pages-are-zero", dirty == 0, "%lu words were not", (unsigned long)dirty);
}

static void test_clone(void)
{
    enum { N = 150 }; /* more than the kernel copies in one step */
    handle_t source = new_memory(N);
    volatile uint64_t *from = map(source, N, RW), *from_too = map(source, N, PROT_READ);
    for (uint64_t i = 0; i < N; i += 2) /* the odd pages stay lazy */
        *page(from, i) = 1000 + i;
    handle_t clone = (handle_t)memory_clone(source);
    volatile uint64_t *to = map(clone, N, RW);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < N; i++)
        wrong += *page(to, i) != (i % 2 ? 0 : 1000 + i);
    test_case("clone-is-equal", clone > 0 && wrong == 0, "%lu pages differ", (unsigned long)wrong);
    for (uint64_t i = 0; i < N; i++) {
        if (i % 3 == 0)
            *page(from, i) = 5000 + i;
        if (i % 3 == 1)
            *page(to, i) = 9000 + i;
    }
    wrong = 0;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t before = i % 2 ? 0 : 1000 + i;
        wrong += *page(from, i) != (i % 3 == 0 ? 5000 + i : before);
        wrong += *page(from_too, i) != *page(from, i);
        wrong += *page(to, i) != (i % 3 == 1 ? 9000 + i : before);
    }
    test_case("writes-do-not-cross", wrong == 0, "%lu pages are wrong", (unsigned long)wrong);
    handle_t again = (handle_t)memory_clone(clone);
    volatile uint64_t *third = map(again, N, RW);
    unmap(to, N);
    handle_close(clone);
    wrong = 0;
    for (uint64_t i = 0; i < N; i++) {
        __atomic_fetch_add(page(third, i), 1, __ATOMIC_RELAXED); /* a write that reads first */
        uint64_t before = i % 3 == 1 ? 9000 + i : i % 2 ? 0 : 1000 + i;
        wrong += *page(third, i) != before + 1;
        wrong += *page(from, i) != (i % 3 == 0 ? 5000 + i : i % 2 ? 0 : 1000 + i);
    }
    test_case("clone-of-a-clone", again > 0 && wrong == 0, "%lu pages are wrong",
              (unsigned long)wrong);
    unmap(third, N);
    unmap(from, N);
    unmap(from_too, N);
    handle_close(again);
    handle_close(source);
}

static void test_contiguous(void)
{
    handle_t memory = (handle_t)memory_create(PAGES(5), MEMORY_CONTIGUOUS);
    struct memory_info info = {0};
    memory_info(memory, &info);
    test_case("contiguous-is-populated",
              info.populated == PAGES(5) && info.flags == MEMORY_CONTIGUOUS, "%lx, flags %lx",
              (unsigned long)info.populated, (unsigned long)info.flags);
    int64_t clone = memory_clone(memory);
    test_case("contiguous-is-not-cloned", clone == -EINVAL, "%ld", (long)clone);
    handle_close(memory);
    int64_t huge = memory_create(64ul << 20, MEMORY_CONTIGUOUS);
    test_case("contiguous-too-large", huge == -ENOMEM, "%ld", (long)huge);
}

static void test_map_arguments(void)
{
    handle_t memory = new_memory(4);
    const uint64_t at = 0x700000000ul;
    const struct {
        uint64_t address, offset, len, prot;
        int64_t expected;
    } cases[] = {
        {at + 1, 0, PAGES(1), RW, -EINVAL},
        {at, 8, PAGES(1), RW, -EINVAL},
        {at, 0, 0, RW, -EINVAL},
        {at, 0, PAGES(5), RW, -EINVAL},
        {at, PAGES(4), PAGES(1), RW, -EINVAL},
        {at, PAGES(1), PAGES(4), RW, -EINVAL},
        {at, 0ul - PAGES(1), PAGES(2), RW, -EINVAL},
        {at, PAGES(1), 0ul - PAGES(1), RW, -EINVAL},
        {at, 0, UINT64_MAX, RW, -EINVAL},
        {at, 0, PAGES(1), 0, -EINVAL},
        {at, 0, PAGES(1), 8 | PROT_READ, -EINVAL},
        {at, 0, PAGES(1), 1ul << 32 | PROT_READ, -EINVAL},
        {at, 0, PAGES(1), PROT_WRITE | PROT_EXEC, -EINVAL},
        {at, 0, PAGES(1), RW | PROT_EXEC, -EINVAL},
        {USER_TOP, 0, PAGES(1), RW, -EINVAL},
        {USER_TOP - PAGES(1), 0, PAGES(2), RW, -EINVAL},
        {0ul - PAGES(1), 0, PAGES(2), RW, -EINVAL},
        {0xffffffc080200000ul, 0, PAGES(1), RW, -EINVAL},
        {1ul << 40, 0, PAGES(1), RW, -EINVAL},
        {at, 0, PAGES(2), RW, (int64_t)at},
        {at + PAGES(1), 0, PAGES(1), RW, -EEXIST},
        {at - PAGES(1), 0, PAGES(2), RW, -EEXIST},
        {at - PAGES(1), 0, PAGES(4), RW, -EEXIST},
        {at + PAGES(2), PAGES(3), 1, PROT_READ, (int64_t)(at + PAGES(2))},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[40];
        snprintf(name, sizeof(name), "map-arguments-%u", i);
        int64_t got = raw(SYS_memory_map, 0, (uint64_t)memory, cases[i].address, cases[i].offset,
                          cases[i].len, cases[i].prot);
        test_case(name, got == cases[i].expected, "%ld instead of %ld", (long)got,
                  (long)cases[i].expected);
    }
    *(volatile uint64_t *)(at + PAGES(1)) = 1;
    test_case("offsets-are-kept", memory_unmap(0, at, PAGES(3)) == 0 && populated(memory) == 1,
              "%lu pages populated", (unsigned long)populated(memory));
    test_case("unmap-of-nothing", memory_unmap(0, at, PAGES(3)) == 0, "it failed");
    test_case("unmap-arguments", memory_unmap(0, at + 1, PAGES(1)) == -EINVAL &&
                                     memory_unmap(0, at, 0) == -EINVAL &&
                                     memory_unmap(0, at, UINT64_MAX) == -EINVAL &&
                                     memory_unmap(0, USER_TOP, PAGES(1)) == -EINVAL &&
                                     memory_unmap(0, 0, PAGES(1)) == -EINVAL,
              "one was taken");
    handle_close(memory);
}

static void test_rights(void)
{
    handle_t memory = new_memory(1);
    handle_t read = (handle_t)handle_dup(memory, RIGHT_MAP_R);
    handle_t write = (handle_t)handle_dup(memory, RIGHT_MAP_W);
    handle_t run = (handle_t)handle_dup(memory, RIGHT_MAP_R | RIGHT_MAP_X);
    handle_t none = (handle_t)handle_dup(memory, RIGHT_DUP);
    const uint64_t at = 0x700000000ul, len = PAGE_SIZE;
    test_case("map-needs-read", memory_map(0, none, at, 0, len, PROT_READ) == -EACCES, "mapped");
    test_case("map-needs-write", memory_map(0, read, at, 0, len, RW) == -EACCES, "mapped");
    test_case("map-needs-execute",
              memory_map(0, read, at, 0, len, PROT_READ | PROT_EXEC) == -EACCES, "mapped");
    /* Pages that can be written can be read on this machine, so it takes both rights. */
    test_case("write-implies-read", memory_map(0, write, at, 0, len, PROT_WRITE) == -EACCES,
              "a handle without MAP_R was mapped");
    test_case("map-read", memory_map(0, read, at, 0, len, PROT_READ) == (int64_t)at, "refused");
    test_case("protect-needs-write", memory_protect(0, at, len, RW) == -EACCES, "it was raised");
    test_case("protect-needs-execute",
              memory_protect(0, at, len, PROT_READ | PROT_EXEC) == -EACCES, "it was raised");
    memory_unmap(0, at, len);
    test_case("map-run", memory_map(0, run, at, 0, len, PROT_READ) == (int64_t)at &&
                             memory_protect(0, at, len, PROT_READ | PROT_EXEC) == 0 &&
                             memory_protect(0, at, len, RW) == -EACCES &&
                             memory_protect(0, at, len, PROT_WRITE) == -EACCES,
              "not as the rights say");
    memory_unmap(0, at, len);
    memory_map(0, memory, at, 0, len, RW);
    test_case("w-xor-x", memory_protect(0, at, len, RW | PROT_EXEC) == -EINVAL &&
                             memory_protect(0, at, len, PROT_WRITE | PROT_EXEC) == -EINVAL,
              "both were given");
    memory_unmap(0, at, len);
    test_case("clone-needs-read", memory_clone(none) == -EACCES && memory_clone(write) == -EACCES,
              "cloned");
    handle_close(read);
    handle_close(write);
    handle_close(run);
    handle_close(none);
    handle_close(memory);
}

/* ---- What only another process can show: it faults ---- */

static void touch_at(volatile struct child_page *p)
{
    volatile uint64_t *at = (volatile uint64_t *)p->words[0];
    for (uint64_t i = p->words[1]; i < p->words[2]; i++) {
        p->words[3] = i;
        if (p->words[4])
            *page(at, i) = 1;
        else
            p->words[5] += *page(at, i);
    }
}

/* A child touches pages first..last-1 of an object that we mapped (and changed) in it: where it
 * faults, or -1 if it does not. */
static int64_t touch(handle_t process_memory, uint32_t prot, void (*change)(handle_t, uint64_t),
                     uint64_t first, uint64_t last, bool write)
{
    struct process_status status = {0};
    struct child child;
    child_new(&child, "toucher", NULL);
    int64_t at = memory_map(child.process, process_memory, 0, 0, PAGES(8), prot);
    if (change)
        change(child.process, (uint64_t)at);
    child.page->words[0] = (uint64_t)at;
    child.page->words[1] = first;
    child.page->words[2] = last;
    child.page->words[4] = write;
    child_start(&child, touch_at, 10);
    child_wait(&child, 5000, &status);
    int64_t where = status.reason == EXIT_FAULT ? (int64_t)child.page->words[3] : -1;
    if (where >= 0 && status.address != (uint64_t)at + PAGES((uint64_t)where))
        where = -100;
    child_end(&child);
    return where;
}

static void unmap_middle(handle_t process, uint64_t at) { memory_unmap(process, at + PAGES(3), PAGES(2)); }
static void read_only_middle(handle_t process, uint64_t at)
{
    memory_protect(process, at + PAGES(3), PAGES(2), PROT_READ);
}
static void no_access(handle_t process, uint64_t at) { memory_protect(process, at, PAGES(8), 0); }
static void there_and_back(handle_t process, uint64_t at)
{
    memory_protect(process, at, PAGES(8), 0);
    memory_protect(process, at + PAGES(1), PAGES(7), PROT_READ);
    memory_protect(process, at, PAGES(8), RW);
}

static void test_protection(void)
{
    handle_t memory = new_memory(8);
    const struct {
        const char *name;
        uint32_t prot;
        void (*change)(handle_t, uint64_t);
        uint64_t first, last;
        bool write;
        int64_t expected;
    } cases[] = {
        {"plain-write", RW, NULL, 0, 8, true, -1},
        {"write-to-read-only", PROT_READ, NULL, 2, 8, true, 2},
        {"read-read-only", PROT_READ, NULL, 0, 8, false, -1},
        {"guard-page-above", RW, NULL, 0, 9, false, 8},
        {"guard-page-below", RW, NULL, UINT64_MAX, 1, false, 0},
        {"unmapped-middle-below", RW, unmap_middle, 0, 8, true, 3},
        {"unmapped-middle-above", RW, unmap_middle, 5, 8, true, -1},
        {"read-only-middle-read", RW, read_only_middle, 0, 8, false, -1},
        {"read-only-middle-write", RW, read_only_middle, 0, 8, true, 3},
        {"read-only-middle-above", RW, read_only_middle, 5, 8, true, -1},
        {"no-access", RW, no_access, 4, 8, false, 4},
        {"there-and-back", RW, there_and_back, 0, 8, true, -1},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = cases[i].first == UINT64_MAX ? 0 : cases[i].first;
        int64_t where;
        if (cases[i].first == UINT64_MAX) { /* the page before the first */
            struct process_status status = {0};
            struct child child;
            child_new(&child, "toucher", NULL);
            child.page->words[0] = (uint64_t)memory_map(child.process, memory, 0, 0, PAGES(8), RW) - PAGE_SIZE;
            child.page->words[2] = 1;
            child_start(&child, touch_at, 10);
            child_wait(&child, 5000, &status);
            where = status.reason == EXIT_FAULT ? 0 : -1;
            child_end(&child);
        } else {
            where = touch(memory, cases[i].prot, cases[i].change, first, cases[i].last, cases[i].write);
        }
        test_case(cases[i].name, where == cases[i].expected, "fault at page %ld, not %ld",
                  (long)where, (long)cases[i].expected);
    }
    volatile uint64_t *at = map(memory, 8, RW);
    test_case("protect-arguments",
              memory_protect(0, (uint64_t)at + 8, PAGES(1), RW) == -EINVAL &&
                  memory_protect(0, (uint64_t)at, 0, RW) == -EINVAL &&
                  memory_protect(0, (uint64_t)at, PAGES(9), RW) == -EINVAL &&
                  memory_protect(0, (uint64_t)at, UINT64_MAX, RW) == -EINVAL &&
                  raw(SYS_memory_protect, 0, (uint64_t)at, PAGES(1), 16, 0, 0) == -EINVAL,
              "one was taken");
    unmap(at, 8);
    handle_close(memory);
}

/* ---- Translations that must be gone ---- */

static void test_reuse(void)
{
    const uint64_t at = 0x700000000ul;
    handle_t objects[2] = {new_memory(3), new_memory(3)};
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < 2; i++) {
        volatile uint64_t *base = map(objects[i], 3, RW);
        for (uint64_t n = 0; n < 3; n++)
            *page(base, n) = 10 * i + n;
        unmap(base, 3);
    }
    for (uint64_t round = 0; round < 200; round++) {
        uint64_t i = round % 2;
        memory_map(0, objects[i], at, 0, PAGES(3), round % 3 ? PROT_READ : RW);
        for (uint64_t n = 0; n < 3; n++)
            wrong += *page((volatile uint64_t *)at, n) != 10 * i + n;
        memory_unmap(0, at, PAGES(3));
    }
    test_case("address-reused", wrong == 0, "%lu stale words", (unsigned long)wrong);
    handle_close(objects[0]);
    handle_close(objects[1]);
}

/* The same while a second thread reads all the time. Words: 0 = address, 1 = what main has
 * mapped (0: nothing for sure), 2 = readings, 3 = stale readings, 4 = stop, 5 = reader's round. */
static volatile struct child_page *const shared = (volatile struct child_page *)CHILD_PAGE;

static void reader(uint64_t unused)
{
    (void)unused;
    while (!shared->words[4]) {
        uint64_t before = __atomic_load_n(&shared->words[1], __ATOMIC_SEQ_CST);
        if (!before) {
            thread_yield();
            continue;
        }
        __atomic_store_n(&shared->words[5], before, __ATOMIC_SEQ_CST); /* do not unmap */
        if (__atomic_load_n(&shared->words[1], __ATOMIC_SEQ_CST) == before) {
            uint64_t value = *(volatile uint64_t *)shared->words[0];
            shared->words[3] += value != before;
            shared->words[2]++;
        }
        __atomic_store_n(&shared->words[5], 0, __ATOMIC_SEQ_CST);
    }
    shared->words[4] = 2;
}

static void remapper(volatile struct child_page *p)
{
    handle_t objects[2] = {(handle_t)memory_create(PAGE_SIZE, 0), (handle_t)memory_create(PAGE_SIZE, 0)};
    const uint64_t at = 0x700000000ul;
    for (uint64_t i = 0; i < 2; i++) {
        memory_map(0, objects[i], at, 0, PAGE_SIZE, RW);
        *(volatile uint64_t *)at = i + 1;
        memory_unmap(0, at, PAGE_SIZE);
    }
    p->words[0] = at;
    child_thread(reader, 0);
    for (uint64_t round = 0; round < 150; round++) {
        uint64_t i = round % 2, seen = p->words[2];
        memory_map(0, objects[i], at, 0, PAGE_SIZE, RW);
        __atomic_store_n(&p->words[1], i + 1, __ATOMIC_SEQ_CST);
        while (p->words[2] < seen + 3)
            thread_yield();
        __atomic_store_n(&p->words[1], 0, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&p->words[5], __ATOMIC_SEQ_CST))
            thread_yield();
        memory_unmap(0, at, PAGE_SIZE);
    }
    p->words[4] = 1;
    while (p->words[4] != 2)
        thread_yield();
    p->words[6] = 1;
}

static void test_reuse_threads(void)
{
    struct process_status status = {0};
    struct child child;
    child_new(&child, "remapper", NULL);
    child_start(&child, remapper, 10);
    child_wait(&child, 10000, &status);
    uint64_t stale = child.page->words[3], done = child.page->words[6];
    child_end(&child);
    test_case("address-reused-on-another-hart", done && stale == 0,
              "%lu stale readings, ended with %u at %lx", (unsigned long)stale, status.reason,
              (unsigned long)status.address);
}

/* A thread that loads (or stores) for ever, and a main thread that takes the page away. */
static void load_for_ever(uint64_t at)
{
    for (;;) {
        (void)*(volatile uint64_t *)at;
        shared->words[1]++;
    }
}
static void store_for_ever(uint64_t at)
{
    for (;;) {
        *(volatile uint64_t *)at = ++shared->words[1];
    }
}

enum { TAKE_UNMAP, TAKE_PROTECT, TAKE_NOTHING };
static void take_away(volatile struct child_page *p)
{
    const uint64_t at = 0x700000000ul;
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    memory_map(0, memory, at, 0, PAGE_SIZE, RW);
    child_thread(p->words[0] == TAKE_UNMAP ? load_for_ever : store_for_ever, at);
    while (p->words[1] < 1000)
        thread_yield();
    if (p->words[0] == TAKE_UNMAP)
        memory_unmap(0, at, PAGE_SIZE);
    if (p->words[0] == TAKE_PROTECT)
        memory_protect(0, at, PAGE_SIZE, PROT_READ);
    p->words[2] = p->words[1];
    for (;;)
        sleep_until((uint64_t)clock_now() + 1000000);
}

static void test_take_away(void)
{
    static const char *const names[] = {"unmap-reaches-other-threads", "protect-reaches-other-threads",
                                        "unmap-from-outside-reaches-threads"};
    for (uint64_t how = TAKE_UNMAP; how <= TAKE_NOTHING; how++) {
        struct process_status status = {0};
        struct child child;
        child_new(&child, "taker", NULL);
        child.page->words[0] = how;
        child_start(&child, take_away, 10);
        word_wait(&child.page->words[1], 2000, 5000);
        if (how == TAKE_NOTHING)
            memory_unmap(child.process, 0x700000000ul, PAGE_SIZE);
        child_wait(&child, 5000, &status);
        uint64_t went_on = child.page->words[1] - child.page->words[2];
        child_end(&child);
        test_case(names[how], status.reason == EXIT_FAULT && status.address == 0x700000000ul &&
                                  status.value == (how == TAKE_UNMAP ? 13 : 15),
                  "reason %u, cause %ld, address %lx, went on for %lu", status.reason,
                  (long)status.value, (unsigned long)status.address, (unsigned long)went_on);
    }
}

/* A thread writes to a page all the time while it is cloned: the clone stands still. */
static void clone_while_writing(volatile struct child_page *p)
{
    const uint64_t at = 0x700000000ul;
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    memory_map(0, memory, at, 0, PAGE_SIZE, RW);
    child_thread(store_for_ever, at);
    for (uint64_t round = 0; round < 30; round++) {
        uint64_t seen = p->words[1];
        while (p->words[1] < seen + 100)
            thread_yield();
        handle_t clone = (handle_t)memory_clone(memory);
        int64_t copy = memory_map(0, clone, 0, 0, PAGE_SIZE, PROT_READ);
        uint64_t value = *(volatile uint64_t *)copy;
        seen = p->words[1];
        while (p->words[1] < seen + 100)
            thread_yield();
        p->words[2] += *(volatile uint64_t *)copy != value;
        memory_unmap(0, (uint64_t)copy, PAGE_SIZE);
        handle_close(clone);
        p->words[3]++;
    }
}

static void test_clone_while_writing(void)
{
    struct process_status status;
    struct child child;
    child_new(&child, "cloner", NULL);
    child_start(&child, clone_while_writing, 10);
    bool done = word_wait(&child.page->words[3], 30, 10000);
    uint64_t moved = child.page->words[2], rounds = child.page->words[3];
    process_status(child.process, &status);
    child_end(&child);
    test_case("clone-stands-still", done && moved == 0, "%lu of %lu clones changed, %u, address %lx",
              (unsigned long)moved, (unsigned long)rounds, status.reason,
              (unsigned long)status.address);
}

/* The source of a long clone is closed before it is done: the next clone has nothing of it.
 * Words: 0 = round, 1 = the thread's round, 2 = first clones that failed, 3 = second clones that
 * are wrong, 4 = rounds done. */
enum { LARGE = 3000, SMALL = 10 };
static volatile handle_t large, small;
static void clone_twice(uint64_t unused)
{
    (void)unused;
    for (uint64_t round = 1; round <= 20; round++) {
        while (shared->words[0] < round)
            thread_yield();
        shared->words[1] = round;
        int64_t first = memory_clone(large);
        int64_t second = memory_clone(small);
        struct memory_info info = {0};
        memory_info((handle_t)second, &info);
        shared->words[2] += first == -EBADF;
        shared->words[3] += second < 0 || info.size != PAGES(SMALL) || info.populated != PAGES(1);
        handle_close((handle_t)first);
        handle_close((handle_t)second);
        shared->words[4] = round;
    }
}
static void close_while_cloning(volatile struct child_page *p)
{
    small = (handle_t)memory_create(PAGES(SMALL), 0);
    memory_map(0, small, 0x700000000ul, 0, PAGES(SMALL), RW);
    *(volatile uint64_t *)0x700000000ul = 1;
    large = (handle_t)memory_create(PAGES(LARGE), 0);
    memory_map(0, large, 0x710000000ul, 0, PAGES(LARGE), RW);
    for (uint64_t i = 0; i < LARGE; i++)
        *page((volatile uint64_t *)0x710000000ul, i) = i;
    handle_t kept = large;
    child_thread_at(clone_twice, 0, 4);
    for (uint64_t round = 1; round <= 20; round++) {
        large = (handle_t)handle_dup(kept, RIGHTS_MEMORY);
        p->words[0] = round;
        while (p->words[1] < round)
            sleep_until((uint64_t)clock_now() + 20000);
        sleep_until((uint64_t)clock_now() + 20000 * round);
        handle_close(large);
        while (p->words[4] < round)
            sleep_until((uint64_t)clock_now() + 100000);
    }
    p->words[5] = 1;
}

static void test_close_while_cloning(void)
{
    struct child child;
    child_new(&child, "closer", NULL);
    child_start(&child, close_while_cloning, 10);
    child_wait(&child, 15000, NULL);
    volatile uint64_t *w = child.page->words;
    test_case("source-closed-while-cloning", w[5] == 1 && w[2] > 0 && w[3] == 0,
              "%lu of %lu were cut off, %lu wrong clones", (unsigned long)w[2], (unsigned long)w[4],
              (unsigned long)w[3]);
    child_end(&child);
}

/* ---- Limits ---- */

/* One page of memory at many addresses: the page tables count against the quota, too. */
static void map_sparsely(volatile struct child_page *p)
{
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t at = (1ul << 30) * 2 + (i << 21);
        if (memory_map(0, memory, at, 0, PAGE_SIZE, RW) < 0)
            break;
        *(volatile char *)at = 1;
        p->words[0]++;
    }
}

static void test_quota(void)
{
    struct process_status status = {0};
    struct process_quota quota = {.pages = 100};
    struct child child;
    child_new(&child, "sparse", &quota);
    child_start(&child, map_sparsely, 10);
    child_wait(&child, 5000, &status);
    uint64_t mapped = child.page->words[0];
    child_end(&child);
    test_case("page-tables-are-charged", status.reason == EXIT_FAULT && mapped > 10 && mapped < 100,
              "reason %u after %lu tables", status.reason, (unsigned long)mapped);
    struct puppet puppet;
    puppet_new(&puppet, "small", &quota);
    unsigned huge = puppet_step(&puppet, SYS_memory_create, PAGES(200), MEMORY_CONTIGUOUS, 0, 0, 0, 0);
    unsigned lazy = puppet_step(&puppet, SYS_memory_create, PAGES(200), 0, 0, 0, 0, 0);
    puppet_start(&puppet, 10);
    puppet_wait(&puppet, lazy);
    int64_t refused = puppet_result(&puppet, huge);
    test_case("contiguous-over-quota", refused == -ENOMEM || refused == -EDQUOT, "%ld",
              (long)refused);
    test_case("lazy-over-quota", puppet_result(&puppet, lazy) > 0, "%ld",
              (long)puppet_result(&puppet, lazy));
    puppet_end(&puppet);
}

/* As much garbage as one likes: what is closed comes back before it is missed. */
static void test_garbage(void)
{
    uint64_t failed = 0;
    for (unsigned i = 0; i < 30000; i++) {
        int64_t memory = memory_create(PAGES(16), i % 64 ? 0 : MEMORY_CONTIGUOUS);
        failed += memory < 0;
        handle_close((handle_t)memory);
    }
    test_case("create-and-close", failed == 0, "%lu of 30000 failed", (unsigned long)failed);
}

static void test_many_regions(void)
{
    enum { MOST = 600 };
    handle_t memory = new_memory(1);
    const uint64_t base = 0x700000000ul;
    unsigned n = 0;
    int64_t result = 0;
    for (; n < MOST && result >= 0; n++)
        result = memory_map(0, memory, base + PAGES(2ul * n), 0, PAGE_SIZE, RW);
    int64_t whole = memory_map(0, memory, 0, 0, PAGE_SIZE, RW);
    int64_t cleared = memory_unmap(0, base, PAGES(2ul * MOST));
    test_case("regions-are-limited", n > 300 && result == -ENOMEM && whole == -ENOMEM,
              "%u regions, then %ld and %ld", n, (long)result, (long)whole);
    int64_t again = memory_map(0, memory, base, 0, PAGE_SIZE, RW);
    test_case("regions-come-back", cleared == 0 && again == (int64_t)base, "%ld, %ld",
              (long)cleared, (long)again);
    memory_unmap(0, base, PAGE_SIZE);
    handle_close(memory);
}

static void test_gaps(void)
{
    handle_t memory = new_memory(2);
    volatile uint64_t *a = map(memory, 2, RW), *b = map(memory, 2, RW), *c;
    unmap(a, 2);
    c = map(memory, 1, RW);
    uint64_t ab = a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
    uint64_t cb = c < b ? (uint64_t)b - (uint64_t)c : (uint64_t)c - (uint64_t)b;
    test_case("chosen-addresses-keep-apart", ab >= PAGES(3) && cb >= PAGES(2) && c != b,
              "%lx and %lx bytes", (unsigned long)ab, (unsigned long)cb);
    unmap(b, 2);
    unmap(c, 1);
    handle_close(memory);
}

/* A thread without its IPC page hurts nobody but itself. */
static void lose_ipc_page(volatile struct child_page *p)
{
    struct registers r = {{(uint64_t)p->handles[0], TAG(1, 200, 0, 0, 0), 1, 2, 3, 4, 0, SYS_call}, 0};
    memory_unmap(0, USER_TOP - PAGE_SIZE, PAGE_SIZE);
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    p->words[1] = (uint64_t)memory_map(0, memory, USER_TOP - PAGE_SIZE, 0, PAGE_SIZE, RW);
    raw_call(&r);
    p->words[0] = r.a[0] == 0 ? r.a[2] : 0;
}

static void test_ipc_page(void)
{
    struct child child;
    struct message m;
    struct process_status status = {0};
    handle_t channel = (handle_t)channel_create(0);
    child_new(&child, "loser", NULL);
    child.page->handles[0] = child_give(&child, channel, RIGHT_SEND);
    child_start(&child, lose_ipc_page, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(5000));
    m.words[0] = 99;
    m.len = 256;
    channel_reply((uint64_t)token, &m);
    child_wait(&child, 5000, &status);
    test_case("ipc-page-unmapped", token > 0 && child.page->words[0] == 99 &&
                                       status.reason == EXIT_NORMAL &&
                                       child.page->words[1] == USER_TOP - PAGE_SIZE,
              "token %ld, word %lu, reason %u", (long)token, (unsigned long)child.page->words[0],
              status.reason);
    child_end(&child);
    handle_close(channel);
}

int main(void)
{
    test_lazy();
    test_zeroed();
    test_clone();
    test_contiguous();
    test_map_arguments();
    test_rights();
    test_protection();
    test_gaps();
    test_reuse();
    test_reuse_threads();
    test_take_away();
    test_clone_while_writing();
    test_close_while_cloning();
    test_quota();
    test_garbage();
    test_many_regions();
    test_ipc_page();
    return test_done();
}
