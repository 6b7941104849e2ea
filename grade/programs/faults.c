/* Faults end the process that made them, and nobody else, and its status says why and where.
 * Floating-point registers and tp belong to their thread on every path between threads. */
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/fp.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

enum {
    ILLEGAL = 2, BREAKPOINT = 3, LOAD_MISALIGNED = 4, STORE_MISALIGNED = 6,
    FETCH_PAGE = 12, LOAD_PAGE = 13, STORE_PAGE = 15,
};
#define NOWHERE 0x60000000ul
#define KERNEL 0xffffffc080200000ul
#define ANY UINT64_MAX /* an address that is not looked at */

/* The words of the shared page: what the fault is expected to be. */
enum { WORD_PC, WORD_ADDRESS };

/* Notes the pc of the instruction, then runs it, with `address` in a register. */
#define FAULT_AT(instruction, where)                                                             \
    do {                                                                                         \
        uint64_t address_ = (where);                                                             \
        page->words[WORD_ADDRESS] = address_;                                                    \
        asm volatile("lla t0, 1f\n\tsd t0, 0(%0)\n\t.option push\n\t.option norvc\n1:\t" instruction  \
                     "\n\t.option pop" ::"r"(&page->words[WORD_PC]),                             \
                     "r"(address_)                                                               \
                     : "t0", "memory");                                                          \
    } while (0)
/* The same for a jump, whose pc is its target. */
#define JUMP_TO(where)                                                                           \
    do {                                                                                         \
        page->words[WORD_PC] = page->words[WORD_ADDRESS] = (where);                              \
        asm volatile("jr %0" ::"r"((uint64_t)(where)));                                          \
    } while (0)

static void load_unmapped(volatile struct child_page *page) { FAULT_AT("ld t1, 0(%1)", NOWHERE + 8); }
static void load_null(volatile struct child_page *page) { FAULT_AT("lbu t1, 0(%1)", 0); }
static void load_kernel(volatile struct child_page *page) { FAULT_AT("ld t1, 0(%1)", KERNEL); }
static void load_direct_map(volatile struct child_page *page)
{
    FAULT_AT("ld t1, 0(%1)", 0xffffffc080000000ul);
}
static void load_hole(volatile struct child_page *page) { FAULT_AT("ld t1, 0(%1)", 1ul << 40); }
static void load_top(volatile struct child_page *page) { FAULT_AT("ld t1, 0(%1)", USER_TOP); }
static void load_across(volatile struct child_page *page)
{
    FAULT_AT("lbu t1, 0(%1)", CHILD_STACK_TOP);
}
static void store_unmapped(volatile struct child_page *page) { FAULT_AT("sb t1, 0(%1)", NOWHERE); }
static void store_kernel(volatile struct child_page *page) { FAULT_AT("sd t1, 0(%1)", KERNEL); }
static void store_code(volatile struct child_page *page)
{
    FAULT_AT("sb t1, 0(%1)", (uint64_t)store_code);
}
static void amo_unmapped(volatile struct child_page *page)
{
    FAULT_AT("amoadd.w t1, t1, (%1)", NOWHERE);
}
static void amo_misaligned(volatile struct child_page *page)
{
    FAULT_AT("amoadd.w t1, t1, (%1)", CHILD_PAGE + 2049);
}
static void jump_unmapped(volatile struct child_page *page) { JUMP_TO(NOWHERE); }
static void jump_null(volatile struct child_page *page) { JUMP_TO(0); }
static void jump_kernel(volatile struct child_page *page) { JUMP_TO(KERNEL); }
static void jump_stack(volatile struct child_page *page)
{
    uint32_t code[2] = {0x00000013, 0x00008067}; /* nop, ret */
    asm volatile("" ::"r"(code) : "memory");
    JUMP_TO((uint64_t)code);
}
static void illegal(volatile struct child_page *page) { FAULT_AT(".word 0", ANY); }
static void ebreak(volatile struct child_page *page) { FAULT_AT("ebreak", ANY); }
static void read_sstatus(volatile struct child_page *page) { FAULT_AT("csrr t1, sstatus", ANY); }
static void write_satp(volatile struct child_page *page) { FAULT_AT("csrw satp, zero", ANY); }
static void run_sret(volatile struct child_page *page) { FAULT_AT("sret", ANY); }
static void run_fence(volatile struct child_page *page) { FAULT_AT("sfence.vma", ANY); }
static void read_cycle(volatile struct child_page *page) { FAULT_AT("rdcycle t1", ANY); }

/* The divide check that every program is compiled with ends in an ebreak. */
static void divide_by_zero(volatile struct child_page *page)
{
    volatile int zero = 0;
    page->words[WORD_PC] = page->words[WORD_ADDRESS] = ANY;
    page->words[10] = (uint64_t)(1 / zero);
}

