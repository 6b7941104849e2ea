/* mktemp: a new file or directory under a name that nobody else has. */
#include "common/path.h"
#include <fcntl.h>

static const char usage[] = "usage: mktemp [-dqu] [-p DIRECTORY] [TEMPLATE]\n"
                            "  -d            a directory\n"
                            "  -p DIRECTORY  in it (else, without TEMPLATE, in $TMPDIR or /tmp)\n"
                            "  -q            no message on failure\n"
                            "  -u            only a name; nothing is made\n"
                            "TEMPLATE ends with at least three X, which are replaced.\n";

#define ATTEMPTS 100

/* fill: random letters and digits in place of the Xs. */
static void fill(char *xs)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (; *xs != '\0'; xs++) {
        unsigned char byte;
        do
            if (getentropy(&byte, 1) < 0)
                err(1, "random numbers");
        while (byte >= 4 * 62); /* a remainder would prefer some letters */
        *xs = letters[byte % 62];
    }
}

static bool make(const char *path, bool directory, bool only_name)
{
    struct stat status;
    if (only_name)
        return lstat(path, &status) < 0;
    if (directory)
        return mkdir(path, 0700) == 0;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    return fd >= 0 && close(fd) == 0;
}

int main(int argc, char **argv)
{
    const char *parent = NULL, *template = "tmp.XXXXXXXXXX";
    bool directory = false, quiet = false, only_name = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "dqup:t")) != -1) {
        directory |= option == 'd';
        quiet |= option == 'q';
        only_name |= option == 'u';
        if (option == 'p')
            parent = optarg;
    }
    if (argc - optind > 1)
        utility_misuse("too many templates");
    if (optind < argc)
        template = argv[optind];
    else if (parent == NULL)
        parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    size_t length = strlen(template), xs = 0;
    while (xs < length && template[length - 1 - xs] == 'X')
        xs++;
    if (xs < 3)
        errx(1, "%s: too few X at the end", template);
    char *path = parent != NULL ? path_join(parent, template) : must_copy(template);
    for (int i = 0; i < ATTEMPTS; i++) {
        fill(path + strlen(path) - xs);
        if (make(path, directory, only_name)) {
            output_line(path);
            free(path);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    if (!quiet)
        warn("%s", path);
    return 1;
}
