/* Formatted output straight to a descriptor. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int vdprintf(int fd, const char *restrict format, va_list arguments)
{
    char *text;
    int len = vasprintf(&text, format, arguments);
    if (len < 0)
        return -1;
    ssize_t written = write(fd, text, (size_t)len);
    free(text);
    return written == len ? len : -1;
}

int dprintf(int fd, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vdprintf(fd, format, arguments);
    va_end(arguments);
    return result;
}
