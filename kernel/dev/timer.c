/* Timers. Invariant: `waiting` is sorted by deadline; armed_hart's timer is set no later than the
 * first of it (it inserted it, or was the last to handle a timer interrupt). */
#include "dev/timer.h"
#include "arch/csr.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "dev/sbi.h"
#include "mm/reaper.h"
#include "proc/hooks.h"
#include "proc/scheduler.h"

#define SLICE_NS 10000000 /* 10 ms */
#define NEVER UINT64_MAX

static uint64_t ticks_per_second = 10000000, boot_ticks;
static bool has_sstc;
static struct list waiting = {&waiting, &waiting};
static uint64_t armed = NEVER; /* the deadline that armed_hart will see to, ns */
static struct hart *armed_hart;

void timer_start(const struct fdt_info *machine)
{
    ticks_per_second = machine->timebase;
    has_sstc = machine->cpus[0].sstc;
    boot_ticks = time_read();
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    return ticks / ticks_per_second * 1000000000 +
           ticks % ticks_per_second * 1000000000 / ticks_per_second;
}

static uint64_t ns_to_ticks(uint64_t ns)
{
    return ns / 1000000000 * ticks_per_second + ns % 1000000000 * ticks_per_second / 1000000000;
}

uint64_t time_now(void) { return ticks_to_ns(time_read() - boot_ticks); }

void timer_wait(struct thread *thread, uint64_t deadline)
{
    thread->deadline = deadline;
    struct list *at = waiting.prev;
    while (at != &waiting && container_of(at, struct thread, deadline_link)->deadline > deadline)
        at = at->prev;
    list_insert(at->next, &thread->deadline_link);
}

void timer_cancel_waiting(struct thread *thread)
{
    thread->deadline = 0;
    list_remove(&thread->deadline_link);
}

static void expire(uint64_t now)
{
    while (!list_empty(&waiting)) {
        struct thread *thread = container_of(waiting.next, struct thread, deadline_link);
        if (thread->deadline > now)
            return;
        timer_cancel_waiting(thread);
        receive_timed_out(thread);
    }
}

void timer_interrupt(void)
{
    struct hart *hart = this_hart();
    uint64_t now = time_now();
    if (armed <= now)
        armed = NEVER;
    expire(now);
    if (hart->slice_end && hart->slice_end <= now) {
        hart->slice_over = true;
        hart->slice_end = 0;
    }
    hart->timer_set = 0; /* whatever it was set to has passed or is set again */
}

void timer_program(struct hart *hart)
{
    uint64_t first = NEVER;
    if (armed_hart == hart)
        armed = NEVER; /* what this hart's timer was set to is set anew below */
    if (!list_empty(&waiting)) {
        first = container_of(waiting.next, struct thread, deadline_link)->deadline;
        if (armed <= first) {
            first = NEVER; /* another hart sees to it */
        } else {
            armed = first;
            armed_hart = hart;
        }
    }
    if (hart->current && (scheduler_ready_count() || reaper_pending())) {
        if (!hart->slice_end)
            hart->slice_end = time_now() + SLICE_NS;
        first = hart->slice_end < first ? hart->slice_end : first;
    }
    if (first == hart->timer_set)
        return;
    hart->timer_set = first;
    uint64_t ticks = first == NEVER ? NEVER : boot_ticks + ns_to_ticks(first) + 1;
    if (has_sstc)
        csr_write(0x14d, ticks); /* stimecmp */
    else
        sbi_set_timer(ticks);
}
