/* find: files in trees for which an expression holds.
 *
 * The expression becomes a tree of nodes in an array; primaries are a table of names, parsers
 * and tests. */
#include "common/run.h"
#include "common/walk.h"
#include <fnmatch.h>
#include <time.h>

static const char usage[] =
    "usage: find [-HL] [PATH]... [EXPRESSION]\n"
    "  -H, -L  follow symbolic links: of PATHs, all\n"
    "Tests:     -name, -iname, -path GLOB  -type bcdflps  -size [+-]N[cwbkMG]  -empty\n"
    "           -newer FILE  -mtime, -mmin [+-]N  -links [+-]N  -inum [+-]N  -true  -false\n"
    "Actions:   -print  -print0  -delete  -exec PROGRAM ARGUMENT... ; or {} +  -prune  -quit\n"
    "Options:   -maxdepth N  -mindepth N  -depth\n"
    "Operators: ( E )  ! E  -not E  E E  E -a E  E -o E\n";

struct node;

struct test {
    const char *name;
    int arguments;
    void (*parse)(struct node *node, const char *argument); /* may be NULL */
    bool (*holds)(struct node *node, const struct walk_entry *entry);
    bool is_action; /* then -print is not implied */
};

enum node_kind { NODE_TEST, NODE_NOT, NODE_AND, NODE_OR };

struct node {
    enum node_kind kind;
    int left, right; /* of operators */
    const struct test *test;
    const char *text;
    char sign; /* of a number: '+' more than, '-' less than, 0 exactly */
    uint64_t number, unit;
    struct timespec time;
    char **arguments; /* of -exec; count without the final ; or + */
    size_t argument_count;
    char **batch; /* of -exec +: paths that wait */
    size_t batch_count, batch_capacity, batch_limit;
    bool batched;
};

static struct {
    struct node *list;
    size_t count, capacity;
} nodes;

static struct {
    uint64_t least_depth, most_depth;
    bool contents_first, quit, prune;
    int root; /* of the expression, -1: none */
    int status;
    time_t now;
} find = {.most_depth = UINT64_MAX, .root = -1};

/* ---- Tests ---- */

static bool test_true(struct node *node, const struct walk_entry *entry) {
    (void)node, (void)entry;
    return true;
}

static bool test_false(struct node *node, const struct walk_entry *entry) {
    (void)node, (void)entry;
    return false;
}

static bool test_name(struct node *node, const struct walk_entry *entry) {
    char *base = entry->depth == 0 ? path_base(entry->name) : NULL;
    bool holds = fnmatch(node->text, base != NULL ? base : entry->name, (int)node->number) == 0;
    free(base);
    return holds;
}

static void parse_iname(struct node *node, const char *argument) {
    (void)argument;
    node->number = FNM_CASEFOLD;
}

static bool test_path(struct node *node, const struct walk_entry *entry) {
    return fnmatch(node->text, entry->path, 0) == 0;
}

static void parse_type(struct node *node, const char *argument) {
    (void)node;
    for (const char *at = argument; *at != '\0'; at += at[1] == ',' ? 2 : 1)
        if (strchr("bcdflps", *at) == NULL)
            errx(1, "-type %s: unknown type", argument);
}

