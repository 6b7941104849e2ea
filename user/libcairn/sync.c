/* Mutex and condition variable: atomics first, a pulse to the waiter's own channel when contended.
 *
 * Invariant: a waiter that has left a list by another's hand has exactly one wake-up under way,
 * and consumes it before it goes on; so no pulse is left over for its next wait. */
#include "cairn/thread.h"

#include "cairn/syscall.h"
#include "thread.h"

struct waiter {
    struct waiter *next;
    struct thread *thread;
};

#define SPINS 100 /* about what a wake-up costs the waker alone */

/* The lists are held for a few instructions, so spin; but sleep soon, in case that the holder
 * has a lower priority and this hart. */
static void guard_take(uint32_t *guard)
{
    for (unsigned tries = 0; __atomic_exchange_n(guard, 1, __ATOMIC_ACQUIRE); tries++) {
        if (tries < SPINS)
            continue;
        if (tries < SPINS + 10)
            thread_yield();
        else
            sleep_until((uint64_t)clock_now() + 50000);
    }
}

static void guard_drop(uint32_t *guard)
{
    __atomic_store_n(guard, 0, __ATOMIC_RELEASE);
}

static void list_append(struct waiter **first, struct waiter **last, struct waiter *w)
{
    w->next = NULL;
    if (*first)
        (*last)->next = w;
    else
        *first = w;
    *last = w;
}

static struct waiter *list_pop(struct waiter **first)
{
    struct waiter *w = *first;
    if (w)
        *first = w->next;
    return w;
}

static bool list_remove(struct waiter **first, struct waiter **last, struct waiter *w)
{
    struct waiter *before = NULL;
    for (struct waiter *at = *first; at; before = at, at = at->next) {
        if (at != w)
            continue;
        if (before)
            before->next = w->next;
        else
            *first = w->next;
        if (*last == w)
            *last = before;
        return true;
    }
    return false;
}

/* Parks until woken. After the deadline leaves the list; -ETIMEDOUT. */
static int wait_in_list(uint32_t *guard, struct waiter **first, struct waiter **last,
                        struct waiter *w, uint64_t deadline)
{
    if (thread_park(deadline) == 0)
        return 0;
    guard_take(guard);
    bool removed = list_remove(first, last, w);
    guard_drop(guard);
    if (removed)
        return -ETIMEDOUT;
    thread_park(NO_DEADLINE); /* woken at that very moment: take the pulse */
    return 0;
}

bool mutex_try_lock(struct mutex *mutex)
{
    uint32_t free = 0;
    return __atomic_compare_exchange_n(&mutex->state, &free, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

int mutex_lock_deadline(struct mutex *mutex, uint64_t deadline)
{
    for (unsigned spins = 0; spins < SPINS; spins++)
        if (__atomic_load_n(&mutex->state, __ATOMIC_RELAXED) == 0 && mutex_try_lock(mutex))
            return 0;
    struct waiter w = {NULL, thread_self()};
    for (;;) {
        guard_take(&mutex->guard);
        if (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE) == 0) {
            guard_drop(&mutex->guard);
            return 0;
        }
        list_append(&mutex->first, &mutex->last, &w);
        guard_drop(&mutex->guard);
        if (wait_in_list(&mutex->guard, &mutex->first, &mutex->last, &w, deadline) < 0)
            return -ETIMEDOUT;
    }
}

void mutex_lock(struct mutex *mutex)
{
    mutex_lock_deadline(mutex, NO_DEADLINE);
}

void mutex_unlock(struct mutex *mutex)
{
    if (__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) != 2)
        return;
    guard_take(&mutex->guard);
    struct waiter *w = list_pop(&mutex->first);
    struct thread *thread = w ? w->thread : NULL;
    guard_drop(&mutex->guard);
    if (thread)
        thread_unpark(thread);
}

int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline)
{
    struct waiter w = {NULL, thread_self()};
    guard_take(&condition->guard);
    list_append(&condition->first, &condition->last, &w);
    guard_drop(&condition->guard);
    mutex_unlock(mutex);
    int result = wait_in_list(&condition->guard, &condition->first, &condition->last, &w, deadline);
    mutex_lock(mutex);
    return result;
}

void condition_signal(struct condition *condition)
{
    if (!__atomic_load_n(&condition->first, __ATOMIC_RELAXED))
        return;
    guard_take(&condition->guard);
    struct waiter *w = list_pop(&condition->first);
    struct thread *thread = w ? w->thread : NULL;
    guard_drop(&condition->guard);
    if (thread)
        thread_unpark(thread);
}

void condition_broadcast(struct condition *condition)
{
    guard_take(&condition->guard);
    struct waiter *w = condition->first;
    condition->first = NULL;
    guard_drop(&condition->guard);
    while (w) {
        struct waiter *next = w->next; /* gone as soon as its thread is woken */
        thread_unpark(w->thread);
        w = next;
    }
}
