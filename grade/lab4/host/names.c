/* Runs the name table on the host: one command a line on standard input, one line of result each
 * in the file that is the only argument. Texts are hexadecimal; in a command "-" for an empty one,
 * in a result behind a "=". What the table itself prints goes to the terminal and counts for
 * nothing. */
#include "abi/errno.h"
#include "nsd/nametable_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

static FILE *results;
static struct name_table *table;

/* An argument in a block of exactly its size, so that a byte read behind its end is noticed. */
struct text {
    char *bytes;
    size_t len;
};

static struct text text_decode(const char *hex)
{
    size_t digits = strcmp(hex, "-") == 0 ? 0 : strlen(hex);
    struct text text = {.len = digits / 2};
    text.bytes = malloc(text.len ? text.len : 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        text.bytes[i] = (char)byte;
    }
    return text;
}

static void print_hex(const char *bytes, size_t len)
{
    fputs(" =", results);
    for (size_t i = 0; i < len; i++)
        fprintf(results, "%02x", (unsigned char)bytes[i]);
}

struct command {
    long numbers[3];
    struct text a, b;
};

/* ---- Single steps -----------------------------------------------------------------------------
 */

static void do_parse(const struct command *c)
{
    struct name name;
    memset(&name, 0xaa, sizeof name);
    int error = name_parse(&name, c->a.bytes, c->a.len);
    fprintf(results, "%d", error);
    if (error)
        return;
    fprintf(results, " %u %u", name.len, name.stem);
    print_hex(name.text, name.len <= NAME_MAX_LEN ? name.len : 0);
}

static void do_covers(const struct command *c)
{
    struct name name;
    int error = name_parse(&name, c->a.bytes, c->a.len);
    if (error)
        fprintf(results, "name_parse gives %d", error);
    else
        fprintf(results, "%d", name_covers(&name, c->b.bytes, c->b.len));
}

static void do_match(const struct command *c)
{
    const struct entry *entry = name_entry_match(table, c->a.bytes, c->a.len);
    if (entry == NULL)
        fprintf(results, "none");
    else
        fprintf(results, "%ld", (long)entry->handle);
}

static void do_pass(const struct command *c)
{
    static const char *const kinds[] = {"show", "bind", "rebind", "hide"};
    int error = -4711, view = (int)c->numbers[0];
    const struct rule *rule = name_layers_pass(table, &view, c->a.bytes, c->a.len, &error);
    if (rule != NULL) {
        fprintf(results, "%s view %d", kinds[rule->kind], view);
        print_hex(rule->name.text, rule->name.len);
    } else if (error) {
        fprintf(results, "error %d", error);
    } else {
        fprintf(results, "entries view %d", view);
    }
}

/* ---- The table --------------------------------------------------------------------------------
 */

static void do_register(const struct command *c)
{
    int error = name_table_register(table, (int)c->numbers[0], c->a.bytes, c->a.len, c->numbers[1],
                                    (uint32_t)c->numbers[2]);
    fprintf(results, "%d", error);
}

static void do_unregister(const struct command *c)
{
    int64_t result = name_table_unregister(table, (int)c->numbers[0], c->a.bytes, c->a.len,
                                           (uint32_t)c->numbers[1]);
    fprintf(results, "%ld", (long)result);
}

static void do_alias(const struct command *c)
{
    int error = name_table_alias(table, (int)c->numbers[0], c->a.bytes, c->a.len, c->b.bytes,
                                 c->b.len, (uint32_t)c->numbers[1]);
    fprintf(results, "%d", error);
}

static void do_resolve(const struct command *c)
{
    struct name_match match;
    size_t size = (size_t)c->numbers[1];
    char *resolved = malloc(size ? size : 1);
    int64_t handle =
        name_table_resolve(table, (int)c->numbers[0], c->a.bytes, c->a.len, resolved, size, &match);
    fprintf(results, "%ld", (long)handle);
    if (handle >= 0) {
        print_hex(resolved, match.len <= size ? match.len : 0);
        fprintf(results, " %zu %s", match.matched, match.deeper ? "deeper" : "final");
    }
    free(resolved);
}

static void do_list(const struct command *c)
{
    struct name_entry_info info;
    int error = 0;
    for (size_t i = 0; error == 0 && i <= LISTING_MAX; i++) {
        error = name_table_list(table, (int)c->numbers[0], i, &info);
        if (error == 0)
            print_hex(info.name, info.len);
    }
    fprintf(results, " %d", error);
}

