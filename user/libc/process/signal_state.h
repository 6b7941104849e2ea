/* The state of signals in this process. */
#pragma once

#include "cairn/thread.h"
#include <signal.h>

struct signal_state {
    struct mutex lock;
    struct condition changed; /* pending or handled changed */
    struct sigaction actions[NSIG];
    uint64_t blocked, pending, awaited; /* bit n = signal n; awaited: by sigwait */
    uint64_t handled;                   /* how many handlers have run */
    struct thread *receiver;
};
extern struct signal_state signal_state;

/* signals_run: runs the handlers of what is pending and not blocked. */
void signals_run(void);

/* signals_await: has these signals delivered instead of killing, from now on. 0 or -errno. */
int signals_await(uint64_t set);
