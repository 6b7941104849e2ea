/* grep: the lines in which a pattern matches. */
#include "common/input.h"
#include "common/walk.h"
#include "grep/regex.h"

static const char usage[] =
    "usage: grep [-EFGHLachilnoqrsvwx] [-m COUNT] [-e PATTERNS | -f FILE | PATTERNS] [FILE]...\n"
    "  -E, -F, -G  extended expressions, plain strings, basic expressions (usual)\n"
    "  -e, -f      patterns, a file of patterns; one in each line\n"
    "  -i          upper and lower case are alike\n"
    "  -w, -x      only whole words, whole lines\n"
    "  -v          the lines without a match\n"
    "  -c, -l, -L  only counts, only names of files with, without matches\n"
    "  -o          only what matched\n"
    "  -q          nothing; the exit status says it\n"
    "  -n          with line numbers\n"
    "  -h, -H      never, always with names of files\n"
    "  -m COUNT    stop in each file after so many lines\n"
    "  -r, -R      directories and all in them\n"
    "  -a          files that are not text, too\n"
    "  -s          no messages about files that cannot be read\n"
    "Exit status: 0 found, 1 not found, 2 trouble.\n";

static struct {
    bool invert, count, list, list_without, only, quiet, number, recursive, binary, silent;
    int names; /* -1: not decided by an option */
    uint64_t limit;
} options = {.names = -1, .limit = UINT64_MAX};

static struct {
    struct regex_pattern *list;
    size_t count, capacity;
} patterns;

static struct regex *regex;
static struct input in;
static bool found, trouble;

/* add_patterns: each line of text is one. text stays in use. */
static void add_patterns(const char *text, size_t length)
{
    for (const char *end = text + length, *stop; text <= end; text = stop + 1) {
        stop = memchr(text, '\n', (size_t)(end - text));
        if (stop == NULL)
            stop = end;
        patterns.list = must_grow(patterns.list, patterns.count, &patterns.capacity,
                                  sizeof(struct regex_pattern));
        patterns.list[patterns.count++] = (struct regex_pattern){text, (size_t)(stop - text)};
    }
}

static void add_pattern_file(const char *name)
{
    char *line;
    size_t length;
    if (!input_open(&in, name))
        exit(2);
    while (input_line(&in, '\n', &line, &length)) {
        char *copy = must_allocate(length);
        memcpy(copy, line, length);
        add_patterns(copy, length);
    }
    if (in.failed)
        exit(2);
    input_close(&in);
}

static void print_prefix(const char *name, uint64_t number)
{
    if (options.names)
        output_format("%s:", name);
    if (options.number)
        output_format("%llu:", (unsigned long long)number);
}

static void print_matches(const char *name, uint64_t number, const char *line, size_t length)
{
    size_t start, end;
    for (size_t from = 0; regex_find(regex, line, length, from, &start, &end);) {
        from = end > start ? end : end + 1;
        if (end > start) {
            print_prefix(name, number);
            output_write(line + start, end - start);
            output_char('\n');
        }
        if (from > length)
            break;
    }
}

/* print_line: false if the file is not text, which is said instead. */
static bool print_line(const char *name, uint64_t number, const char *line, size_t length,
                       bool is_text)
{
    if (!is_text) {
        output_format("grep: %s: binary file matches\n", name);
        return false;
    }
    if (options.only) {
        if (!options.invert)
            print_matches(name, number, line, length);
        return true;
    }
    print_prefix(name, number);
    output_write(line, length);
    output_char('\n');
    return true;
}

/* search: the open file, under this name. */
static void search(const char *name)
{
    bool silent = options.count || options.list || options.list_without || options.quiet;
    bool is_text = true;
    uint64_t number = 0, matches = 0;
    char *line;
    size_t length;

    if (!options.binary && input_fill(&in))
        is_text = memchr(in.buffer, '\0', in.end) == NULL;
    while (matches < options.limit && input_line(&in, '\n', &line, &length)) {
        number++;
        if (regex_test(regex, line, length) == options.invert)
            continue;
        matches++;
        if (options.quiet || options.list || options.list_without)
            break;
        is_text = is_text && (options.binary || memchr(line, '\0', length) == NULL);
        if (!silent && !print_line(name, number, line, length, is_text))
            break;
    }
    found |= options.list_without ? matches == 0 : matches > 0;
    trouble |= in.failed;
    if (options.quiet)
        return;
    if (options.list || options.list_without) {
        if ((matches > 0) == options.list)
            output_line(name);
    } else if (options.count) {
        if (options.names)
            output_format("%s:", name);
        output_format("%llu\n", (unsigned long long)matches);
    }
}

