/* The tests of find: what holds of a file. */
#include "find.h"
#include <fnmatch.h>

static bool test_true(struct node *node, const struct walk_entry *entry)
{
    (void)node, (void)entry;
    return true;
}

static bool test_false(struct node *node, const struct walk_entry *entry)
{
    (void)node, (void)entry;
    return false;
}

static bool test_name(struct node *node, const struct walk_entry *entry)
{
    char *base = entry->depth == 0 ? path_base(entry->name) : NULL;
    bool holds = fnmatch(node->text, base != NULL ? base : entry->name, (int)node->number) == 0;
    free(base);
    return holds;
}

static void parse_iname(struct node *node, const char *argument)
{
    (void)argument;
    node->number = FNM_CASEFOLD;
}

static bool test_path(struct node *node, const struct walk_entry *entry)
{
    return fnmatch(node->text, entry->path, 0) == 0;
}

static void parse_type(struct node *node, const char *argument)
{
    (void)node;
    for (const char *at = argument; *at != '\0'; at += at[1] == ',' ? 2 : 1)
        if (strchr("bcdflps", *at) == NULL)
            errx(1, "-type %s: unknown type", argument);
}

static bool test_type(struct node *node, const struct walk_entry *entry)
{
    mode_t mode = entry->stat.st_mode;
    char letter = S_ISREG(mode)    ? 'f'
                  : S_ISDIR(mode)  ? 'd'
                  : S_ISLNK(mode)  ? 'l'
                  : S_ISBLK(mode)  ? 'b'
                  : S_ISCHR(mode)  ? 'c'
                  : S_ISFIFO(mode) ? 'p'
                                   : 's';
    return strchr(node->text, letter) != NULL;
}

void number_parse(struct node *node, const char *argument)
{
    const char *at = argument;
    if (*at == '+' || *at == '-')
        node->sign = *at++;
    if (!parse_count(at, &node->number))
        errx(1, "%s %s: invalid number", node->test->name, argument);
}

static bool compare_number(const struct node *node, uint64_t value)
{
    return node->sign == '+'   ? value > node->number
           : node->sign == '-' ? value < node->number
                               : value == node->number;
}

/* parse_size_test: the unit rounds up what is compared, so it is kept apart. */
static void parse_size_test(struct node *node, const char *argument)
{
    static const char letters[] = "cwbkMG";
    static const uint64_t units[] = {1, 2, 512, 1024, 1 << 20, 1 << 30};
    const char *at = argument;
    if (*at == '+' || *at == '-')
        node->sign = *at++;
    bool good = parse_digits(&at, &node->number);
    const char *letter = *at != '\0' ? strchr(letters, *at) : NULL;
    node->unit = letter != NULL ? units[letter - letters] : 512;
    if (!good || at[letter != NULL] != '\0')
        errx(1, "-size %s: invalid size", argument);
}

static bool test_size(struct node *node, const struct walk_entry *entry)
{
    return compare_number(node, ((uint64_t)entry->stat.st_size + node->unit - 1) / node->unit);
}

static bool test_empty(struct node *node, const struct walk_entry *entry)
{
    (void)node;
    if (S_ISREG(entry->stat.st_mode))
        return entry->stat.st_size == 0;
    if (!S_ISDIR(entry->stat.st_mode))
        return false;
    struct names names;
    bool empty = names_read(&names, entry->path, false) == 0 && names.count == 0;
    names_free(&names);
    return empty;
}

static void parse_newer(struct node *node, const char *argument)
{
    struct stat status;
    if (stat(argument, &status) < 0)
        err(1, "%s", argument);
    node->time = status.st_mtim;
}

static bool test_newer(struct node *node, const struct walk_entry *entry)
{
    const struct timespec *time = &entry->stat.st_mtim;
    return time->tv_sec != node->time.tv_sec ? time->tv_sec > node->time.tv_sec
                                             : time->tv_nsec > node->time.tv_nsec;
}

static void parse_mtime(struct node *node, const char *argument)
{
    number_parse(node, argument);
    node->unit = strcmp(node->test->name, "-mmin") == 0 ? 60 : 24 * 60 * 60;
}

/* test_mtime: ages count whole days; minutes, which begin ones. */
static bool test_mtime(struct node *node, const struct walk_entry *entry)
{
    int64_t age = (int64_t)find.now - (int64_t)entry->stat.st_mtime;
    uint64_t seconds = age > 0 ? (uint64_t)age : 0;
    return compare_number(node, (seconds + (node->unit == 60 ? 59 : 0)) / node->unit);
}

static bool test_links(struct node *node, const struct walk_entry *entry)
{
    return compare_number(node, entry->stat.st_nlink);
}

static bool test_inode(struct node *node, const struct walk_entry *entry)
{
    return compare_number(node, entry->stat.st_ino);
}

static const struct test list[] = {
    {"-name", 1, NULL, test_name, false},
    {"-iname", 1, parse_iname, test_name, false},
    {"-path", 1, NULL, test_path, false},
    {"-type", 1, parse_type, test_type, false},
    {"-size", 1, parse_size_test, test_size, false},
    {"-empty", 0, NULL, test_empty, false},
    {"-newer", 1, parse_newer, test_newer, false},
    {"-mtime", 1, parse_mtime, test_mtime, false},
    {"-mmin", 1, parse_mtime, test_mtime, false},
    {"-links", 1, number_parse, test_links, false},
    {"-inum", 1, number_parse, test_inode, false},
    {"-true", 0, NULL, test_true, false},
    {"-false", 0, NULL, test_false, false},
};

const struct test_table find_tests = {list, sizeof(list) / sizeof(list[0])};
