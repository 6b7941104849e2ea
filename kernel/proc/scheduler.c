/* The scheduler. Invariant: ready_mask has a bit for each non-empty queue; a thread is in a
 * queue if and only if its state is THREAD_READY. */
#include "proc/scheduler.h"
#include "arch/csr.h"
#include "boot/stages.h"
#include "dev/sbi.h"
#include "dev/timer.h"
#include "lib/log.h"
#include "mm/kalloc.h"
#include "proc/process.h"
#include "mm/reaper.h"
#include "trap/trap.h"

#define REAP_STEPS 32 /* of 64 pages at most: a third of a millisecond in 10 */

static struct list ready[PRIORITIES];
uint32_t ready_mask;
static uint32_t ready_count;
uint64_t scheduler_switches;

void fp_save(struct fp_state *state);       /* proc/fp.S */
void fp_restore(const struct fp_state *state);

void scheduler_start(void)
{
    for (int i = 0; i < PRIORITIES; i++)
        list_init(&ready[i]);
}

unsigned scheduler_ready_count(void) { return ready_count; }

static void enqueue(struct thread *thread, bool front)
{
    struct list *queue = &ready[thread->priority];
    thread->state = THREAD_READY;
    if (front)
        list_push_front(queue, &thread->link);
    else
        list_push_back(queue, &thread->link);
    ready_mask |= 1u << thread->priority;
    ready_count++;
}

static void dequeue(struct thread *thread)
{
    list_remove(&thread->link);
    if (list_empty(&ready[thread->priority]))
        ready_mask &= ~(1u << thread->priority);
    ready_count--;
}

/* exercise 2.3 */
void thread_make_ready(struct thread *thread)
{
    enqueue(thread, false);
    for (uint64_t mask = harts_online; mask; mask &= mask - 1) {
        struct hart *hart = &harts[__builtin_ctzl(mask)];
        if (hart == this_hart() || !hart->current || hart->idle)
            continue;
        /* It looks again on its way out: at the queues, or at the time slice of a thread that had
         * nobody to share with so far. */
        unsigned running = hart->current->priority;
        if (running < thread->priority || (running == thread->priority && !hart->slice_end)) {
            sbi_send_ipi(1ul << hart->id);
            return;
        }
    }
}
/* end 2.3 */

void thread_set_priority(struct thread *thread, unsigned priority)
{
    if (thread->state == THREAD_READY) {
        dequeue(thread);
        thread->priority = (uint8_t)priority;
        enqueue(thread, false);
    } else {
        thread->priority = (uint8_t)priority;
    }
}

/* Takes a thread that is about to die out of the ready queue. */
void scheduler_forget(struct thread *thread)
{
    if (thread->state == THREAD_READY)
        dequeue(thread);
}

void fp_release(struct thread *thread)
{
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        if (harts[i].fp_owner != thread)
            continue;
        harts[i].fp_owner = NULL;
        if (&harts[i] == this_hart())
            csr_clear(sstatus, SSTATUS_FS); /* nobody is left to save them for */
    }
}

bool fp_enable(struct thread *thread)
{
    struct hart *hart = this_hart();
    if (!thread->fp) {
        thread->fp = kalloc(sizeof(*thread->fp));
        if (!thread->fp)
            return false;
    }
    csr_set(sstatus, SSTATUS_FS_DIRTY);
    fp_restore(thread->fp);
    csr_clear(sstatus, SSTATUS_FS);
    csr_set(sstatus, SSTATUS_FS_CLEAN);
    hart->fp_owner = thread;
    thread->fp_hart = hart;
    return true;
}

/* Saves what the thread that leaves has changed: it may go on at another hart. Leaves FP off unless
 * the registers are next's (NULL: nobody's). */
static void fp_switch(struct hart *hart, struct thread *next)
{
    uint64_t status = csr_read(sstatus) & SSTATUS_FS;
    if (status == SSTATUS_FS_DIRTY) {
        fp_save(hart->fp_owner->fp);
        csr_clear(sstatus, SSTATUS_FS);
        csr_set(sstatus, SSTATUS_FS_CLEAN);
        status = SSTATUS_FS_CLEAN;
    }
    bool mine = next && hart->fp_owner == next && next->fp_hart == hart;
    if (mine == (status != SSTATUS_FS_OFF))
        return;
    csr_clear(sstatus, SSTATUS_FS);
    if (mine)
        csr_set(sstatus, SSTATUS_FS_CLEAN);
}

