/* The scheduler, from inside: thread_make_ready, switch_to and scheduler_exit, with threads that
 * never run a program. */
#include "proc/scheduler.h"
#include "dev/timer.h"
#include "mm/reaper.h"
#include "support.h"

#define THREADS    32
#define FAKE_HART  5
#define OTHER_HART 6

static struct thread *threads[THREADS];
static size_t thread_count;

static long index_of(const struct thread *thread)
{
    for (size_t i = 0; i < thread_count; i++) {
        if (threads[i] == thread)
            return (long)i;
    }
    return -1;
}

static long index_of_link(const struct list *link)
{
    for (size_t i = 0; i < thread_count; i++) {
        if (&threads[i]->link == link)
            return (long)i;
    }
    return -1;
}

static void make_threads(struct process *process, size_t count, struct workload *workload)
{
    for (thread_count = 0; thread_count < count; thread_count++)
        threads[thread_count] = test_thread(process, (uint32_t)workload_next(workload));
}

/* Another hart, which runs a thread or idles, as the workload says. */
static void play_hart(struct hart *hart, uint32_t id, struct thread *runs,
                      struct workload *workload)
{
    enum { ABSENT, IDLE, ENDLESS, SLICED };
    uint64_t state = workload_next(workload);
    runs->priority = (uint8_t)workload_next(workload);
    hart->id = id;
    hart->idle = state == IDLE;
    hart->current = state == ENDLESS || state == SLICED ? runs : NULL;
    hart->slice_end = state == SLICED ? time_now() + 5000000 : 0;
    harts_online = state == ABSENT ? harts_online & ~(1ul << id) : harts_online | 1ul << id;
}

/* One thread becomes ready while two other harts do something; this one is a fake, the real one is
 * the first of the others, as it can tell whether it is interrupted. */
KERNEL_TEST(make_ready)
{
    struct hart *real = this_hart(), *fake = &harts[FAKE_HART];
    struct process *process = test_process(0, 0);
    struct thread *busy[] = {test_thread(process, 1), test_thread(process, 1),
                             test_thread(process, 1)};
    uint64_t count = workload_next(workload);
    make_threads(process, count, workload);
    fake->id = FAKE_HART;
    fake->stack_top = real->stack_top;
    for (size_t i = 0; i < count; i++) {
        play_hart(real, real->id, busy[0], workload);
        play_hart(&harts[OTHER_HART], OTHER_HART, busy[1], workload);
        play_hart(fake, FAKE_HART, busy[2], workload);
        software_interrupt();
        become_hart(fake);
        thread_make_ready(threads[i]);
        become_hart(real);
        kprintf("ready %d %u %u %d\n", threads[i]->state == THREAD_READY, ready_mask,
                scheduler_ready_count(), software_interrupt());
    }
    for (size_t i = 0; i < count; i++)
        kprintf("next %ld\n", index_of_link(threads[i]->link.next));
}

void fp_save(struct fp_state *state); /* proc/fp.S */
void fp_restore(const struct fp_state *state);

/* As a program would that uses floating point: sums up what it finds, leaves something new. */
static uint64_t use_fp(struct thread *thread, uint64_t seed)
{
    struct fp_state state;
    uint64_t sum = 0;
    if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_OFF && !fp_enable(thread))
        panic("no memory for floating-point registers");
    fp_save(&state);
    for (int i = 0; i < 32; i++) {
        sum = sum * 31 + state.f[i];
        state.f[i] = seed * (uint64_t)(2 * i + 1);
    }
    sum = sum * 31 + state.fcsr;
    state.fcsr = seed & 0x9f; /* flags, and a rounding mode that there is */
    fp_restore(&state);
    return sum;
}

static void burn(uint64_t ticks)
{
    for (uint64_t end = time_read() + ticks; time_read() < end;)
        ;
}

KERNEL_TEST(switch)
{
    enum { PROCESSES = 4, TICKS = 2000 };
    struct process *processes[PROCESSES];
    struct hart *hart = this_hart();
    for (thread_count = 0; thread_count < 2 * PROCESSES; thread_count++) {
        if (thread_count < PROCESSES)
            processes[thread_count] = test_process(0, 0);
        threads[thread_count] = test_thread(processes[thread_count % PROCESSES], 8);
    }
    while (workload_more(workload)) {
        struct thread *next = threads[workload_next(workload)];
        uint64_t seed = workload_next(workload);
        uint64_t ticks[PROCESSES];
        for (int i = 0; i < PROCESSES; i++)
            ticks[i] = processes[i]->cpu_ticks;
        if (hart->current)
            hart->current->state = THREAD_RECEIVING;
        next->hart = NULL;
        switch_to(next);
        kprintf("switched %ld %d %d %d %d", index_of(hart->current), next->state == THREAD_RUNNING,
                next->hart == hart, csr_read(satp) == next->process->space.satp,
                hart->satp == next->process->space.satp);
        for (int i = 0; i < PROCESSES; i++)
            kprintf(" %d", processes[i]->cpu_ticks - ticks[i] >= TICKS);
        kprintf(" 0x%lx\n", seed ? use_fp(next, seed) : 0);
        burn(TICKS);
    }
}

/* Makes a thread ready after some steps of the reaper: as if something it waited for happened
 * while the hart idles. */
static struct {
    struct reapable reap;
    struct thread *thread;
    uint64_t steps;
} wake;

static enum reap_result wake_step(struct reapable *self)
{
    (void)self;
    if (wake.steps--)
        return REAP_MORE;
    thread_make_ready(wake.thread);
    return REAP_DONE;
}

static uint64_t slice_rest_now(void)
{
    uint64_t now = time_now(), end = this_hart()->slice_end;
    return end > now ? end - now : 0;
}

static void do_exit(void)
{
    struct hart *hart = this_hart();
    uint64_t before = slice_rest_now(), counted = hart->slice_end;
    scheduler_exit();
    kprintf("runs %ld %u %u %d %d %lu %lu %d\n", index_of(hart->current), ready_mask,
            scheduler_ready_count(), hart->slice_over,
            hart->current && hart->current->state == THREAD_RUNNING, counted ? before : 0,
            slice_rest_now(), hart->slice_end != 0);
}

KERNEL_TEST(scheduler)
{
    enum { OP_READY, OP_PRIORITY, OP_SLICE_OVER, OP_BLOCK, OP_WAKE, OP_CUT, OP_EXIT };
    struct hart *hart = this_hart();
    uint64_t count = workload_next(workload);
    make_threads(test_process(0, 0), count, workload);
    while (workload_more(workload)) {
        uint64_t op = workload_next(workload), a = workload_next(workload);
        uint64_t b = workload_next(workload);
        switch (op) {
        case OP_READY:
            thread_make_ready(threads[a]);
            break;
        case OP_PRIORITY:
            thread_set_priority(threads[a], (unsigned)b);
            break;
        case OP_SLICE_OVER: /* as timer_interrupt does it */
            hart->slice_over = true;
            hart->slice_end = 0;
            break;
        case OP_BLOCK: /* as a system call that waits does it */
            hart->current->state = THREAD_RECEIVING;
            hart->current = NULL;
            break;
        case OP_WAKE: /* b = after how many steps */
            wake.thread = threads[a];
            wake.steps = b;
            reaper_add(&wake.reap, wake_step);
            break;
        case OP_CUT: /* the current thread has used most of its slice */
            hart->slice_end = time_now() + 1000000;
            break;
        case OP_EXIT:
            do_exit();
            break;
        }
    }
}
