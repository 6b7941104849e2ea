/* fputs. */
#include <stdio.h>
#include <string.h>

int fputs(const char *restrict text, FILE *restrict file)
{
    size_t len = strlen(text);
    return fwrite(text, 1, len, file) == len ? 0 : EOF;
}
