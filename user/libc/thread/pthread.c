/* POSIX threads: creation, ending, attributes, once, and thread-specific values. */
#include "cairn/syscall.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct key {
    bool used;
    void (*destructor)(void *);
};
static struct mutex keys_lock;
static struct key keys[PTHREAD_KEYS_MAX];
static __thread const void *values[PTHREAD_KEYS_MAX];

/* Destructors may set values again, so a few rounds are made. */
static void run_destructors(void)
{
    bool again = true;
    for (int round = 0; again && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        again = false;
        for (unsigned k = 0; k < PTHREAD_KEYS_MAX; k++) {
            void *value = (void *)values[k];
            values[k] = NULL;
            if (value && keys[k].destructor) {
                keys[k].destructor(value);
                again = true;
            }
        }
    }
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*fn)(void *), void *restrict argument)
{
    int error;
    struct thread *made =
        thread_start(fn, argument, attributes ? attributes->stack_size : 0, &error);
    if (!made)
        return error == -EDQUOT || error == -EMFILE ? EAGAIN : -error;
    if (attributes && attributes->detached == PTHREAD_CREATE_DETACHED)
        thread_detach(made);
    *thread = made;
    return 0;
}

int pthread_join(pthread_t thread, void **result)
{
    return -thread_join(thread, result);
}

int pthread_detach(pthread_t thread)
{
    thread_detach(thread);
    return 0;
}

void pthread_exit(void *result)
{
    thread_finish(result);
}

pthread_t pthread_self(void)
{
    return thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
    return a == b;
}

int sched_yield(void)
{
    thread_yield();
    return 0;
}

int pthread_attr_init(pthread_attr_t *attributes)
{
    *attributes = (pthread_attr_t){THREAD_STACK_DEFAULT, PTHREAD_CREATE_JOINABLE};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
    if (size < PTHREAD_STACK_MIN)
        return EINVAL;
    attributes->stack_size = size;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *restrict attributes, size_t *restrict size)
{
    *size = attributes->stack_size;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attributes, int state)
{
    attributes->detached = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attributes, int *state)
{
    *state = attributes->detached;
    return 0;
}

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
    if (__atomic_load_n(&once->done, __ATOMIC_ACQUIRE))
        return 0;
    mutex_lock(&once->lock);
    if (!once->done) {
        fn();
        __atomic_store_n(&once->done, 1, __ATOMIC_RELEASE);
    }
    mutex_unlock(&once->lock);
    return 0;
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = EAGAIN;
    thread_on_exit(run_destructors);
    mutex_lock(&keys_lock);
    for (unsigned k = 0; k < PTHREAD_KEYS_MAX && error; k++)
        if (!keys[k].used) {
            keys[k] = (struct key){true, destructor};
            *key = k;
            error = 0;
        }
    mutex_unlock(&keys_lock);
    return error;
}

int pthread_key_delete(pthread_key_t key)
{
    if (key >= PTHREAD_KEYS_MAX)
        return EINVAL;
    mutex_lock(&keys_lock);
    int error = keys[key].used ? 0 : EINVAL;
    keys[key] = (struct key){false, NULL};
    mutex_unlock(&keys_lock);
    return error;
}

void *pthread_getspecific(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX ? (void *)values[key] : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
        return EINVAL;
    values[key] = value;
    return 0;
}
