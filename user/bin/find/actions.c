/* The actions of find, and its options, which look like tests that always hold. */
#include "../common/run.h"
#include "find.h"

static bool do_print(struct node *node, const struct walk_entry *entry)
{
    (void)node;
    output_line(entry->path);
    return true;
}

static bool do_print0(struct node *node, const struct walk_entry *entry)
{
    (void)node;
    output_write(entry->path, strlen(entry->path) + 1);
    return true;
}

static bool do_prune(struct node *node, const struct walk_entry *entry)
{
    (void)node, (void)entry;
    find.prune = true;
    return true;
}

static bool do_quit(struct node *node, const struct walk_entry *entry)
{
    (void)node, (void)entry;
    find.quit = true;
    return true;
}

static void parse_delete(struct node *node, const char *argument)
{
    (void)node, (void)argument;
    find.contents_first = true;
}

static bool do_delete(struct node *node, const struct walk_entry *entry)
{
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
static char *substitute(const char *argument, const char *path)
{
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

static int run_reported(char **arguments)
{
    int result = run_program(arguments, -1);
    if (result < 0) {
        errno = -result;
        warn("%s", arguments[0]);
        find.status = 1;
    }
    return result;
}

/* run_batch: {} is the last argument; what the system takes at once is found by trying. */
void exec_finish(struct node *node)
{
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
            node->batch_limit = part * 3 / 4;
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

static bool do_exec(struct node *node, const struct walk_entry *entry)
{
    if (node->batched) {
        node->batch =
            must_grow(node->batch, node->batch_count, &node->batch_capacity, sizeof(char *));
        node->batch[node->batch_count++] = must_copy(entry->path);
        if (node->batch_count == node->batch_limit)
            exec_finish(node);
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

static bool do_nothing(struct node *node, const struct walk_entry *entry)
{
    (void)node, (void)entry;
    return true;
}

static void parse_maxdepth(struct node *node, const char *argument)
{
    number_parse(node, argument);
    find.most_depth = node->number;
}

static void parse_mindepth(struct node *node, const char *argument)
{
    number_parse(node, argument);
    find.least_depth = node->number;
}

char **exec_parse(struct node *node, char **words)
{
    char **word = words;
    node->arguments = words;
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
    return word + 1;
}

static const struct test list[] = {
    {"-print", 0, NULL, do_print, true},
    {"-print0", 0, NULL, do_print0, true},
    {"-delete", 0, parse_delete, do_delete, true},
    {"-exec", -1, NULL, do_exec, true}, /* up to ; or + */
    {"-prune", 0, NULL, do_prune, false},
    {"-quit", 0, NULL, do_quit, true},
    {"-maxdepth", 1, parse_maxdepth, do_nothing, false},
    {"-mindepth", 1, parse_mindepth, do_nothing, false},
    {"-depth", 0, parse_delete, do_nothing, false},
};

const struct test_table find_actions = {list, sizeof(list) / sizeof(list[0])};
