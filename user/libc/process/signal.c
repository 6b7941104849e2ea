/* Handlers and their thread. Signals come as pulses on the process's own channel; the thread that
 * receives them starts with the first handler.
 *
 * Invariant: what init was told (PROC_SIGACTION) follows the table, so that init kills for exactly
 * those signals that have neither a handler nor SIG_IGN. */
#include "signal.h"

#include "../file/fd.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"
#include "signal_state.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct signal_state signal_state;

#define BIT(n) (1ul << (n))

static bool valid(int number)
{
    return number > 0 && number < NSIG;
}

/* Runs the handler for one signal, or does nothing if it has lost it meanwhile. */
static void handle(int number)
{
    struct signal_state *s = &signal_state;
    mutex_lock(&s->lock);
    struct sigaction action = s->actions[number];
    if (action.sa_flags & SA_RESETHAND)
        s->actions[number].sa_handler = SIG_DFL;
    mutex_unlock(&s->lock);
    if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)
        return;
    if (action.sa_flags & SA_SIGINFO) {
        siginfo_t info = {.si_signo = number, .si_code = SI_USER};
        action.sa_sigaction(number, &info, NULL);
    } else {
        action.sa_handler(number);
    }
}

/* The next signal that is pending and not blocked, 0 = none. Called with the lock held. */
static int take_pending(struct signal_state *s)
{
    uint64_t ready = s->pending & ~s->blocked;
    if (ready == 0)
        return 0;
    int number = __builtin_ctzl(ready);
    s->pending &= ~BIT(number);
    return number;
}

void signals_run(void)
{
    struct signal_state *s = &signal_state;
    int number;
    mutex_lock(&s->lock);
    while ((number = take_pending(s)) != 0) {
        mutex_unlock(&s->lock);
        handle(number);
        mutex_lock(&s->lock);
        s->handled++;
        condition_broadcast(&s->changed);
    }
    mutex_unlock(&s->lock);
}

static void *receive_signals(void *unused)
{
    struct signal_state *s = &signal_state;
    handle_t channel = start_block()->channel;
    (void)unused;
    for (;;) {
        struct message m;
        int64_t token = channel_recv(channel, &m, NO_DEADLINE);
        if (token < 0)
            return NULL;
        if (token > 0 || m.type != MESSAGE_PULSE)
            continue;
        mutex_lock(&s->lock);
        s->pending |= m.words[0];
        condition_broadcast(&s->changed);
        mutex_unlock(&s->lock);
        signals_run();
    }
}

/* Tells init, and starts the thread when there is something to receive. Lock held. */
static int apply(struct signal_state *s)
{
    uint64_t handled = s->awaited, ignored = 0;
    const struct spawn_block *block = start_block();
    if (!block)
        return 0;
    for (int n = 1; n < NSIG; n++) {
        if (s->actions[n].sa_handler == SIG_IGN)
            ignored |= BIT(n);
        else if (s->actions[n].sa_handler != SIG_DFL)
            handled |= BIT(n);
    }
    if (handled && !s->receiver) {
        int error;
        s->receiver = thread_start(receive_signals, NULL, 64 * 1024, &error);
        if (!s->receiver)
            return error;
        thread_detach(s->receiver);
    }
    return (int)call_words(block->process_service, PROC_SIGACTION, handled, ignored, 0);
}

int signals_await(uint64_t set)
{
    struct signal_state *s = &signal_state;
    mutex_lock(&s->lock);
    s->awaited |= set & ~(BIT(SIGKILL) | BIT(SIGSTOP));
    int error = apply(s);
    mutex_unlock(&s->lock);
    return error;
}

int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict old)
{
    struct signal_state *s = &signal_state;
    if (!valid(number) || (action && (number == SIGKILL || number == SIGSTOP)))
        return (int)libc_error(-EINVAL);
    int error = 0;
    mutex_lock(&s->lock);
    struct sigaction before = s->actions[number];
    if (action) {
        s->actions[number] = *action;
        error = apply(s);
        if (error < 0)
            s->actions[number] = before;
    }
    mutex_unlock(&s->lock);
    if (old)
        *old = before;
    return (int)libc_error(error);
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    struct sigaction action = {.sa_handler = handler}, old;
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

int siginterrupt(int number, int flag)
{
    (void)flag;
    return (int)libc_error(valid(number) ? 0 : -EINVAL);
}

static bool harmless_by_default(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

/* To oneself: a handler runs here and now, in this thread; the default action is init's. */
int raise(int number)
{
    struct signal_state *s = &signal_state;
    if (!valid(number))
        return (int)libc_error(-EINVAL);
    mutex_lock(&s->lock);
    _sig_func_ptr handler = s->actions[number].sa_handler;
    bool blocked = (s->blocked & BIT(number)) != 0;
    if (blocked)
        s->pending |= BIT(number);
    mutex_unlock(&s->lock);
    if (blocked || handler == SIG_IGN)
        return 0;
    if (handler != SIG_DFL) {
        handle(number);
        return 0;
    }
    if (harmless_by_default(number))
        return 0;
    return (int)libc_error(process_signal(getpid(), number));
}

int kill(pid_t pid, int number)
{
    if (number < 0 || number >= NSIG)
        return (int)libc_error(-EINVAL);
    if (pid == getpid() && number != 0)
        return raise(number);
    if (pid == 0) /* the caller's own job */
        pid = -getpid();
    return (int)libc_error(process_signal(pid, number));
}

int killpg(pid_t group, int number)
{
    return kill(group > 0 ? -group : group, number);
}

void signal_broken_pipe(void)
{
    raise(SIGPIPE);
}

/* Ends the process by SIGABRT, or, if init does not do it, with the status that a shell shows. */
void abort(void)
{
    raise(SIGABRT);
    mutex_lock(&signal_state.lock);
    signal_state.actions[SIGABRT].sa_handler = SIG_DFL;
    apply(&signal_state);
    mutex_unlock(&signal_state.lock);
    raise(SIGABRT);
    _exit(128 + SIGABRT);
}
