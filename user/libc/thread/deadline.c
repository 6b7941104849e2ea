/* The wall clock is only looked at when the wait begins: setting it later moves no deadline. */
#include "deadline.h"

#include "cairn/syscall.h"

static uint64_t in_ns(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

uint64_t deadline_of(clockid_t clock, const struct timespec *until)
{
    struct timespec now;
    clock_gettime(clock, &now);
    uint64_t at = in_ns(until), reference = in_ns(&now);
    return at > reference ? (uint64_t)clock_now() + (at - reference) : 1;
}
