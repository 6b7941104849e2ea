/* Clocks and sleeping. The wall clock is the monotonic one plus an offset, asked of the kernel's
 * clock at most once a second; a clock that cannot be reached gives time since boot. */
#include "../file/fd.h"
#include "../process/children_time.h"
#include "abi/kernel_services.h"
#include "cairn/syscall.h"
#include "fsclient/fsclient.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ul

static uint64_t offset, offset_asked; /* ns; asked = 0: never */

static int64_t wall_clock(struct message *m)
{
    char rest[FS_PATH_MAX];
    for (int tries = 0;; tries++) {
        struct message attempt = *m;
        handle_t clock = fs_locate("sys:clock", rest, sizeof rest);
        int64_t result = clock < 0 ? clock : channel_call(clock, &attempt);
        if (!fs_retry("sys:clock", result, tries)) {
            *m = attempt;
            return result < 0 ? result : (int64_t)attempt.words[0];
        }
    }
}

static uint64_t realtime(void)
{
    uint64_t now = (uint64_t)clock_now();
    uint64_t asked = __atomic_load_n(&offset_asked, __ATOMIC_ACQUIRE);
    if (asked == 0 || now - asked > SECOND) {
        struct message m = {.type = KTIME_GET, .len = 8};
        if (wall_clock(&m) == 0) {
            now = (uint64_t)clock_now();
            __atomic_store_n(&offset, m.words[1] - now, __ATOMIC_RELAXED);
        }
        __atomic_store_n(&offset_asked, now, __ATOMIC_RELEASE);
    }
    return now + __atomic_load_n(&offset, __ATOMIC_RELAXED);
}

static uint64_t cpu_time(void)
{
    char rest[FS_PATH_MAX];
    struct message m = {.type = KFACT_PROCESS, .len = 8};
    m.words[0] = (uint64_t)process_self();
    handle_t facts = fs_locate("sys:facts", rest, sizeof rest);
    if (facts < 0 || channel_call(facts, &m) < 0 || m.words[0] != 0 ||
        m.len < 8 + sizeof(struct process_facts))
        return (uint64_t)clock_now();
    struct process_facts process;
    memcpy(&process, m.data + 8, sizeof process);
    return process.cpu_time;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    uint64_t ns;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        ns = realtime();
        break;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        ns = cpu_time();
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        ns = (uint64_t)clock_now();
        break;
    default:
        return (int)libc_error(-EINVAL);
    }
    *time = (struct timespec){(time_t)(ns / SECOND), (long)(ns % SECOND)};
    return 0;
}

int clock_settime(clockid_t clock, const struct timespec *time)
{
    if (clock != CLOCK_REALTIME || time->tv_sec < 0 || time->tv_nsec < 0 ||
        time->tv_nsec >= (long)SECOND)
        return (int)libc_error(-EINVAL);
    struct message m = {.type = KTIME_SET, .len = 8};
    m.words[0] = (uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec;
    int64_t result = wall_clock(&m);
    __atomic_store_n(&offset_asked, 0, __ATOMIC_RELEASE);
    return (int)libc_error(result);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    (void)clock;
    if (resolution)
        *resolution = (struct timespec){0, 100}; /* the machine's 10 MHz timebase */
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    (void)zone;
    uint64_t ns = realtime();
    *time = (struct timeval){(time_t)(ns / SECOND), (suseconds_t)(ns % SECOND / 1000)};
    return 0;
}

int settimeofday(const struct timeval *time, const struct timezone *zone)
{
    (void)zone;
    struct timespec ts = {time->tv_sec, time->tv_usec * 1000};
    return clock_settime(CLOCK_REALTIME, &ts);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                    struct timespec *remaining)
{
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= (long)SECOND)
        return EINVAL;
    uint64_t ns = (uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec;
    uint64_t now = (uint64_t)clock_now();
    uint64_t until = now + ns;
    if (flags & TIMER_ABSTIME) {
        uint64_t base = clock == CLOCK_REALTIME ? realtime() - now : 0;
        until = ns > base ? ns - base : 1;
    }
    sleep_until(until);
    if (remaining)
        *remaining = (struct timespec){0, 0};
    return 0;
}

int nanosleep(const struct timespec *time, struct timespec *remaining)
{
    return (int)libc_error(-clock_nanosleep(CLOCK_MONOTONIC, 0, time, remaining));
}

unsigned sleep(unsigned seconds)
{
    sleep_until((uint64_t)clock_now() + seconds * SECOND);
    return 0;
}

int usleep(useconds_t microseconds)
{
    sleep_until((uint64_t)clock_now() + microseconds * 1000ul);
    return 0;
}

/* Ticks are microseconds, what sysconf(_SC_CLK_TCK) says. */
clock_t times(struct tms *times)
{
    memset(times, 0, sizeof *times);
    times->tms_utime = (clock_t)(cpu_time() / 1000);
    times->tms_cutime = (clock_t)(wait_children_time() / 1000);
    return (clock_t)(clock_now() / 1000);
}

clock_t clock(void)
{
    return (clock_t)(cpu_time() / (SECOND / CLOCKS_PER_SEC));
}

int getrusage(int who, struct rusage *usage)
{
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN)
        return (int)libc_error(-EINVAL);
    memset(usage, 0, sizeof *usage);
    usage->ru_utime = timeval_of_ns(who == RUSAGE_SELF ? cpu_time() : wait_children_time());
    return 0;
}
