/* getline and getdelim: a line of any length. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file)
{
    size_t len = 0;
    int c;
    if (!*line)
        *size = 0;
    do {
        if (len + 2 > *size) {
            size_t larger = *size ? *size * 2 : 128;
            char *grown = realloc(*line, larger);
            if (!grown) {
                errno = ENOMEM;
                return -1;
            }
            *line = grown;
            *size = larger;
        }
        c = fgetc(file);
        if (c == EOF)
            break;
        (*line)[len++] = (char)c;
    } while (c != delimiter);
    (*line)[len] = '\0';
    return len > 0 ? (ssize_t)len : -1;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file)
{
    return getdelim(line, size, '\n', file);
}
