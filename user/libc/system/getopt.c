/* Options of a command line, as POSIX and GNU have them.
 *
 * Invariant: in argv, what is before optind has been looked at and consists of options and their
 * arguments; an option that is found behind operands moves there before it is looked at. */
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *optarg;
int optind = 1, opterr = 1, optopt = '?';

static char *cluster; /* what is left of a word such as "-la", which argv[optind] then is */
static int passed;    /* operands that lie behind the option at argv[optind] */

/* One call: what it was given, and how letters begins. */
struct scan {
    int argc;
    char **argv;
    const char *letters;
    const struct option *names;
    int *index;
    bool single; /* names may stand behind one '-' */
    bool in_order, operands_too, silent;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct scan *scan,
                                                          const char *format, ...)
{
    va_list arguments;
    if (!opterr || scan->silent)
        return '?';
    fprintf(stderr, "%s: ", scan->argv[0]);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return '?';
}

/* Brings the word at from to the place to, before those that lie between. */
static void bring(char **argv, int from, int to)
{
    char *word = argv[from];
    memmove(argv + to + 1, argv + to, (size_t)(from - to) * sizeof *argv);
    argv[to] = word;
}

/* The word behind the option at argv[optind] and the operands that were passed. */
static bool take_next_word(const struct scan *scan)
{
    int from = optind + passed;
    if (from >= scan->argc)
        return false;
    bring(scan->argv, from, optind);
    optarg = scan->argv[optind++];
    return true;
}

/* ---- Names ---- */

static bool same_effect(const struct option *a, const struct option *b)
{
    return a->has_arg == b->has_arg && a->flag == b->flag && a->val == b->val;
}

/* The option whose name is, or alone begins with, these characters. */
static const struct option *find_name(const struct scan *scan, const char *name, size_t len,
                                      bool *ambiguous)
{
    const struct option *found = NULL;
    *ambiguous = false;
    for (const struct option *option = scan->names; option->name; option++) {
        if (strncmp(option->name, name, len) != 0)
            continue;
        if (option->name[len] == '\0') {
            *ambiguous = false;
            return option;
        }
        if (!found)
            found = option;
        else if (scan->single || !same_effect(found, option))
            *ambiguous = true;
    }
    return found;
}

static int take_name(const struct scan *scan, const struct option *option, const char *dashes,
                     char *value)
{
    if (value && option->has_arg == no_argument) {
        optopt = option->val;
        return complain(scan, "option '%s%s' doesn't allow an argument", dashes, option->name);
    }
    if (value) {
        optarg = value;
    } else if (option->has_arg == required_argument && !take_next_word(scan)) {
        optopt = option->val;
        complain(scan, "option '%s%s' requires an argument", dashes, option->name);
        return scan->silent ? ':' : '?';
    }
    if (scan->index)
        *scan->index = (int)(option - scan->names);
    if (!option->flag)
        return option->val;
    *option->flag = option->val;
    return 0;
}

/* argv[optind] as a name; false if it rather is a cluster of letters. */
static bool scan_name(const struct scan *scan, int *result)
{
    char *word = scan->argv[optind], *name = word + 1 + (word[1] == '-');
    const char *dashes = name - word == 2 ? "--" : "-";
    size_t len = strcspn(name, "=");
    bool ambiguous;

    if (name - word == 1 && !scan->single)
        return false;
    if (name - word == 1 && word[2] == '\0' && strchr(scan->letters, word[1]))
        return false;
    const struct option *option = find_name(scan, name, len, &ambiguous);
    if (!option && name - word == 1 && strchr(scan->letters, word[1]))
        return false;
    optind++;
    if (option && !ambiguous) {
        *result = take_name(scan, option, dashes, name[len] ? name + len + 1 : NULL);
        return true;
    }
    optopt = 0;
    *result =
        complain(scan, ambiguous ? "option '%s%s' is ambiguous" : "unrecognized option '%s%s'",
                 dashes, name);
    return true;
}

/* ---- Letters ---- */

static int scan_letter(const struct scan *scan)
{
    char letter = *cluster++;
    const char *known = letter == ':' || letter == ';' ? NULL : strchr(scan->letters, letter);
    char *rest = cluster;

    if (*rest == '\0' || (known && known[1] == ':')) {
        cluster = NULL;
        optind++;
    }
    if (!known) {
        optopt = letter;
        return complain(scan, "invalid option -- '%c'", letter);
    }
    if (known[1] != ':')
        return letter;
    if (*rest != '\0') {
        optarg = rest;
    } else if (known[2] != ':' && !take_next_word(scan)) {
        optopt = letter;
        complain(scan, "option requires an argument -- '%c'", letter);
        return scan->silent ? ':' : '?';
    }
    return letter;
}

/* ---- Words ---- */

/* Brings the next word that is an option to argv[optind]; false if operands come next. */
static bool find_option(const struct scan *scan)
{
    for (passed = 0; optind + passed < scan->argc; passed++) {
        const char *word = scan->argv[optind + passed];
        if (word[0] == '-' && word[1] != '\0') {
            bring(scan->argv, optind + passed, optind);
            return true;
        }
        if (scan->in_order || scan->operands_too)
            return false;
    }
    return false;
}

static int scan_next(const struct scan *scan)
{
    int result;

    optarg = NULL;
    if (cluster)
        return scan_letter(scan);
    if (!find_option(scan)) {
        if (!scan->operands_too || optind >= scan->argc)
            return -1;
        optarg = scan->argv[optind++];
        return 1;
    }
    if (strcmp(scan->argv[optind], "--") == 0) {
        optind++;
        return -1;
    }
    if (scan->names && scan_name(scan, &result))
        return result;
    cluster = scan->argv[optind] + 1;
    return scan_letter(scan);
}

static int start(int argc, char *const argv[], const char *letters, const struct option *names,
                 int *index, bool single)
{
    struct scan scan = {.argc = argc, .argv = (char **)argv, .names = names, .index = index};
    if (optind == 0) {
        optind = 1;
        cluster = NULL;
    }
    scan.single = single;
    scan.operands_too = *letters == '-';
    scan.in_order = *letters == '+' || (!scan.operands_too && getenv("POSIXLY_CORRECT"));
    letters += *letters == '-' || *letters == '+';
    scan.silent = *letters == ':';
    scan.letters = letters + scan.silent;
    return optind < argc || cluster ? scan_next(&scan) : (optarg = NULL, -1);
}

int getopt(int argc, char *const argv[], const char *letters)
{
    return start(argc, argv, letters, NULL, NULL, false);
}

int getopt_long(int argc, char *const argv[], const char *letters, const struct option *names,
                int *index)
{
    return start(argc, argv, letters, names, index, false);
}

int getopt_long_only(int argc, char *const argv[], const char *letters, const struct option *names,
                     int *index)
{
    return start(argc, argv, letters, names, index, true);
}
