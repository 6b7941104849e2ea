/* find: files in trees for which an expression holds. */
#include "find/find.h"

static const char usage[] =
    "usage: find [-HL] [PATH]... [EXPRESSION]\n"
    "  -H, -L  follow symbolic links: of PATHs, all\n"
    "Tests:     -name, -iname, -path GLOB  -type bcdflps  -size [+-]N[cwbkMG]  -empty\n"
    "           -newer FILE  -mtime, -mmin [+-]N  -links [+-]N  -inum [+-]N  -true  -false\n"
    "Actions:   -print  -print0  -delete  -exec PROGRAM ARGUMENT... ; or {} +  -prune  -quit\n"
    "Options:   -maxdepth N  -mindepth N  -depth\n"
    "Operators: ( E )  ! E  -not E  E E  E -a E  E -o E\n";

struct find_state find = {.most_depth = UINT64_MAX};

static enum walk_answer visit(const struct walk_entry *entry, enum walk_event event, void *context)
{
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
        if (expression_holds(entry) && !find.has_action)
            output_line(entry->path);
    if (find.quit)
        return WALK_STOP;
    if (event != WALK_ENTER || find.contents_first)
        find.prune = false;
    return find.prune ||
                   (event == WALK_ENTER && entry->depth >= find.most_depth && !find.contents_first)
               ? WALK_SKIP
               : WALK_CONTINUE;
}

/* is_expression: what no path starts with. */
static bool is_expression(const char *text)
{
    return (text[0] == '-' && text[1] != '\0') || strcmp(text, "(") == 0 || strcmp(text, "!") == 0;
}

int main(int argc, char **argv)
{
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
    expression_parse(end);
    for (char **path = paths < end ? paths : only_here; *path != NULL && path != end; path++)
        if (!walk_tree(&walk, *path))
            break;
    expression_finish();
    return find.status;
}
