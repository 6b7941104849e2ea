/* tee: standard input to standard output and to files. */
#include "common/utility.h"
#include <fcntl.h>
#include <signal.h>

static const char usage[] = "usage: tee [-ai] [FILE]...\n"
                            "  -a  append to the files\n"
                            "  -i  ignore interrupts\n";

int main(int argc, char **argv)
{
    static char buffer[BUFFER_SIZE];
    int option, status = 0, flags = O_WRONLY | O_CREAT | O_TRUNC;
    ssize_t n;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "ai")) != -1) {
        if (option == 'a')
            flags = O_WRONLY | O_CREAT | O_APPEND;
        else
            signal(SIGINT, SIG_IGN);
    }
    char **names = argv + optind;
    int count = argc - optind;
    int *files = must_allocate((size_t)count * sizeof(int));
    for (int i = 0; i < count; i++)
        if ((files[i] = open(names[i], flags, 0666)) < 0) {
            warn("%s", names[i]);
            status = 1;
        }
    while ((n = read_some(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        output_write(buffer, (size_t)n);
        output_flush();
        for (int i = 0; i < count; i++)
            if (files[i] >= 0 && write_all(files[i], buffer, (size_t)n) < 0) {
                warn("%s", names[i]);
                close(files[i]);
                files[i] = -1;
                status = 1;
            }
    }
    if (n < 0) {
        warn("standard input");
        status = 1;
    }
    for (int i = 0; i < count; i++)
        if (files[i] >= 0 && close(files[i]) < 0) {
            warn("%s", names[i]);
            status = 1;
        }
    free(files);
    return status;
}
