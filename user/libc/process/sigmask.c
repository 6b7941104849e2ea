/* Blocking signals, and waiting for them. */
#include "../file/fd.h"
#include "cairn/syscall.h"
#include "signal_state.h"
#include <errno.h>
#include <unistd.h>

#define BIT(n) (1ul << (n))

int sigemptyset(sigset_t *set)
{
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    *set = 0xfffffffeul;
    return 0;
}

static int change(sigset_t *set, int number, bool in)
{
    if (number <= 0 || number >= NSIG)
        return (int)libc_error(-EINVAL);
    *set = in ? *set | BIT(number) : *set & ~BIT(number);
    return 0;
}

int sigaddset(sigset_t *set, int number)
{
    return change(set, number, true);
}

int sigdelset(sigset_t *set, int number)
{
    return change(set, number, false);
}

int sigismember(const sigset_t *set, int number)
{
    if (number <= 0 || number >= NSIG)
        return (int)libc_error(-EINVAL);
    return (*set & BIT(number)) != 0;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    struct signal_state *s = &signal_state;
    int error = 0;
    mutex_lock(&s->lock);
    uint64_t before = s->blocked;
    if (set && how == SIG_BLOCK)
        s->blocked |= *set;
    else if (set && how == SIG_UNBLOCK)
        s->blocked &= ~*set;
    else if (set && how == SIG_SETMASK)
        s->blocked = *set;
    else if (set)
        error = EINVAL;
    s->blocked &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
    uint64_t added = s->blocked & ~before;
    mutex_unlock(&s->lock);
    if (old)
        *old = before;
    if (added && !error) /* a blocked signal must wait here, not kill there */
        error = -signals_await(added);
    signals_run();
    return error;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return (int)libc_error(-pthread_sigmask(how, set, old));
}

int sigpending(sigset_t *set)
{
    mutex_lock(&signal_state.lock);
    *set = signal_state.pending;
    mutex_unlock(&signal_state.lock);
    return 0;
}

static void wait_for_handler(void)
{
    struct signal_state *s = &signal_state;
    mutex_lock(&s->lock);
    uint64_t seen = s->handled;
    while (s->handled == seen)
        condition_wait(&s->changed, &s->lock, NO_DEADLINE);
    mutex_unlock(&s->lock);
}

int pause(void)
{
    wait_for_handler();
    return (int)libc_error(-EINTR);
}

int sigsuspend(const sigset_t *mask)
{
    struct signal_state *s = &signal_state;
    mutex_lock(&s->lock);
    uint64_t before = s->blocked, seen = s->handled;
    s->blocked = *mask;
    mutex_unlock(&s->lock);
    signals_run();
    mutex_lock(&s->lock);
    while (s->handled == seen)
        condition_wait(&s->changed, &s->lock, NO_DEADLINE);
    s->blocked = before;
    mutex_unlock(&s->lock);
    return (int)libc_error(-EINTR);
}

static int wait_for(uint64_t set, uint64_t deadline)
{
    struct signal_state *s = &signal_state;
    int error = signals_await(set);
    if (error < 0)
        return error;
    mutex_lock(&s->lock);
    while (!(s->pending & set) && error == 0)
        error = condition_wait(&s->changed, &s->lock, deadline);
    int number = s->pending & set ? __builtin_ctzl(s->pending & set) : 0;
    s->pending &= ~BIT(number);
    mutex_unlock(&s->lock);
    return number ? number : -EAGAIN;
}

int sigwait(const sigset_t *restrict set, int *restrict number)
{
    int result = wait_for(*set, NO_DEADLINE);
    if (result < 0)
        return -result;
    *number = result;
    return 0;
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict timeout)
{
    uint64_t deadline = NO_DEADLINE;
    if (timeout)
        deadline = (uint64_t)clock_now() + (uint64_t)timeout->tv_sec * 1000000000u +
                   (uint64_t)timeout->tv_nsec;
    int number = wait_for(*set, deadline);
    if (number > 0 && info)
        *info = (siginfo_t){.si_signo = number, .si_code = SI_USER};
    return (int)libc_error(number);
}
