/* The locks that picolibc asks for around malloc, stdio and atexit. */
#include "lock.h"

#include "../../libcairn/thread.h"
#include <stdlib.h>
#include <sys/lock.h>

/* Recursive throughout: the two kinds share one type, and the owner test costs nothing more. */
struct __lock {
    struct mutex mutex;
    struct thread *owner;
    unsigned depth;
};

struct __lock __lock___libc_recursive_mutex;
static struct __lock standard_locks[3];

_LOCK_T lock_standard(int fd)
{
    return &standard_locks[fd];
}

static bool is_static(_LOCK_T lock)
{
    return lock >= standard_locks && lock < standard_locks + 3;
}

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof **lock);
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    if (!is_static(lock))
        free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    __retarget_lock_close(lock);
}

/* A lock that could not be allocated is NULL: better unlocked than a crash. Alone in the process,
 * a thread takes no locks; none is held across thread_start. */
void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    struct thread *self = thread_self();
    if (!lock || !threads_exist)
        return;
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self) {
        mutex_lock(&lock->mutex);
        __atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
    }
    lock->depth++;
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    __retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    struct thread *self = thread_self();
    if (!threads_exist)
        return 1;
    if (lock && __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self) {
        if (!mutex_try_lock(&lock->mutex))
            return 0;
        __atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
    }
    if (lock)
        lock->depth++;
    return 1;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    if (!lock || lock->depth == 0 || --lock->depth > 0)
        return;
    __atomic_store_n(&lock->owner, NULL, __ATOMIC_RELAXED);
    mutex_unlock(&lock->mutex);
}

void __retarget_lock_release(_LOCK_T lock)
{
    __retarget_lock_release_recursive(lock);
}