static uint64_t deeper(volatile uint64_t *depth)
{
    volatile uint64_t here[32];
    here[0] = ++*depth;
    return *depth ? deeper(depth) + here[0] : 0;
}
static void stack_overflow(volatile struct child_page *page)
{
    page->words[WORD_PC] = page->words[WORD_ADDRESS] = ANY;
    deeper(&page->words[10]);
}

static const struct {
    const char *name;
    child_function *function;
    int64_t cause, or_cause; /* QEMU reports an atomic's fault as a load's or a store's */
} faults[] = {
    {"load-unmapped", load_unmapped, LOAD_PAGE, 0},
    {"load-null", load_null, LOAD_PAGE, 0},
    {"load-kernel", load_kernel, LOAD_PAGE, 0},
    {"load-direct-map", load_direct_map, LOAD_PAGE, 0},
    {"load-hole", load_hole, LOAD_PAGE, 0},
    {"load-top", load_top, LOAD_PAGE, 0},
    {"load-above-stack", load_across, LOAD_PAGE, 0},
    {"store-unmapped", store_unmapped, STORE_PAGE, 0},
    {"store-kernel", store_kernel, STORE_PAGE, 0},
    {"store-code", store_code, STORE_PAGE, 0},
    {"amo-unmapped", amo_unmapped, STORE_PAGE, LOAD_PAGE},
    {"amo-misaligned", amo_misaligned, STORE_MISALIGNED, LOAD_MISALIGNED},
    {"jump-unmapped", jump_unmapped, FETCH_PAGE, 0},
    {"jump-null", jump_null, FETCH_PAGE, 0},
    {"jump-kernel", jump_kernel, FETCH_PAGE, 0},
    {"jump-stack", jump_stack, FETCH_PAGE, 0},
    {"illegal", illegal, ILLEGAL, 0},
    {"ebreak", ebreak, BREAKPOINT, 0},
    {"read-sstatus", read_sstatus, ILLEGAL, 0},
    {"write-satp", write_satp, ILLEGAL, 0},
    {"sret", run_sret, ILLEGAL, 0},
    {"sfence", run_fence, ILLEGAL, 0},
    {"read-cycle", read_cycle, ILLEGAL, 0},
    {"divide-by-zero", divide_by_zero, BREAKPOINT, 0},
    {"stack-overflow", stack_overflow, STORE_PAGE, 0},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static void count_for_ever(volatile struct child_page *page)
{
    for (;;) {
        page->words[0]++;
        thread_yield();
    }
}

static void test_fault(unsigned n)
{
    struct process_status status = {0};
    struct handle_info info = {0};
    struct child child;
    bool ended = child_new(&child, faults[n].name, NULL) &&
                 child_start(&child, faults[n].function, 10) && child_wait(&child, 5000, &status);
    uint64_t pc = child.page->words[WORD_PC], address = child.page->words[WORD_ADDRESS];
    if (faults[n].function == stack_overflow) { /* just below the stack */
        address = status.address;
        if (address >= CHILD_STACK_TOP - CHILD_STACK_SIZE ||
            address < CHILD_STACK_TOP - CHILD_STACK_SIZE - PAGE_SIZE)
            address = 0;
    }
    handle_info(child.process, &info);
    child_end(&child);
    bool is_cause = status.value == faults[n].cause ||
                    (faults[n].or_cause && status.value == faults[n].or_cause);
    test_case(faults[n].name,
              ended && status.reason == EXIT_FAULT && is_cause &&
                  (pc == ANY || status.pc == pc) && (address == ANY || status.address == address) &&
                  status.pid == info.id && info.type == OBJECT_PROCESS,
              "reason %u, cause %ld, pc %lx not %lx, address %lx not %lx", status.reason,
              (long)status.value, (unsigned long)status.pc, (unsigned long)pc,
              (unsigned long)status.address, (unsigned long)address);
}

/* A page that the quota does not allow: the fault ends the toucher. */
static void touch_much(volatile struct child_page *page)
{
    handle_t memory = (handle_t)memory_create(1 << 20, 0);
    int64_t base = memory_map(0, memory, 0, 0, 1 << 20, PROT_READ | PROT_WRITE);
    for (uint64_t i = 0; i < 256; i++) {
        *(volatile char *)(base + (int64_t)(i * PAGE_SIZE)) = 1;
        page->words[2]++;
    }
}

static void test_quota_fault(void)
{
    struct process_status status = {0};
    struct process_quota quota = {.pages = 60};
    struct child child;
    child_new(&child, "greedy", &quota);
    child_start(&child, touch_much, 10);
    child_wait(&child, 5000, &status);
    uint64_t touched = child.page->words[2];
    child_end(&child);
    test_case("over-quota-touch", status.reason == EXIT_FAULT && status.value == STORE_PAGE &&
                                      touched > 10 && touched < 60,
              "reason %u, cause %ld after %lu pages", status.reason, (long)status.value,
              (unsigned long)touched);
}

/* How the other ways to end are told. */
static void exit_with(volatile struct child_page *page) { process_exit((int64_t)page->words[0]); }
static void end_thread(volatile struct child_page *page)
{
    page->words[0] = 1;
    thread_exit();
}

static void test_other_ends(void)
{
    struct process_status status = {0};
    struct child child;
    child_new(&child, "exiter", NULL);
    process_status(child.process, &status);
    test_case("status-before-start", status.reason == EXIT_RUNNING, "reason %u", status.reason);
    child.page->words[0] = (uint64_t)-77;
    child_start(&child, exit_with, 10);
    child_wait(&child, 5000, &status);
    test_case("status-exit", status.reason == EXIT_NORMAL && status.value == -77, "%u, %ld",
              status.reason, (long)status.value);
    test_case("kill-after-exit", process_kill(child.process, 5) == 0, "it failed");
    process_status(child.process, &status);
    test_case("status-stays", status.reason == EXIT_NORMAL && status.value == -77, "%u, %ld",
              status.reason, (long)status.value);
    child_end(&child);
    status = child_run(end_thread);
    test_case("status-last-thread", status.reason == EXIT_NORMAL && status.value == 0, "%u, %ld",
              status.reason, (long)status.value);
    child_new(&child, "killed", NULL);
    child_start(&child, count_for_ever, 10);
    word_wait(&child.page->words[0], 10, 5000);
    process_kill(child.process, 1234567890123);
    child_wait(&child, 5000, &status);
    uint64_t final_time = status.cpu_time;
    process_status(child.process, &status);
    test_case("status-time", final_time > 0 && status.cpu_time == final_time, "%lu ns, then %lu",
              (unsigned long)final_time, (unsigned long)status.cpu_time);
    test_case("status-killed", status.reason == EXIT_KILLED && status.value == 1234567890123,
              "%u, %ld", status.reason, (long)status.value);
    child_end(&child);
}

/* ---- Floating point and tp ---- */

#define FP_THREADS 4
#define FP_ROUNDS 300

static volatile struct child_page *const shared = (volatile struct child_page *)CHILD_PAGE;

/* Words: 0 = seed, 1 = mismatches of FP, 2 = of tp, 3 = threads done, 4 = registers not zero. */
static void fp_thread(uint64_t number)
{
    uint64_t seed = shared->words[0] + number * 1000, fresh[32], tp = seed * 16;
    fp_read(fresh);
    for (unsigned i = 0; i < 32; i++)
        __atomic_fetch_add(&shared->words[4], fresh[i] != 0, __ATOMIC_RELAXED);
    asm volatile("mv tp, %0" ::"r"(tp));
    for (unsigned round = 0; round < FP_ROUNDS; round++) {
        fp_fill(seed + round);
        for (volatile unsigned spin = 0; spin < (number * 7919 + round * 104729) % 3000; spin++)
            ;
        if (round % 3 == number % 3)
            thread_yield();
        if (round % 50 == 0)
            raw(SYS_clock_now, 0, 0, 0, 0, 0, 0);
        __atomic_fetch_add(&shared->words[1], fp_check(seed + round), __ATOMIC_RELAXED);
        uint64_t now;
        asm volatile("mv %0, tp" : "=r"(now));
        __atomic_fetch_add(&shared->words[2], now != tp, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&shared->words[3], 1, __ATOMIC_RELAXED);
}

static void fp_process(volatile struct child_page *page)
{
    for (uint64_t i = 0; i < FP_THREADS; i++)
        child_thread(fp_thread, i);
    while (page->words[3] < FP_THREADS)
        thread_yield();
}

static void test_fp_kept(void)
{
    enum { PROCESSES = 4 };
    struct child children[PROCESSES];
    uint64_t fp = 0, tp = 0, fresh = 0, done = 0;
    for (unsigned i = 0; i < PROCESSES; i++) {
        child_new(&children[i], "fp", NULL);
        children[i].page->words[0] = 0x3ff0000000000000ul + i * 1000000;
        child_start(&children[i], fp_process, 10);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        child_wait(&children[i], 10000, NULL);
        fp += children[i].page->words[1];
        tp += children[i].page->words[2];
        done += children[i].page->words[3];
        fresh += children[i].page->words[4];
        child_end(&children[i]);
    }
    test_case("fp-survives-switches", done == PROCESSES * FP_THREADS && fp == 0,
              "%lu threads ended, %lu registers differed", (unsigned long)done, (unsigned long)fp);
    test_case("tp-survives-switches", done == PROCESSES * FP_THREADS && tp == 0, "%lu differed",
              (unsigned long)tp);
    test_case("fp-of-a-new-thread-is-zero", fresh == 0, "%lu registers were not",
              (unsigned long)fresh);
}

/* Somebody's secrets are in the registers of every hart; a new process reads its own. */
static void keep_secrets(volatile struct child_page *page)
{
    for (;;) {
        fp_fill(0x5ec7e75ec7e75ec7ul);
        page->words[0]++;
        thread_yield();
    }
}
static void read_first(volatile struct child_page *page)
{
    uint64_t values[32];
    fp_read(values);
    for (unsigned i = 0; i < 32; i++)
        page->words[0] += values[i] != 0;
    uint64_t fcsr;
    asm volatile("frcsr %0" : "=r"(fcsr));
    page->words[0] += fcsr != 0;
    page->words[1] = 1;
}

static void test_fp_leak(void)
{
    enum { KEEPERS = 4, READERS = 24 };
    struct child keepers[KEEPERS], reader;
    uint64_t leaked = 0, read = 0;
    for (unsigned i = 0; i < KEEPERS; i++) {
        child_new(&keepers[i], "keeper", NULL);
        child_start(&keepers[i], keep_secrets, 10);
        word_wait(&keepers[i].page->words[0], 2, 5000);
    }
    for (unsigned i = 0; i < READERS; i++) {
        child_new(&reader, "reader", NULL);
        child_start(&reader, read_first, 10);
        child_wait(&reader, 5000, NULL);
        leaked += reader.page->words[0];
        read += reader.page->words[1];
        child_end(&reader);
    }
    for (unsigned i = 0; i < KEEPERS; i++) /* killed with their registers unsaved */
        child_end(&keepers[i]);
    test_case("fp-does-not-leak", read == READERS && leaked == 0, "%lu readers, %lu registers",
              (unsigned long)read, (unsigned long)leaked);
}

/* Caller and server both use floating point, and switch to each other directly. */
static void fp_server(volatile struct child_page *page)
{
    struct registers r = {{0}, 0};
    r.a[6] = (uint64_t)page->handles[0];
    r.a[7] = SYS_recv;
    raw_call(&r);
    for (;;) {
        uint64_t word = r.a[2];
        fp_fill(word);
        r.a[1] = TAG(0x80, 8, 0, 0, 0);
        r.a[2] = word + 1;
        r.a[6] = (uint64_t)page->handles[0];
        r.a[7] = SYS_reply_recv;
        r.t0 = 0;
        raw_call(&r);
        page->words[0] += fp_check(word);
    }
}
static void fp_client(volatile struct child_page *page)
{
    for (uint64_t round = 0; round < 500; round++) {
        uint64_t seed = 0x4000000000000000ul + round;
        if (round % 3)
            fp_fill(seed);
        page->words[1] += call_words(page->handles[0], 1, seed, 0, 0) != (int64_t)(seed + 1);
        if (round % 3)
            page->words[0] += fp_check(seed);
    }
    page->words[2] = 1;
}

static void test_fp_over_calls(void)
{
    struct child server, client;
    handle_t channel = (handle_t)channel_create(0);
    child_new(&server, "fp-server", NULL);
    child_new(&client, "fp-client", NULL);
    server.page->handles[0] = child_give(&server, channel, RIGHT_RECV | RIGHT_SEND);
    client.page->handles[0] = child_give(&client, channel, RIGHT_SEND);
    child_start(&server, fp_server, 10);
    child_start(&client, fp_client, 10);
    child_wait(&client, 5000, NULL);
    test_case("fp-survives-calls", client.page->words[2] == 1 && client.page->words[0] == 0 &&
                                       client.page->words[1] == 0 && server.page->words[0] == 0,
              "client %lu, answers %lu, server %lu differ", (unsigned long)client.page->words[0],
              (unsigned long)client.page->words[1], (unsigned long)server.page->words[0]);
    child_end(&client);
    child_end(&server);
    handle_close(channel);
}

int main(void)
{
    struct child bystander;
    child_new(&bystander, "bystander", NULL);
    child_start(&bystander, count_for_ever, 9);
    for (unsigned n = 0; n < FAULTS; n++)
        test_fault(n);
    test_quota_fault();
    test_other_ends();
    test_fp_kept();
    test_fp_leak();
    test_fp_over_calls();
    struct process_status status;
    uint64_t before = bystander.page->words[0];
    bool goes_on = word_wait(&bystander.page->words[0], before + 10, 5000);
    process_status(bystander.process, &status);
    child_end(&bystander);
    test_case("bystander-goes-on", goes_on && status.reason == EXIT_RUNNING, "reason %u",
              status.reason);
    return test_done();
}
