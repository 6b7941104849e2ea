/* sleep: waits. */
#include "common/utility.h"

#include <time.h>

static const char usage[] = "usage: sleep NUMBER[smhd]...\n"
                            "Wait for the sum of the times: seconds (fractions allowed), minutes,\n"
                            "hours, days.\n";

#define NANOSECONDS 1000000000ull

/* One time in ns; false if it is malformed. */
static bool parse_time(const char *text, uint64_t *ns)
{
    static const char units[] = "smhd";
    static const uint64_t factors[] = {1, 60, 3600, 86400};
    uint64_t whole = 0, fraction = 0, place = NANOSECONDS;
    bool digits = parse_digits(&text, &whole);

    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++, digits = true) {
            place /= 10;
            fraction += place * (uint64_t)(*text - '0');
        }
    }
    const char *unit = *text != '\0' ? strchr(units, *text) : units;
    if (!digits || unit == NULL || (*text != '\0' && text[1] != '\0'))
        return false;
    return !__builtin_mul_overflow(whole, NANOSECONDS, &whole) &&
           !__builtin_add_overflow(whole, fraction, &whole) &&
           !__builtin_mul_overflow(whole, factors[unit - units], ns);
}

int main(int argc, char **argv)
{
    uint64_t total = 0;

    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind == argc)
        utility_misuse("no time given");
    for (int i = optind; i < argc; i++) {
        uint64_t ns;
        if (!parse_time(argv[i], &ns))
            errx(1, "%s: invalid time", argv[i]);
        if (__builtin_add_overflow(total, ns, &total))
            total = UINT64_MAX;
    }
    uint64_t seconds = total / NANOSECONDS;
    struct timespec left = {.tv_sec = (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX),
                            .tv_nsec = (long)(total % NANOSECONDS)};
    while (nanosleep(&left, &left) < 0)
        if (errno != EINTR)
            err(1, "clock");
    return 0;
}
