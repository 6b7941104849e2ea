/* The heap of timers. Invariant: heap[i]->position == i, and no timer is due before its parent
 * heap[i / 2]. */
#include "timer.h"
#include <stddef.h>

void timers_init(struct timers *timers, struct timer **slots, uint32_t capacity)
{
    *timers = (struct timers){.heap = slots, .capacity = capacity};
}

static void place(struct timers *timers, struct timer *timer, uint32_t position)
{
    timers->heap[position] = timer;
    timer->position = position;
}

/* sift: finds the place of a timer, whose slot `hole` is free. */
static void sift(struct timers *timers, struct timer *timer, uint32_t hole)
{
    struct timer **heap = timers->heap;
    for (; hole > 1 && timer->due < heap[hole / 2]->due; hole /= 2)
        place(timers, heap[hole / 2], hole);
    for (uint32_t child; (child = 2 * hole) <= timers->count; hole = child) {
        if (child < timers->count && heap[child + 1]->due < heap[child]->due)
            child++;
        if (timer->due <= heap[child]->due)
            break;
        place(timers, heap[child], hole);
    }
    place(timers, timer, hole);
}

bool timer_start(struct timers *timers, struct timer *timer, uint64_t due)
{
    if (!timer_running(timer)) {
        if (timers->count == timers->capacity)
            return false;
        timer->position = ++timers->count;
    }
    timer->due = due;
    sift(timers, timer, timer->position);
    return true;
}

void timer_stop(struct timers *timers, struct timer *timer)
{
    if (!timer_running(timer))
        return;
    const uint32_t hole = timer->position;
    struct timer *last = timers->heap[timers->count--];
    timer->position = 0;
    if (last != timer)
        sift(timers, last, hole);
}

void timers_run(struct timers *timers, uint64_t now)
{
    while (timers->count && timers->heap[1]->due <= now) {
        struct timer *timer = timers->heap[1];
        timer_stop(timers, timer);
        timer->expired(timer, now);
    }
}

uint64_t timers_next(const struct timers *timers)
{
    return timers->count ? timers->heap[1]->due : 0;
}
