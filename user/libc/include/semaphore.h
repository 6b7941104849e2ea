/* Counting semaphores between the threads of one process. */
#pragma once

#include "cairn/thread.h"
#include <time.h>

typedef struct {
    struct mutex lock;
    struct condition more;
    unsigned value;
} sem_t;
#define SEM_FAILED ((sem_t *)0)

int sem_init(sem_t *semaphore, int shared, unsigned value); /* shared: ENOSYS */
int sem_destroy(sem_t *semaphore);
int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until);
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *restrict semaphore, int *restrict value);
