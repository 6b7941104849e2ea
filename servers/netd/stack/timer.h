/* Timers in virtual time: a binary heap, so that thousands cost little and the next is known. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer {
    uint64_t due;                                       /* ns */
    uint32_t position;                                  /* in the heap, from 1; 0 = not running */
    void (*expired)(struct timer *timer, uint64_t now); /* stopped already; may start it again */
};

struct timers {
    struct timer **heap; /* [1 .. count] */
    uint32_t count, capacity;
};

/* timers_init: room for capacity running timers in slots[capacity + 1]. */
void timers_init(struct timers *timers, struct timer **slots, uint32_t capacity);

/* timer_start: (re)starts; false only if capacity is used up, which who sizes it rules out. */
bool timer_start(struct timers *timers, struct timer *timer, uint64_t due);
void timer_stop(struct timers *timers, struct timer *timer);
static inline bool timer_running(const struct timer *timer) { return timer->position != 0; }

/* timers_run: expires what is due. timers_next: when the next one is, 0 = none runs. */
void timers_run(struct timers *timers, uint64_t now);
uint64_t timers_next(const struct timers *timers);
