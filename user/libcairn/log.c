/* Lines for the kernel log. */
#include "cairn/log.h"

#include "cairn/syscall.h"
#include <stdarg.h>
#include <stdio.h>

#define LOG_LINE_MAX 200

void driver_log(const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length > sizeof line - 2)
        length = sizeof line - 2;
    line[length] = '\n';
    debug_write(line, (size_t)length + 1);
}
