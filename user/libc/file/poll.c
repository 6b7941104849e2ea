/* poll and select. Each server is asked once what is ready, and asked to pulse when that changes
 * (FS_POLL with a channel); then one wait covers them all, and only those are asked again whose bit
 * was pulsed. A server that cannot pulse is asked again after a pause that doubles from 1 ms to
 * 16 ms: no loop ever spins. All are asked again each second: one that was started anew has
 * forgotten whom to pulse. */
#include "cairn/syscall.h"
#include "fd.h"
#include "fsclient/fsclient.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#define MILLISECOND 1000000ul
#define PAUSE_MAX (16 * MILLISECOND)
#define ASK_AGAIN (1000 * MILLISECOND)
#define ALL_BITS UINT64_MAX

_Static_assert(POLLIN == FS_POLL_IN && POLLOUT == FS_POLL_OUT && POLLERR == FS_POLL_ERR &&
                   POLLHUP == FS_POLL_HUP,
               "the bits of poll are those of the protocol");

/* The channel that servers pulse; pulser is a handle to it that can do nothing else. */
struct waiting {
    handle_t channel, pulser;
};

static void waiting_end(struct waiting *w)
{
    if (w->pulser > 0)
        handle_close(w->pulser);
    if (w->channel > 0)
        handle_close(w->channel);
}

static void waiting_start(struct waiting *w)
{
    w->pulser = 0;
    w->channel = (handle_t)channel_create(0);
    if (w->channel > 0)
        w->pulser = (handle_t)handle_dup(w->channel, RIGHT_PULSE | RIGHT_TRANSFER);
}

/* What a descriptor's server pulses; beyond 64 of them several share one. */
static uint64_t bit_of(nfds_t index) { return 1ul << index % 64; }

/* What is ready on one descriptor; *armed: its server will pulse. */
static int64_t ask(handle_t handle, unsigned events, uint64_t bit, const struct waiting *w,
                   bool *armed)
{
    struct message m = {.type = FS_POLL, .len = 16};
    m.words[0] = events;
    m.words[1] = bit;
    if (w && w->pulser > 0) {
        m.handle_count = 1;
        m.handles[0] = w->pulser;
    }
    int error = channel_call(handle, &m);
    if (error)
        return error;
    *armed = m.handle_count == 0 && m.len >= 16 && m.words[1] == 1;
    return (int64_t)m.words[0];
}

/* Asks those that have one of the bits; the number that are ready. Every server that will not pulse
 * clears *all_armed. The others were asked before: they are armed, and not ready. */
static int ask_all(struct pollfd *fds, nfds_t count, uint64_t bits, const struct waiting *w,
                   bool *all_armed)
{
    int ready = 0;
    *all_armed = true;
    for (nfds_t i = 0; i < count; i++) {
        struct pollfd *p = &fds[i];
        bool armed = false;
        p->revents = 0;
        if (p->fd < 0 || !(bits & bit_of(i)))
            continue;
        handle_t handle = fd_handle(p->fd);
        unsigned events = 0;
        events |= p->events & (POLLIN | POLLRDNORM) ? FS_POLL_IN : 0;
        events |= p->events & (POLLOUT | POLLWRNORM) ? FS_POLL_OUT : 0;
        events |= p->events & POLLRDHUP;
        /* once something is ready nobody will wait: do not arm the others */
        int64_t is = handle < 0 ? POLLNVAL
                                : ask(handle, events, bit_of(i), ready ? NULL : w, &armed);
        if (is == -ENOSYS || is == -ENOTTY) /* plain files: always ready */
            is = events;
        if (is < 0)
            is = POLLERR;
        is &= events | POLLERR | POLLHUP | POLLNVAL;
        if (is & POLLIN)
            is |= p->events & POLLRDNORM;
        if (is & POLLOUT)
            is |= p->events & POLLWRNORM;
        p->revents = (short)(is & ~((POLLIN | POLLOUT) & ~p->events));
        ready += p->revents != 0;
        *all_armed &= armed;
    }
    return ready;
}

