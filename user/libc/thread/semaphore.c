/* Counting semaphores. */
#include "../file/fd.h"
#include "deadline.h"
#include <errno.h>
#include <limits.h>
#include <semaphore.h>

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (shared)
        return (int)libc_error(-ENOSYS);
    *semaphore = (sem_t){.value = value};
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    return (int)libc_error(semaphore->more.first ? -EBUSY : 0);
}

static int wait_until(sem_t *semaphore, uint64_t deadline)
{
    int error = 0;
    mutex_lock(&semaphore->lock);
    while (semaphore->value == 0 && error == 0)
        error = condition_wait(&semaphore->more, &semaphore->lock, deadline);
    if (semaphore->value > 0) {
        semaphore->value--;
        error = 0;
    }
    mutex_unlock(&semaphore->lock);
    return (int)libc_error(error);
}

int sem_wait(sem_t *semaphore)
{
    return wait_until(semaphore, NO_DEADLINE);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    return wait_until(semaphore, deadline_of(CLOCK_REALTIME, until));
}

int sem_trywait(sem_t *semaphore)
{
    mutex_lock(&semaphore->lock);
    bool taken = semaphore->value > 0;
    semaphore->value -= taken;
    mutex_unlock(&semaphore->lock);
    return (int)libc_error(taken ? 0 : -EAGAIN);
}

int sem_post(sem_t *semaphore)
{
    mutex_lock(&semaphore->lock);
    bool fits = semaphore->value < INT_MAX;
    semaphore->value += fits;
    mutex_unlock(&semaphore->lock);
    condition_signal(&semaphore->more);
    return (int)libc_error(fits ? 0 : -EOVERFLOW);
}

int sem_getvalue(sem_t *restrict semaphore, int *restrict value)
{
    *value = (int)__atomic_load_n(&semaphore->value, __ATOMIC_RELAXED);
    return 0;
}
