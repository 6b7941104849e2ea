/* chmod: changes the permissions of files. */
#include "common/file_mode.h"
#include "common/walk.h"

static const char usage[] = "usage: chmod [-Rv] MODE FILE...\n"
                            "  -R  directories and all in them\n"
                            "  -v  say what is changed\n"
                            "MODE is octal, or clauses such as u+x, go-w, a=rX.\n";

static struct {
    const char *text;
    mode_t mask;
    bool recursive, verbose;
    int status;
} change;

static void change_one(const char *path, const struct stat *status)
{
    mode_t mode = status->st_mode;
    char text[11];
    mode_parse(change.text, S_ISDIR(mode), change.mask, &mode); /* main has checked the text */
    if (chmod(path, mode & MODE_BITS) < 0) {
        warn("%s", path);
        change.status = 1;
    } else if (change.verbose) {
        output_format("mode of '%s' is now %04o (%s)\n", path, (unsigned)(mode & MODE_BITS),
                      mode_string(mode, text) + 1);
    }
}

static enum walk_answer change_visit(const struct walk_entry *entry, enum walk_event event,
                                     void *context)
{
    (void)context;
    if (event == WALK_ERROR) {
        errno = entry->error;
        warn("%s", entry->path);
        change.status = 1;
    } else if (event != WALK_LEAVE && !S_ISLNK(entry->stat.st_mode)) {
        change_one(entry->path, &entry->stat);
    }
    return WALK_CONTINUE;
}

/* take_minus_mode: "-w" is a mode, not an option. Removes it from the arguments. */
static const char *take_minus_mode(int *argc, char **argv)
{
    for (int i = 1; i < *argc && argv[i][0] == '-' && argv[i][1] != '-'; i++) {
        char *text = argv[i];
        if (text[1] == '\0' || strchr("rwxXstugo", text[1]) == NULL)
            continue;
        memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof(argv[0]));
        (*argc)--;
        return text;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct walk walk = {.follow_argument = true, .visit = change_visit};
    struct stat status;
    mode_t mode = 0;
    int option;

    utility_start(usage, 1);
    change.text = take_minus_mode(&argc, argv);
    while ((option = utility_option(argc, argv, "Rv")) != -1) {
        change.recursive |= option == 'R';
        change.verbose |= option == 'v';
    }
    if (change.text == NULL && optind < argc)
        change.text = argv[optind++];
    if (change.text == NULL || optind == argc)
        utility_misuse("missing operand");
    change.mask = umask(0);
    umask(change.mask);
    if (!mode_parse(change.text, false, change.mask, &mode))
        errx(1, "%s: invalid mode", change.text);
    for (int i = optind; i < argc; i++) {
        if (change.recursive) {
            walk_tree(&walk, argv[i]);
        } else if (stat(argv[i], &status) == 0) {
            change_one(argv[i], &status);
        } else {
            warn("%s", argv[i]);
            change.status = 1;
        }
    }
    return change.status;
}
