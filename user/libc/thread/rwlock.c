/* Read-write locks; a waiting writer holds back new readers, so that it gets its turn. */
#include <errno.h>
#include <pthread.h>

int pthread_rwlock_init(pthread_rwlock_t *restrict lock,
                        const pthread_rwlockattr_t *restrict attributes)
{
    (void)attributes;
    *lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    return lock->readers == 0 ? 0 : EBUSY;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    mutex_lock(&lock->lock);
    while (lock->readers < 0 || lock->writers_waiting > 0)
        condition_wait(&lock->changed, &lock->lock, NO_DEADLINE);
    lock->readers++;
    mutex_unlock(&lock->lock);
    return 0;
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    mutex_lock(&lock->lock);
    bool free = lock->readers >= 0 && lock->writers_waiting == 0;
    lock->readers += free;
    mutex_unlock(&lock->lock);
    return free ? 0 : EBUSY;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    mutex_lock(&lock->lock);
    lock->writers_waiting++;
    while (lock->readers != 0)
        condition_wait(&lock->changed, &lock->lock, NO_DEADLINE);
    lock->writers_waiting--;
    lock->readers = -1;
    mutex_unlock(&lock->lock);
    return 0;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    mutex_lock(&lock->lock);
    bool free = lock->readers == 0;
    if (free)
        lock->readers = -1;
    mutex_unlock(&lock->lock);
    return free ? 0 : EBUSY;
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    mutex_lock(&lock->lock);
    lock->readers = lock->readers < 0 ? 0 : lock->readers - 1;
    bool free = lock->readers == 0;
    mutex_unlock(&lock->lock);
    if (free)
        condition_broadcast(&lock->changed);
    return 0;
}
