/* What the thread control block holds, for the files that start threads and let them wait. */
#pragma once

#include "cairn/thread.h"

struct thread {
    handle_t parker; /* channel this thread waits on, 0 = not made yet */
    handle_t memory; /* its stack and thread-local variables, 0 = first thread */
    uint64_t base;   /* of the mapping */
    size_t size;
    void *(*fn)(void *);
    void *argument, *result;
    struct mutex lock; /* of what follows */
    bool done, detached;
    struct thread *joiner;
    uint32_t gone; /* set by the thread's last instruction but one: its stack may go */
    struct thread *next; /* in the list of detached threads that have ended */
};

/* Set for good before the first thread_start starts anything: until then nothing needs a lock. */
extern bool threads_exist;

/* thread_park: waits for one wake-up. 0, or -ETIMEDOUT. */
int thread_park(uint64_t deadline);
void thread_unpark(struct thread *thread);