static void search_file(const char *name)
{
    in.name = name;
    in.fd = -1;
    if (strcmp(name, "-") != 0 && options.silent) {
        int fd = open(name, O_RDONLY); /* input_open would report */
        if (fd < 0) {
            trouble = true;
            return;
        }
        close(fd);
    }
    if (!input_open(&in, name)) {
        trouble = true;
        return;
    }
    search(strcmp(name, "-") == 0 ? "(standard input)" : name);
    input_close(&in);
    if (options.quiet && found)
        exit(0);
}

static enum walk_answer visit(const struct walk_entry *entry, enum walk_event event, void *context)
{
    const char *skip = context; /* "./" in front of names, if no operand was given */
    if (event == WALK_ERROR) {
        errno = entry->error;
        if (!options.silent)
            warn("%s", entry->path);
        trouble = true;
    } else if (event == WALK_FILE && (S_ISREG(entry->stat.st_mode) ||
                                      (entry->depth == 0 && !S_ISLNK(entry->stat.st_mode)))) {
        search_file(entry->path + strlen(skip));
    }
    return WALK_CONTINUE;
}

static void search_operand(const char *name)
{
    struct walk walk = {.follow_argument = true, .visit = visit, .context = (char *)""};
    if (options.recursive && strcmp(name, "-") != 0) {
        walk_tree(&walk, name);
    } else if (strcmp(name, "-") != 0 && is_directory(name)) {
        if (!options.silent)
            warnx("%s: Is a directory", name);
        trouble = true;
    } else {
        search_file(name);
    }
}

static unsigned take_options(int argc, char **argv)
{
    unsigned flags = 0;
    int option;
    while ((option = utility_option(argc, argv, "EFGHLRace:f:hilm:noqrsvwxy")) != -1) {
        if (option == 'E' || option == 'F' || option == 'G')
            flags = (flags & ~(unsigned)(REGEX_EXTENDED | REGEX_LITERAL)) |
                    (option == 'E'   ? REGEX_EXTENDED
                     : option == 'F' ? REGEX_LITERAL
                                     : 0);
        flags |= option == 'i' || option == 'y' ? REGEX_IGNORE_CASE : 0;
        flags |= option == 'x' ? REGEX_WHOLE_LINE : 0;
        flags |= option == 'w' ? REGEX_WORD : 0;
        options.binary |= option == 'a';
        options.count |= option == 'c';
        options.list |= option == 'l';
        options.list_without |= option == 'L';
        options.number |= option == 'n';
        options.only |= option == 'o';
        options.quiet |= option == 'q';
        options.recursive |= option == 'r' || option == 'R';
        options.silent |= option == 's';
        options.invert |= option == 'v';
        if (option == 'h' || option == 'H')
            options.names = option == 'H';
        else if (option == 'e')
            add_patterns(optarg, strlen(optarg));
        else if (option == 'f')
            add_pattern_file(optarg);
        else if (option == 'm' && !parse_count(optarg, &options.limit))
            errx(2, "%s: invalid count", optarg);
        if (option == 'e' || option == 'f')
            flags |= 1u << 31; /* patterns were given, even if none */
    }
    return flags;
}

int main(int argc, char **argv)
{
    utility_start(usage, 2);
    unsigned flags = take_options(argc, argv);
    if (!(flags & 1u << 31)) {
        if (optind == argc)
            utility_misuse("a pattern is needed");
        add_patterns(argv[optind], strlen(argv[optind]));
        optind++;
    }
    const char *error = regex_compile(&regex, patterns.list, patterns.count, flags & ~(1u << 31));
    if (error != NULL)
        errx(2, "%s", error);
    if (options.names < 0)
        options.names = argc - optind > 1 || options.recursive;
    if (optind == argc && options.recursive) {
        struct walk walk = {.visit = visit, .context = (char *)"./"};
        walk_tree(&walk, ".");
    } else {
        for (char **name = input_arguments(argc, argv); *name != NULL; name++)
            search_operand(*name);
    }
    regex_free(regex);
    return options.quiet && found ? 0 : trouble ? 2 : !found;
}
