/* POSIX mutexes and condition variables over the native ones, with owner and depth on top. */
#include "deadline.h"
#include <errno.h>
#include <pthread.h>

int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    attributes->type = PTHREAD_MUTEX_DEFAULT;
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int type)
{
    if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    attributes->type = type;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attributes, int *restrict type)
{
    *type = attributes->type;
    return 0;
}

int pthread_mutex_init(pthread_mutex_t *restrict mutex,
                       const pthread_mutexattr_t *restrict attributes)
{
    *mutex = (pthread_mutex_t){.type = attributes ? attributes->type : PTHREAD_MUTEX_DEFAULT};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return mutex->mutex.state == 0 ? 0 : EBUSY;
}

static struct thread *owner_of(pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
}

/* The caller's own mutex: deeper, or an error; -1 = not its own, so wait for it. */
static int relock(pthread_mutex_t *mutex)
{
    if (mutex->type == PTHREAD_MUTEX_NORMAL || owner_of(mutex) != thread_self())
        return -1;
    if (mutex->type == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    mutex->depth++;
    return 0;
}

static int own(pthread_mutex_t *mutex)
{
    __atomic_store_n(&mutex->owner, thread_self(), __ATOMIC_RELAXED);
    mutex->depth = 1;
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int result = relock(mutex);
    if (result >= 0)
        return result;
    mutex_lock(&mutex->mutex);
    return own(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int result = relock(mutex);
    if (result >= 0)
        return result == EDEADLK ? EBUSY : result;
    return mutex_try_lock(&mutex->mutex) ? own(mutex) : EBUSY;
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    int result = relock(mutex);
    if (result >= 0)
        return result;
    result = mutex_lock_deadline(&mutex->mutex, deadline_of(CLOCK_REALTIME, until));
    return result < 0 ? -result : own(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (mutex->type != PTHREAD_MUTEX_NORMAL && owner_of(mutex) != thread_self())
        return EPERM;
    if (--mutex->depth > 0)
        return 0;
    __atomic_store_n(&mutex->owner, NULL, __ATOMIC_RELAXED);
    mutex_unlock(&mutex->mutex);
    return 0;
}

int pthread_condattr_init(pthread_condattr_t *attributes)
{
    attributes->clock = CLOCK_REALTIME;
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attributes->clock = clock;
    return 0;
}

int pthread_cond_init(pthread_cond_t *restrict condition,
                      const pthread_condattr_t *restrict attributes)
{
    *condition = (pthread_cond_t){.clock = attributes ? attributes->clock : CLOCK_REALTIME};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *condition)
{
    return condition->condition.first ? EBUSY : 0;
}

/* The native wait gives the inner mutex up and takes it again: owner and depth follow. */
static int wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline)
{
    if (mutex->type != PTHREAD_MUTEX_NORMAL && owner_of(mutex) != thread_self())
        return EPERM;
    int depth = mutex->depth;
    __atomic_store_n(&mutex->owner, NULL, __ATOMIC_RELAXED);
    int result = condition_wait(&condition->condition, &mutex->mutex, deadline);
    own(mutex);
    mutex->depth = depth;
    return -result;
}

int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    return wait_until(condition, mutex, NO_DEADLINE);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    return wait_until(condition, mutex, deadline_of(condition->clock, until));
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    condition_signal(&condition->condition);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    condition_broadcast(&condition->condition);
    return 0;
}
