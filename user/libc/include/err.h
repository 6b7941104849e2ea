/* Messages about what went wrong, with the program's name in front. */
#pragma once

#include <stdarg.h>

_Noreturn void err(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void errx(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void verr(int status, const char *format, va_list arguments);
_Noreturn void verrx(int status, const char *format, va_list arguments);
void vwarn(const char *format, va_list arguments);
void vwarnx(const char *format, va_list arguments);
