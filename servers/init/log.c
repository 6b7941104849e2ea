/* init's lines in the kernel log, and its end. */

#include "init.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 240

static void log_line(const char *format, va_list arguments)
{
    char line[LINE_MAX_LEN] = "init: ";
    size_t used = strlen(line);

    int len = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    if (len > 0)
        used += (size_t)len < sizeof line - used - 1 ? (size_t)len : sizeof line - used - 2;
    line[used++] = '\n';
    debug_write(line, used);
}

void init_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(format, arguments);
    va_end(arguments);
}

void init_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(format, arguments);
    va_end(arguments);
    if (init.info != NULL)
        call_words(init.info->power, KPOWER_OFF, 1, 0, 0);
    process_exit(1);
}