/* ---- Views ------------------------------------------------------------------------------------
 */

static void do_view(const struct command *c)
{
    fprintf(results, "%d",
            name_view_create(table, (int)c->numbers[0], c->numbers[1] != 0, c->numbers[2] != 0));
}

static void do_restrict(const struct command *c)
{
    fprintf(results, "%d", name_view_restrict(table, (int)c->numbers[0], c->a.bytes, c->a.len));
}

static void do_hide(const struct command *c)
{
    fprintf(results, "%d", name_view_hide(table, (int)c->numbers[0], c->a.bytes, c->a.len));
}

static void do_bind(const struct command *c)
{
    fprintf(results, "%d",
            name_view_bind(table, (int)c->numbers[0], c->a.bytes, c->a.len, c->numbers[1]));
}

static void do_rebind(const struct command *c)
{
    fprintf(
        results, "%d",
        name_view_rebind(table, (int)c->numbers[0], c->a.bytes, c->a.len, c->b.bytes, c->b.len));
}

struct released {
    size_t count;
    int64_t handles[2 * LISTING_MAX];
};

static void note_released(int64_t handle, void *context)
{
    struct released *released = context;
    if (released->count < 2 * LISTING_MAX)
        released->handles[released->count++] = handle;
}

static int handle_compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The order in which handles are given up does not matter. */
static void do_drop(const struct command *c)
{
    static struct released released;
    released.count = 0;
    name_view_drop(table, (int)c->numbers[0], note_released, &released);
    qsort(released.handles, released.count, sizeof released.handles[0], handle_compare);
    fprintf(results, "released");
    for (size_t i = 0; i < released.count; i++)
        fprintf(results, " %ld", (long)released.handles[i]);
}

/* Which layers the table keeps. */
static void do_layers(const struct command *c)
{
    (void)c;
    fprintf(results, "layers");
    for (int i = 0; i < NAME_VIEWS; i++)
        if (table->views[i].used)
            fprintf(results, " %d", i);
}

static void do_reset(const struct command *c)
{
    (void)c;
    free(table);
    table = malloc(name_table_size());
    memset(table, 0xaa, name_table_size());
    name_table_init(table);
    fprintf(results, "0");
}

static const struct {
    const char *name;
    unsigned numbers, texts;
    void (*run)(const struct command *command);
} commands[] = {
    {"parse", 0, 1, do_parse},       {"covers", 0, 2, do_covers},
    {"match", 0, 1, do_match},       {"pass", 1, 1, do_pass},
    {"register", 3, 1, do_register}, {"unregister", 2, 1, do_unregister},
    {"alias", 2, 2, do_alias},       {"resolve", 2, 1, do_resolve},
    {"list", 1, 0, do_list},         {"view", 3, 0, do_view},
    {"restrict", 1, 1, do_restrict}, {"hide", 1, 1, do_hide},
    {"bind", 2, 1, do_bind},         {"rebind", 1, 2, do_rebind},
    {"drop", 1, 0, do_drop},         {"layers", 0, 0, do_layers},
    {"reset", 0, 0, do_reset},
};

/* NAME NUMBER... TEXT... */
static void run_line(char *line)
{
    const char *name = strtok(line, " \n");
    for (size_t i = 0; name != NULL && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        struct command c = {.numbers = {0}};
        for (unsigned n = 0; n < commands[i].numbers; n++)
            c.numbers[n] = atol(strtok(NULL, " \n"));
        c.a = text_decode(commands[i].texts > 0 ? strtok(NULL, " \n") : "-");
        c.b = text_decode(commands[i].texts > 1 ? strtok(NULL, " \n") : "-");
        commands[i].run(&c);
        fputc('\n', results);
        free(c.a.bytes);
        free(c.b.bytes);
        return;
    }
    fprintf(stderr, "unknown command\n");
    exit(2);
}

int main(int argc, char **argv)
{
    static char line[4 * TEXT_MAX];
    struct command none = {.numbers = {0}};
    results = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (results == NULL)
        return 2;
    do_reset(&none);
    rewind(results);
    setvbuf(results, NULL, _IOLBF, 1 << 16);
    while (fgets(line, sizeof line, stdin) != NULL)
        run_line(line);
    free(table);
    return fclose(results) != 0;
}
