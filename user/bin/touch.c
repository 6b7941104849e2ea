/* touch: makes files, or sets their time of modification. */
#include "common/path.h"
#include <fcntl.h>
#include <time.h>

static const char usage[] = "usage: touch [-c] [-d TIME | -r FILE] FILE...\n"
                            "  -c       do not make files\n"
                            "  -d TIME  2026-01-31, 2026-01-31T12:00[:00], or @SECONDS since 1970\n"
                            "  -r FILE  the times of FILE\n";

/* parse_fields: numbers separated as the layout says ("-- ::" and T for the blank); false if
 * text goes on behind them. Fields that are not there stay 0. */
static bool parse_fields(const char *text, uint64_t fields[6], unsigned *count)
{
    static const char *const separators[] = {"-", "-", " T", ":", ":"};
    for (*count = 0; *count < 6; (*count)++) {
        if (!parse_digits(&text, &fields[*count]) || fields[*count] > 9999)
            return false;
        if (*count == 5 || *text == '\0' || strchr(separators[*count], *text) == NULL)
            break;
        text++;
    }
    (*count)++;
    return (*text == '\0' || strcmp(text, "Z") == 0) && (*count == 3 || *count >= 5);
}

static bool parse_time(const char *text, struct timespec *time)
{
    uint64_t fields[6] = {0}, seconds;
    unsigned count;
    time->tv_nsec = 0;
    if (text[0] == '@') {
        if (!parse_count(text + 1, &seconds) || seconds > INT64_MAX)
            return false;
        time->tv_sec = (time_t)seconds;
        return true;
    }
    if (!parse_fields(text, fields, &count) || fields[1] < 1 || fields[1] > 12 || fields[2] < 1 ||
        fields[2] > 31 || fields[3] > 23 || fields[4] > 59 || fields[5] > 60)
        return false;
    struct tm parts = {.tm_year = (int)fields[0] - 1900,
                       .tm_mon = (int)fields[1] - 1,
                       .tm_mday = (int)fields[2],
                       .tm_hour = (int)fields[3],
                       .tm_min = (int)fields[4],
                       .tm_sec = (int)fields[5],
                       .tm_isdst = -1};
    bool utc = text[strlen(text) - 1] == 'Z';
    time->tv_sec = utc ? timegm(&parts) : mktime(&parts);
    return true;
}

static bool touch_one(const char *path, bool create, const struct timespec *times)
{
    if (utimensat(AT_FDCWD, path, times, 0) == 0)
        return true;
    if (errno == ENOENT && !create)
        return true;
    if (errno == ENOENT) {
        int fd = open(path, O_WRONLY | O_CREAT, 0666);
        if (fd >= 0 && close(fd) == 0 &&
            (times == NULL || utimensat(AT_FDCWD, path, times, 0) == 0))
            return true;
    }
    warn("%s", path);
    return false;
}

int main(int argc, char **argv)
{
    struct timespec times[2];
    bool create = true, given = false;
    struct stat reference;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "cd:r:")) != -1) {
        if (option == 'c') {
            create = false;
        } else if (option == 'd') {
            if (!parse_time(optarg, &times[0]))
                errx(1, "%s: invalid time", optarg);
            times[1] = times[0];
            given = true;
        } else {
            if (stat(optarg, &reference) < 0)
                err(1, "%s", optarg);
            times[0] = reference.st_atim;
            times[1] = reference.st_mtim;
            given = true;
        }
    }
    if (optind == argc)
        utility_misuse("missing operand");
    for (int i = optind; i < argc; i++)
        if (!touch_one(argv[i], create, given ? times : NULL))
            status = 1;
    return status;
}
