/* err and warn: "program: message: reason". */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../start/start.h"

static void complain(const char *reason, const char *format, va_list arguments)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", program_name());
    if (format)
        vfprintf(stderr, format, arguments);
    if (reason)
        fprintf(stderr, "%s%s", format ? ": " : "", reason);
    fputc('\n', stderr);
}

void vwarn(const char *format, va_list arguments)
{
    complain(strerror(errno), format, arguments);
}

void vwarnx(const char *format, va_list arguments)
{
    complain(NULL, format, arguments);
}

void verr(int status, const char *format, va_list arguments)
{
    complain(strerror(errno), format, arguments);
    exit(status);
}

void verrx(int status, const char *format, va_list arguments)
{
    complain(NULL, format, arguments);
    exit(status);
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarn(format, arguments);
    va_end(arguments);
}

void warnx(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarnx(format, arguments);
    va_end(arguments);
}

void err(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    verr(status, format, arguments);
}

void errx(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    verrx(status, format, arguments);
}
