/* getopt beside the host's: random command lines must come apart in the same way. */
#include <getopt.h>

#include "../../libcairn/test/check.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The host's own, under the names that the macros of the build do not touch. */
extern char *host_optarg __asm__("optarg");
extern int host_optind __asm__("optind"), host_opterr __asm__("opterr");
extern int host_optopt __asm__("optopt");
int host_getopt(int argc, char *const argv[], const char *letters) __asm__("getopt");
int host_getopt_long(int argc, char *const argv[], const char *letters, const struct option *names,
                     int *index) __asm__("getopt_long");
int host_getopt_long_only(int argc, char *const argv[], const char *letters,
                          const struct option *names, int *index) __asm__("getopt_long_only");

#define WORDS_MAX 8
#define ROUNDS    200000

static int host_flag, our_flag;

/* Two tables that differ in where they note a flag. */
#define NAMES(flag)                                                                                \
    {                                                                                              \
        {"all", no_argument, NULL, 'a'}, {"almost", no_argument, NULL, 'A'},                       \
            {"alm", required_argument, NULL, 'm'}, {"size", required_argument, NULL, 's'},         \
            {"sizes", optional_argument, NULL, 'z'}, {"sort", required_argument, NULL, 's'},       \
            {"sorted", required_argument, NULL, 's'}, {"x", no_argument, NULL, 'x'},               \
            {"noted", no_argument, flag, 77}, {"verbose", no_argument, NULL, 'v'},                 \
            {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0},                               \
    }
static const struct option host_names[] = NAMES(&host_flag), our_names[] = NAMES(&our_flag);

static const char *const words[] = {
    "-",       "--",      "-a",    "-b",      "-ab",    "-abc",     "-n",      "-n5",
    "-an",     "-anb",    "-o",    "-oval",   "-ao",    "-q",       "-aq",     "-qa",
    "--all",   "--al",    "--alm", "--almo",  "--size", "--size=3", "--siz=",  "--sizes",
    "--so=up", "--noted", "--ver", "--verb",  "--none", "--all=no", "--size=", "--verbose",
    "-x",      "-all",    "-size", "-size=4", "-v",     "-ve",      "-almost", "operand",
    "o2",      "",        "a=b",   "-W",      "---",    "--=",
};
static const char *const letters[] = {"abn:o::",   "+abn:o::",  "-abn:o::", ":abn:o::",
                                      "+:abn:o::", "-:abn:o::", "",         ":",
                                      "+",         "abcvx",     "av:x"};

static uint64_t state = 88172645463325252u;

static unsigned pick(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

enum face { SHORT, LONG, LONG_ONLY };

static int host_next(enum face face, int argc, char **argv, const char *set, int *index)
{
    if (face == SHORT)
        return host_getopt(argc, argv, set);
    return (face == LONG ? host_getopt_long : host_getopt_long_only)(argc, argv, set, host_names,
                                                                     index);
}

static int our_next(enum face face, int argc, char **argv, const char *set, int *index)
{
    if (face == SHORT)
        return getopt(argc, argv, set);
    return (face == LONG ? getopt_long : getopt_long_only)(argc, argv, set, our_names, index);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool compare(enum face face, int argc, char **argv, const char *set)
{
    char *theirs[WORDS_MAX + 2], *ours[WORDS_MAX + 2];
    memcpy(theirs, argv, sizeof theirs);
    memcpy(ours, argv, sizeof ours);
    host_optind = optind = 0;
    host_flag = our_flag = 0;
    for (int calls = 0; calls < 64; calls++) {
        int host_index = -1, our_index = -1;
        int host = host_next(face, argc, theirs, set, &host_index);
        int our = our_next(face, argc, ours, set, &our_index);
        if (host != our || !same_text(host_optarg, optarg) || host_index != our_index ||
            host_flag != our_flag || ((host == '?' || host == ':') && host_optopt != optopt)) {
            printf("host: %d, \"%s\", optopt %d; ours: %d, \"%s\", optopt %d\n", host,
                   host_optarg ? host_optarg : "(null)", host_optopt, our,
                   optarg ? optarg : "(null)", optopt);
            return false;
        }
        if (host == -1) /* all have been moved to their places */
            return host_optind == optind && memcmp(theirs, ours, sizeof ours) == 0;
    }
    return false;
}

static void test_random(void)
{
    unsigned wrong = 0;
    host_opterr = opterr = 0;
    for (unsigned round = 0; round < ROUNDS && wrong < 5; round++) {
        char *argv[WORDS_MAX + 2] = {"program"};
        int argc = 1 + (int)pick(WORDS_MAX + 1);
        for (int i = 1; i < argc; i++)
            argv[i] = (char *)words[pick(sizeof words / sizeof words[0])];
        enum face face = pick(3);
        const char *set = letters[pick(sizeof letters / sizeof letters[0])];
        if (compare(face, argc, argv, set))
            continue;
        wrong++;
        printf("differs from the host: face %d, \"%s\":", face, set);
        for (int i = 1; i < argc; i++)
            printf(" '%s'", argv[i]);
        printf("\n");
    }
    CHECK(wrong == 0);
}

/* What POSIX has at the start, and without anybody setting optind. */
static void test_start(void)
{
    char *argv[] = {"program", "-a", "operand", NULL};
    CHECK(optind == 1 && opterr == 1);
    CHECK(getopt(3, argv, "a") == 'a' && optind == 2);
    CHECK(getopt(3, argv, "a") == -1 && optind == 2);
    optind = 1; /* begin again, as programs do for a second command line */
    CHECK(getopt(3, argv, "a") == 'a' && getopt(3, argv, "a") == -1);
    char *colon[] = {"program", "-:", NULL};
    optind = 1;
    opterr = 0;
    CHECK(getopt(2, colon, "a:") == '?' && optopt == ':' && optind == 2);
    char *none[] = {NULL};
    optind = 1;
    CHECK(getopt(0, none, "a") == -1 && optind == 1);
}

int main(void)
{
    test_start();
    test_random();
    return report();
}