/* The bits that were pulsed; all of them if the time came first. */
static uint64_t wait_until(const struct waiting *w, uint64_t deadline)
{
    struct message m;
    return channel_recv(w->channel, &m, deadline) == 0 && m.type == MESSAGE_PULSE ? m.words[0]
                                                                                  : ALL_BITS;
}

static int poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline)
{
    struct waiting w;
    bool all_armed;
    uint64_t pause = MILLISECOND, bits = ALL_BITS;
    int ready;
    waiting_start(&w);
    for (;;) {
        ready = ask_all(fds, count, bits, &w, &all_armed);
        uint64_t now = (uint64_t)clock_now();
        if (ready || (deadline && now >= deadline))
            break;
        uint64_t until = deadline;
        if (count > 0) {
            uint64_t again = now + (all_armed ? ASK_AGAIN : pause);
            until = deadline && deadline < again ? deadline : again;
        }
        if (!all_armed)
            pause = pause < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
        bits = ALL_BITS;
        if (w.pulser > 0)
            bits = wait_until(&w, until);
        else
            sleep_until(until ? until : now + PAUSE_MAX);
        if (!all_armed)
            bits = ALL_BITS;
    }
    waiting_end(&w);
    return ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    bool all_armed;
    if (timeout_ms == 0)
        return ask_all(fds, count, ALL_BITS, NULL, &all_armed);
    uint64_t deadline = NO_DEADLINE;
    if (timeout_ms > 0)
        deadline = (uint64_t)clock_now() + (uint64_t)timeout_ms * MILLISECOND;
    return poll_until(fds, count, deadline);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    bool all_armed;
    (void)mask; /* signals do not interrupt a wait */
    if (!timeout)
        return poll_until(fds, count, NO_DEADLINE);
    uint64_t ns = (uint64_t)timeout->tv_sec * 1000000000u + (uint64_t)timeout->tv_nsec;
    if (ns == 0)
        return ask_all(fds, count, ALL_BITS, NULL, &all_armed);
    return poll_until(fds, count, (uint64_t)clock_now() + ns);
}

static nfds_t from_sets(int n, const fd_set *in, const fd_set *out, struct pollfd *fds)
{
    nfds_t count = 0;
    for (int fd = 0; fd < n; fd++) {
        short events = 0;
        if (in && FD_ISSET(fd, in))
            events |= POLLIN;
        if (out && FD_ISSET(fd, out))
            events |= POLLOUT;
        if (events)
            fds[count++] = (struct pollfd){.fd = fd, .events = events};
    }
    return count;
}

static int to_sets(const struct pollfd *fds, nfds_t count, fd_set *in, fd_set *out, fd_set *except)
{
    int bits = 0;
    if (in)
        FD_ZERO(in);
    if (out)
        FD_ZERO(out);
    if (except)
        FD_ZERO(except);
    for (nfds_t i = 0; i < count; i++) {
        const struct pollfd *p = &fds[i];
        if (p->revents & POLLNVAL)
            return -EBADF;
        if ((p->events & POLLIN) && (p->revents & (POLLIN | POLLHUP | POLLERR))) {
            FD_SET(p->fd, in);
            bits++;
        }
        if ((p->events & POLLOUT) && (p->revents & (POLLOUT | POLLERR))) {
            FD_SET(p->fd, out);
            bits++;
        }
    }
    return bits;
}

int pselect(int n, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
            const sigset_t *mask)
{
    if (n < 0 || n > FD_SETSIZE)
        return (int)libc_error(-EINVAL);
    struct pollfd *fds = calloc((size_t)n + 1, sizeof *fds);
    if (!fds)
        return -1;
    nfds_t count = from_sets(n, in, out, fds);
    ppoll(fds, count, timeout, mask);
    int bits = to_sets(fds, count, in, out, except);
    free(fds);
    return (int)libc_error(bits);
}

int select(int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    struct timespec ts;
    if (timeout)
        ts = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
    return pselect(n, in, out, except, timeout ? &ts : NULL, NULL);
}