static bool test_type(struct node *node, const struct walk_entry *entry) {
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

static void parse_number(struct node *node, const char *argument) {
    const char *at = argument;
    if (*at == '+' || *at == '-')
        node->sign = *at++;
    if (!parse_count(at, &node->number))
        errx(1, "%s %s: invalid number", node->test->name, argument);
}

static bool compare_number(const struct node *node, uint64_t value) {
    return node->sign == '+'   ? value > node->number
           : node->sign == '-' ? value < node->number
                               : value == node->number;
}

/* parse_size_test: the unit rounds up what is compared, so it is kept apart. */
static void parse_size_test(struct node *node, const char *argument) {
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

static bool test_size(struct node *node, const struct walk_entry *entry) {
    return compare_number(node, ((uint64_t)entry->stat.st_size + node->unit - 1) / node->unit);
}

static bool test_empty(struct node *node, const struct walk_entry *entry) {
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

static void parse_newer(struct node *node, const char *argument) {
    struct stat status;
    if (stat(argument, &status) < 0)
        err(1, "%s", argument);
    node->time = status.st_mtim;
}

static bool test_newer(struct node *node, const struct walk_entry *entry) {
    const struct timespec *time = &entry->stat.st_mtim;
    return time->tv_sec != node->time.tv_sec ? time->tv_sec > node->time.tv_sec
                                             : time->tv_nsec > node->time.tv_nsec;
}

static void parse_mtime(struct node *node, const char *argument) {
    parse_number(node, argument);
    node->unit = strcmp(node->test->name, "-mmin") == 0 ? 60 : 24 * 60 * 60;
}

/* test_mtime: ages count whole days; minutes, which begin ones. */
static bool test_mtime(struct node *node, const struct walk_entry *entry) {
    int64_t age = (int64_t)find.now - (int64_t)entry->stat.st_mtime;
    uint64_t seconds = age > 0 ? (uint64_t)age : 0;
    return compare_number(node, (seconds + (node->unit == 60 ? 59 : 0)) / node->unit);
}

static bool test_links(struct node *node, const struct walk_entry *entry) {
    return compare_number(node, entry->stat.st_nlink);
}

static bool test_inode(struct node *node, const struct walk_entry *entry) {
    return compare_number(node, entry->stat.st_ino);
}

/* ---- Actions ---- */

static bool do_print(struct node *node, const struct walk_entry *entry) {
    (void)node;
    output_line(entry->path);
    return true;
}

static bool do_print0(struct node *node, const struct walk_entry *entry) {
    (void)node;
    output_write(entry->path, strlen(entry->path) + 1);
    return true;
}

static bool do_prune(struct node *node, const struct walk_entry *entry) {
    (void)node, (void)entry;
    find.prune = true;
    return true;
}

static bool do_quit(struct node *node, const struct walk_entry *entry) {
    (void)node, (void)entry;
    find.quit = true;
    return true;
}

static void parse_delete(struct node *node, const char *argument) {
    (void)node, (void)argument;
    find.contents_first = true;
}

static bool do_delete(struct node *node, const struct walk_entry *entry) {
    (void)node;
    if (entry->depth == 0 && path_is_dots(entry->path))
        return true;
    int result = S_ISDIR(entry->stat.st_mode) ? rmdir(entry->path) : unlink(entry->path);
    if (result == 0)
        return true;
    warn("%s", entry->path);
    find.status = 1;
    return false;
}

/* substitute: argument with each {} replaced, allocated. */
static char *substitute(const char *argument, const char *path) {
    size_t size = strlen(argument) + 1, length = strlen(path);
    for (const char *at = argument; (at = strstr(at, "{}")) != NULL; at += 2)
        size += length;
    char *text = must_allocate(size), *to = text;
    for (const char *at; (at = strstr(argument, "{}")) != NULL; argument = at + 2) {
        memcpy(to, argument, (size_t)(at - argument));
        to += at - argument;
        memcpy(to, path, length);
        to += length;
    }
    memcpy(to, argument, strlen(argument) + 1);
    return text;
}

static int run_reported(char **arguments) {
    int result = run_program(arguments, -1);
    if (result < 0) {
        errno = -result;
        warn("%s", arguments[0]);
        find.status = 1;
    }
    return result;
}

/* run_batch: {} is the last argument; what the system takes at once is found by halving. */
static void run_batch(struct node *node) {
    size_t fixed = node->argument_count - 1, done = 0;
    char **arguments = must_allocate((fixed + node->batch_count + 1) * sizeof(char *));
    memcpy(arguments, node->arguments, fixed * sizeof(char *));
    while (done < node->batch_count) {
        size_t part = node->batch_count - done;
        if (part > node->batch_limit)
            part = node->batch_limit;
        memcpy(arguments + fixed, node->batch + done, part * sizeof(char *));
        arguments[fixed + part] = NULL;
        int result = run_program(arguments, -1);
        if (result == -E2BIG && part > 1) {
            node->batch_limit = part / 2;
            continue;
        }
        if (result < 0) {
            errno = -result;
            warn("%s", arguments[0]);
        }
        if (result != 0)
            find.status = 1;
        done += part;
    }
    for (size_t i = 0; i < node->batch_count; i++)
        free(node->batch[i]);
    node->batch_count = 0;
    free(arguments);
}

static bool do_exec(struct node *node, const struct walk_entry *entry) {
    if (node->batched) {
        node->batch = must_grow(node->batch, node->batch_count, &node->batch_capacity,
                                sizeof(char *));
        node->batch[node->batch_count++] = must_copy(entry->path);
        if (node->batch_count == node->batch_limit)
            run_batch(node);
        return true;
    }
    char **arguments = must_allocate((node->argument_count + 1) * sizeof(char *));
    for (size_t i = 0; i < node->argument_count; i++)
        arguments[i] = substitute(node->arguments[i], entry->path);
    arguments[node->argument_count] = NULL;
    int result = run_reported(arguments);
    for (size_t i = 0; i < node->argument_count; i++)
        free(arguments[i]);
    free(arguments);
    return result == 0;
}

/* ---- Options ---- */

static void parse_maxdepth(struct node *node, const char *argument) {
    parse_number(node, argument);
    find.most_depth = node->number;
}

static void parse_mindepth(struct node *node, const char *argument) {
    parse_number(node, argument);
    find.least_depth = node->number;
}

static const struct test tests[] = {
    {"-name", 1, NULL, test_name, false},
    {"-iname", 1, parse_iname, test_name, false},
    {"-path", 1, NULL, test_path, false},
    {"-type", 1, parse_type, test_type, false},
    {"-size", 1, parse_size_test, test_size, false},
    {"-empty", 0, NULL, test_empty, false},
    {"-newer", 1, parse_newer, test_newer, false},
    {"-mtime", 1, parse_mtime, test_mtime, false},
    {"-mmin", 1, parse_mtime, test_mtime, false},
    {"-links", 1, parse_number, test_links, false},
    {"-inum", 1, parse_number, test_inode, false},
    {"-true", 0, NULL, test_true, false},
    {"-false", 0, NULL, test_false, false},
    {"-print", 0, NULL, do_print, true},
    {"-print0", 0, NULL, do_print0, true},
    {"-delete", 0, parse_delete, do_delete, true},
    {"-exec", -1, NULL, do_exec, true}, /* up to ; or + */
    {"-prune", 0, NULL, do_prune, false},
    {"-quit", 0, NULL, do_quit, true},
    {"-maxdepth", 1, parse_maxdepth, test_true, false},
    {"-mindepth", 1, parse_mindepth, test_true, false},
    {"-depth", 0, parse_delete, test_true, false},
};

/* ---- The expression ---- */

static char **word; /* the next one to parse */
static bool has_action;

static int new_node(enum node_kind kind, int left, int right) {
    nodes.list = must_grow(nodes.list, nodes.count, &nodes.capacity, sizeof(struct node));
    nodes.list[nodes.count] = (struct node){.kind = kind, .left = left, .right = right};
    return (int)nodes.count++;
}

static bool accept(const char *text) {
    if (*word == NULL || strcmp(*word, text) != 0)
        return false;
    word++;
    return true;
}

static void parse_exec(struct node *node) {
    node->arguments = word;
    while (*word != NULL && strcmp(*word, ";") != 0 &&
           !(strcmp(*word, "+") == 0 && word > node->arguments && strcmp(word[-1], "{}") == 0))
        word++;
    node->argument_count = (size_t)(word - node->arguments);
    if (*word == NULL || node->argument_count == 0)
        errx(1, "-exec: must end with ; or {} +");
    node->batched = strcmp(*word, "+") == 0;
    node->batch_limit = 4096;
    if (node->batched && node->argument_count < 2)
        errx(1, "-exec: no program");
    word++;
}

static int parse_test(void) {
    const struct test *test = NULL;
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        if (strcmp(tests[i].name, *word) == 0)
            test = &tests[i];
    if (test == NULL)
        errx(1, "%s: unknown test or action", *word);
    int index = new_node(NODE_TEST, -1, -1);
    struct node *node = &nodes.list[index];
    node->test = test;
    has_action |= test->is_action;
    word++;
    if (test->arguments < 0) {
        parse_exec(node);
    } else if (test->arguments > 0) {
        if (*word == NULL)
            errx(1, "%s: missing argument", test->name);
        node->text = *word++;
    }
    if (test->parse != NULL)
        test->parse(node, node->text);
    return index;
}

static int parse_or(int depth);

static int parse_factor(int depth) {
    bool negated = false;
    int inner;
    while (accept("!") || accept("-not"))
        negated = !negated;
    if (*word == NULL)
        errx(1, "the expression ends too early");
    if (accept("(")) {
        if (depth > 100)
            errx(1, "parentheses nested too deeply");
        inner = parse_or(depth + 1);
        if (!accept(")"))
            errx(1, "missing )");
    } else {
        inner = parse_test();
    }
    return negated ? new_node(NODE_NOT, inner, -1) : inner;
}

static bool ends_and(void) {
    return *word == NULL || strcmp(*word, ")") == 0 || strcmp(*word, "-o") == 0 ||
           strcmp(*word, "-or") == 0;
}

static int parse_and(int depth) {
    int left = parse_factor(depth);
    while (!ends_and()) {
        if (!accept("-a"))
            accept("-and");
        int right = parse_factor(depth);
        left = new_node(NODE_AND, left, right);
    }
    return left;
}

static int parse_or(int depth) {
    int left = parse_and(depth);
    while (accept("-o") || accept("-or")) {
        int right = parse_and(depth);
        left = new_node(NODE_OR, left, right);
    }
    return left;
}

/* evaluate: as deep as the expression, that is, at most as deep as there are arguments. */
static bool evaluate(int index, const struct walk_entry *entry) {
    struct node *node = &nodes.list[index];
    if (node->kind == NODE_TEST)
        return node->test->holds(node, entry);
    bool value = evaluate(node->left, entry);
    if (node->kind == NODE_NOT)
        return !value;
    if (value != (node->kind == NODE_AND) || find.quit)
        return value;
    return evaluate(node->right, entry);
}

static enum walk_answer visit(const struct walk_entry *entry, enum walk_event event,
                              void *context) {
    (void)context;
    if (event == WALK_ERROR) {
        errno = entry->error;
        warn("%s", entry->path);
        find.status = 1;
        return WALK_CONTINUE;
    }
    find.prune = false;
    bool due = event == WALK_FILE || event == (find.contents_first ? WALK_LEAVE : WALK_ENTER);
    if (due && entry->depth >= find.least_depth && entry->depth <= find.most_depth)
        if ((find.root < 0 || evaluate(find.root, entry)) && !has_action)
            do_print(NULL, entry);
    if (find.quit)
        return WALK_STOP;
    if (event != WALK_ENTER || find.contents_first)
        find.prune = false;
    return find.prune || (event == WALK_ENTER && entry->depth >= find.most_depth &&
                          !find.contents_first)
               ? WALK_SKIP
               : WALK_CONTINUE;
}

/* is_expression: what no path starts with. */
static bool is_expression(const char *text) {
    return (text[0] == '-' && text[1] != '\0') || strcmp(text, "(") == 0 || strcmp(text, "!") == 0;
}

int main(int argc, char **argv) {
    static char here[] = ".", *only_here[] = {here, NULL};
    struct walk walk = {.visit = visit};
    char **paths = argv + 1, **end;

    utility_start(usage, 1);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        output_text(usage);
        return 0;
    }
    for (; *paths != NULL && (strcmp(*paths, "-H") == 0 || strcmp(*paths, "-L") == 0); paths++) {
        walk.follow |= (*paths)[1] == 'L';
        walk.follow_argument = true;
    }
    for (end = paths; *end != NULL && !is_expression(*end); end++)
        continue;
    find.now = time(NULL);
    word = end;
    if (*word != NULL)
        find.root = parse_or(0);
    if (*word != NULL)
        errx(1, "%s: unexpected", *word);
    for (char **path = paths < end ? paths : only_here; *path != NULL && path != end; path++)
        if (!walk_tree(&walk, *path))
            break;
    for (size_t i = 0; i < nodes.count; i++) {
        if (nodes.list[i].batch_count > 0)
            run_batch(&nodes.list[i]);
        free(nodes.list[i].batch);
    }
    free(nodes.list);
    return find.status;
}
