/* Reads as much at a time as can be given back: a terminal gives a line at most, a file can be
 * rewound, anything else is read byte by byte. */
#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 512 };

int input_line(int fd, struct text *line)
{
    char buffer[BLOCK];
    bool terminal = isatty(fd), seekable = !terminal && lseek(fd, 0, SEEK_CUR) >= 0;

    for (;;) {
        ssize_t n = read(fd, buffer, terminal || seekable ? sizeof(buffer) : 1);
        if (n <= 0)
            return n == 0 ? 1 : -errno;
        const char *newline = memchr(buffer, '\n', (size_t)n);
        size_t used = newline != NULL ? (size_t)(newline - buffer) + 1 : (size_t)n;
        text_add(line, buffer, used);
        if (seekable && used < (size_t)n)
            lseek(fd, -(off_t)((size_t)n - used), SEEK_CUR);
        if (newline != NULL)
            return 0;
    }
}
