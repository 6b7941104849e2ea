/* date: the time of day. Cairn's clock knows UTC only, unless the C library is told a zone. */
#include "common/utility.h"

#include <sys/stat.h>
#include <time.h>

static const char usage[] =
    "usage: date [-u] [-d TIME | -r FILE | -s TIME] [-I[date|seconds|ns] | -R | +FORMAT]\n"
    "  -u  in UTC\n"
    "  -d  this time instead of now: @SECONDS, or YYYY-MM-DD[THH:MM[:SS]][Z]\n"
    "  -r  when FILE was last changed\n"
    "  -s  set the clock\n"
    "  -I  as ISO 8601 has it: a day, or with seconds or nanoseconds\n"
    "  -R  as mail has it (RFC 5322)\n"
    "FORMAT is that of strftime, and %N the nanoseconds.\n";

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March here. */
static int64_t day_number(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool parse_time(const char *text, struct timespec *when)
{
    int year, month, day, hour = 0, minute = 0, second = 0, used = 0;
    char *end;
    *when = (struct timespec){0};
    if (*text == '@') {
        errno = 0;
        when->tv_sec = (time_t)strtoll(text + 1, &end, 10);
        return end > text + 1 && *end == '\0' && errno == 0;
    }
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || month < 1 || month > 12 ||
        day < 1 || day > 31)
        return false;
    text += used;
    if (*text == 'T' || *text == ' ') {
        used = 0;
        if (sscanf(++text, "%2d:%2d%n", &hour, &minute, &used) != 2)
            return false;
        text += used;
        used = 0;
        if (*text == ':' && sscanf(text, ":%2d%n", &second, &used) == 1)
            text += used;
    }
    if (*text == 'Z')
        text++;
    if (*text != '\0' || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60)
        return false;
    when->tv_sec =
        (time_t)(day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second);
    return true;
}

/* %N and %:z are not strftime's: their digits are put in first. */
static size_t expand_own(char *to, size_t size, const char *format, const struct tm *parts, long ns,
                         size_t *taken)
{
    char zone[8] = "";
    if (format[1] == 'N') {
        *taken = 2;
        return (size_t)snprintf(to, size, "%09ld", ns);
    }
    if (format[1] == ':' && format[2] == 'z') {
        *taken = 3;
        strftime(zone, sizeof(zone), "%z", parts);
        return (size_t)snprintf(to, size, "%.3s:%s", zone, strlen(zone) > 3 ? zone + 3 : "");
    }
    *taken = format[1] != '\0' ? 2 : 1;
    return (size_t)snprintf(to, size, "%.*s", (int)*taken, format);
}

static void print_formatted(const char *format, const struct tm *parts, long ns)
{
    size_t size = strlen(format) * 9 + 16, used = 0, taken;
    char *expanded = must_allocate(size);
    for (; *format != '\0'; format += taken) {
        taken = 1;
        if (*format == '%')
            used += expand_own(expanded + used, size - used, format, parts, ns, &taken);
        else
            expanded[used++] = *format;
    }
    expanded[used++] = '\n'; /* so that the result is never empty, which looks like an error */
    expanded[used] = '\0';
    for (size_t room = used + 64;; room *= 2) {
        char *result = must_allocate(room);
        size_t len = strftime(result, room, expanded, parts);
        output_write(result, len);
        free(result);
        if (len > 0)
            break;
    }
    free(expanded);
}

static const char *iso_format(const char *precision)
{
    if (precision == NULL || strcmp(precision, "date") == 0)
        return "%Y-%m-%d";
    if (strcmp(precision, "seconds") == 0)
        return "%Y-%m-%dT%H:%M:%S%:z";
    if (strcmp(precision, "ns") == 0)
        return "%Y-%m-%dT%H:%M:%S,%N%:z";
    errx(1, "%s: date, seconds or ns is expected", precision);
}

static void must_parse(const char *text, struct timespec *when)
{
    if (!parse_time(text, when))
        errx(1, "%s: invalid time", text);
}

int main(int argc, char **argv)
{
    const char *format = "%a %b %e %H:%M:%S %Z %Y";
    struct timespec when;
    struct stat status;
    bool utc = false, set = false, iso = false;
    const char *precision = NULL;
    int option;

    utility_start(usage, 1);
    if (clock_gettime(CLOCK_REALTIME, &when) < 0)
        err(1, "clock");
    for (int i = 1; i < argc; i++) /* the only option whose argument may be left out */
        if (strcmp(argv[i], "-I") == 0)
            argv[i] = (char *)"-Idate";
    while ((option = utility_option(argc, argv, "ud:r:s:I:R")) != -1) {
        utc = utc || option == 'u';
        iso = iso || option == 'I';
        set = set || option == 's';
        if (option == 'I')
            precision = optarg;
        else if (option == 'R')
            format = "%a, %d %b %Y %H:%M:%S +0000";
        else if (option == 'r') {
            if (stat(optarg, &status) < 0)
                err(1, "%s", optarg);
            when = (struct timespec){.tv_sec = status.st_mtime};
        } else if (option == 'd' || option == 's')
            must_parse(optarg, &when);
        utc = utc || option == 'R';
    }
    if (iso)
        format = iso_format(precision);
    if (optind < argc && argv[optind][0] == '+')
        format = argv[optind++] + 1;
    if (optind < argc)
        utility_misuse("a format begins with +");
    if (set && clock_settime(CLOCK_REALTIME, &when) < 0)
        err(1, "cannot set the clock");
    if (utc || getenv("TZ") == NULL) /* without a zone, picolibc says GMT */
        setenv("TZ", "UTC0", 1);
    const struct tm *parts = localtime(&when.tv_sec);
    if (parts == NULL)
        errx(1, "this time cannot be shown");
    print_formatted(format, parts, when.tv_nsec);
    return 0;
}