/* Charges the time since the last switch to whoever had it, and starts next's. */
static void account(struct hart *hart, struct thread *next)
{
    uint64_t now = time_read();
    if (hart->charged)
        hart->charged->process->cpu_ticks += now - hart->switch_time;
    hart->charged = next;
    hart->switch_time = now;
}

/* exercise 2.4 */
void switch_to(struct thread *next)
{
    struct hart *hart = this_hart();
    account(hart, next);
    fp_switch(hart, next);
    struct address_space *space = &next->process->space;
    if (hart->satp != space->satp)
        space_enter(space);
    next->hart = hart;
    next->state = THREAD_RUNNING;
    hart->current = next;
    scheduler_switches++;
}
/* end 2.4 */

/* The thread is gone or going: its time is charged now, while its process is there. */
void scheduler_leave(struct thread *thread)
{
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        if (harts[i].charged == thread)
            account(&harts[i], NULL);
    }
}

/* Waits with the lock dropped until something is ready. An interrupt that is pending wakes wfi
 * although interrupts are off; it is handled here, as there is no thread to take a trap. */
static void idle(struct hart *hart)
{
    csr_write(satp, SATP_SV39 | virt_to_phys(kernel_page_table) >> PAGE_SHIFT);
    hart->satp = 0;
    account(hart, NULL);
    fp_switch(hart, NULL);
    hart->idle = true;
    while (!ready_mask) {
        if (reaper_step()) {
            kernel_unlock(); /* others may want it between two steps */
            kernel_lock();
            continue;
        }
        hart->slice_end = 0;
        timer_program(hart);
        kernel_unlock();
        asm volatile("wfi" ::: "memory");
        kernel_lock();
        hart->kicked = false;
        interrupts_poll();
    }
    hart->idle = false;
    uint64_t now = time_read();
    hart->idle_ticks += now - hart->switch_time;
    hart->switch_time = now;
}

/* More is ready than this hart can run: wake one that sleeps. */
static void kick_idle(const struct hart *self)
{
    for (uint64_t mask = harts_online & ~(1ul << self->id); mask; mask &= mask - 1) {
        unsigned id = (unsigned)__builtin_ctzl(mask);
        if (harts[id].idle && !harts[id].kicked) {
            harts[id].kicked = true;
            sbi_send_ipi(1ul << id);
            return;
        }
    }
}

/* What is left of the current slice: a thread that is often interrupted must not get a new one
 * each time, or its equals would never run. */
static uint64_t slice_rest(const struct hart *hart)
{
    uint64_t now = time_now();
    return hart->slice_end > now ? hart->slice_end - now : hart->slice_end != 0;
}

/* exercise 2.5 */
static void choose(struct hart *hart)
{
    struct thread *current = hart->current;
    bool slice_over = hart->slice_over;
    hart->slice_over = false;
    if (current) {
        bool rotate = slice_over && (ready_mask >> current->priority & 1);
        if (!scheduler_ready_above(current->priority) && !rotate)
            return;
        hart->current = NULL;
        current->slice_left = rotate ? 0 : slice_rest(hart);
        enqueue(current, !rotate);
    }
    if (!ready_mask)
        idle(hart);
    unsigned top = 31 - (unsigned)__builtin_clz(ready_mask);
    struct thread *next = container_of(ready[top].next, struct thread, link);
    dequeue(next);
    switch_to(next);
    hart->slice_end = next->slice_left ? time_now() + next->slice_left : 0;
    next->slice_left = 0;
}
/* end 2.5 */

void scheduler_exit(void)
{
    struct hart *hart = this_hart();
    /* It may end the current thread, or make a more urgent one ready. At the end of a slice it may
     * take longer: threads that talk over the fast path come by here only then. */
    for (int steps = hart->slice_over ? REAP_STEPS : 1; steps && reaper_step(); steps--)
        ;
    choose(hart);
    if (ready_mask || reaper_pending())
        kick_idle(hart);
    timer_program(hart);
}
