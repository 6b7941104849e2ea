/* Threads of one process, and what they wait for each other with.
 *
 * A thread that must wait parks on a channel of its own, made the first time it does so; who
 * wakes it pulses that channel. The uncontended paths are a single atomic instruction. None of
 * the objects here may be shared between processes. */
#pragma once

#include "cairn/ipc.h"
#include <stdbool.h>

struct thread;
struct waiter;

#define THREAD_STACK_DEFAULT (256 * 1024ul)

/* thread_start: runs fn(argument) in a new thread of the caller's priority, on a stack of at
 * least stack_size bytes (0 = default) below which lies a guard page, with its own thread-local
 * variables. NULL when memory, handles or threads are used up, with the reason in *error. */
struct thread *thread_start(void *(*fn)(void *), void *argument, size_t stack_size, int *error);

/* thread_join: waits for the end of a thread, frees it, and gives what its function returned.
 * Each thread is joined or detached once. -EDEADLK for the caller itself. */
int thread_join(struct thread *thread, void **result);

/* thread_detach: the thread is freed when it ends. */
void thread_detach(struct thread *thread);

/* thread_finish: ends the calling thread as if its function had returned result. In the first
 * thread: ends that thread, the process goes on while it has others. */
_Noreturn void thread_finish(void *result);

struct thread *thread_self(void);

/* thread_on_exit: the one hook that runs in each ending thread, before its memory goes. */
void thread_on_exit(void (*hook)(void));

/* A lock. All zero = unlocked, nothing to initialize or destroy. */
struct mutex {
    uint32_t state; /* 0 free, 1 taken, 2 taken and somebody may wait */
    uint32_t guard; /* spin lock over the list */
    struct waiter *first, *last;
};
#define MUTEX_INIT {0, 0, NULL, NULL}

void mutex_lock(struct mutex *mutex);
bool mutex_try_lock(struct mutex *mutex);
/* mutex_lock_deadline: 0, or -ETIMEDOUT. */
int mutex_lock_deadline(struct mutex *mutex, uint64_t deadline);
void mutex_unlock(struct mutex *mutex);

/* A condition variable. All zero = no waiters. Wake-ups may be spurious: test again. */
struct condition {
    uint32_t guard;
    struct waiter *first, *last;
};
#define CONDITION_INIT {0, NULL, NULL}

/* condition_wait: 0, or -ETIMEDOUT; holds the mutex again in either case. */
int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
