/* picolibc's <stdio.h>, and what POSIX adds. */
#pragma once

#include_next <stdio.h>
#include <stdarg.h>
#include <sys/types.h>

/* fopen's own buffers are a page; this is what a program that brings its own had best use. */
#undef BUFSIZ
#define BUFSIZ 4096

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file);
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file);
FILE *popen(const char *command, const char *mode);
int pclose(FILE *file);
int dprintf(int fd, const char *restrict format, ...) __attribute__((format(printf, 2, 3)));
int vdprintf(int fd, const char *restrict format, va_list arguments);
int renameat(int old_directory, const char *old, int new_directory, const char *new);

#define getc_unlocked(file) getc(file)
#define getchar_unlocked() getchar()
#define putc_unlocked(c, file) putc(c, file)
#define putchar_unlocked(c) putchar(c)
