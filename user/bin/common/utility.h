/* What every utility shares: options, exit status, buffered output, numbers.
 *
 * A program calls utility_start first. What it prints goes through output_*(): one buffer of
 * 64 KiB, flushed at exit, and a write that fails ends the program with its trouble status.
 * Errors go through warn() and err(), which print "name: what: reason". */
#pragma once

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

/* One of each in a program, however many of its files include this header: weak definitions
 * are merged. */
__attribute__((weak)) struct {
    const char *usage;
    int trouble; /* exit status of misuse and of failed output */
} utility;

__attribute__((weak)) struct {
    char bytes[BUFFER_SIZE];
    size_t used;
} output;

/* write_all: writes everything or returns -1 with errno. */
static inline int write_all(int fd, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

/* read_some: read(), not disturbed by signals. */
static inline ssize_t read_some(int fd, void *buffer, size_t size)
{
    ssize_t n;
    do
        n = read(fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* output_failed: nobody can be told through standard output, so the program ends here. A reader
 * that went away (EPIPE) is no news to the user. */
static inline void output_failed(void)
{
    if (errno != EPIPE)
        warn("write error");
    _exit(utility.trouble);
}

static inline void output_flush(void)
{
    size_t used = output.used;
    output.used = 0;
    if (used > 0 && write_all(STDOUT_FILENO, output.bytes, used) < 0)
        output_failed();
}

static inline void output_write(const void *data, size_t length)
{
    if (length > BUFFER_SIZE - output.used)
        output_flush();
    if (length >= BUFFER_SIZE) {
        if (write_all(STDOUT_FILENO, data, length) < 0)
            output_failed();
        return;
    }
    memcpy(output.bytes + output.used, data, length);
    output.used += length;
}

static inline void output_char(int c)
{
    if (output.used == BUFFER_SIZE)
        output_flush();
    output.bytes[output.used++] = (char)c;
}

static inline void output_text(const char *text)
{
    output_write(text, strlen(text));
}

static inline void output_line(const char *text)
{
    output_text(text);
    output_char('\n');
}

__attribute__((format(printf, 1, 2))) static inline void output_format(const char *format, ...)
{
    char small[512];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (length < 0)
        errx(utility.trouble, "bad output format");
    if ((size_t)length < sizeof(small)) {
        output_write(small, (size_t)length);
        return;
    }
    char *large = malloc((size_t)length + 1);
    if (large == NULL)
        errx(utility.trouble, "out of memory");
    va_start(arguments, format);
    vsnprintf(large, (size_t)length + 1, format, arguments);
    va_end(arguments);
    output_write(large, (size_t)length);
    free(large);
}

/* utility_start: usage is the text of --help; its first line starts with "usage: ". */
static inline void utility_start(const char *usage, int trouble)
{
    utility.usage = usage;
    utility.trouble = trouble;
    atexit(output_flush);
}

/* utility_misuse: the first line of the usage on standard error, then the end. */
__attribute__((noreturn)) static inline void utility_misuse(const char *what)
{
    if (what != NULL)
        warnx("%s", what);
    fprintf(stderr, "%.*s\n", (int)strcspn(utility.usage, "\n"), utility.usage);
    exit(utility.trouble);
}

/* utility_option: the next option's letter, with its argument in optarg, or -1 when only operands
 * are left, from argv[optind] on. Options may come behind operands; a '+' in front of letters ends
 * that. --help is answered here, and what is no option of this utility ends it. */
static inline int utility_option(int argc, char **argv, const char *letters)
{
    enum { HELP = 256 };
    static const struct option names[] = {{"help", no_argument, NULL, HELP}, {NULL, 0, NULL, 0}};
    int option = getopt_long(argc, argv, letters, names, NULL);

    if (option == '?')
        utility_misuse(NULL);
    if (option == HELP) {
        output_text(utility.usage);
        exit(0);
    }
    return option;
}

/* must_allocate, must_resize, must_copy: malloc, realloc and strdup that do not return without
 * memory. */
static inline void *must_resize(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL)
        errx(utility.trouble, "out of memory");
    return memory;
}

static inline void *must_allocate(size_t size)
{
    return must_resize(NULL, size);
}

static inline char *must_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(must_allocate(size), text, size);
}

/* must_grow: makes room for one element more in an array that doubles. */
static inline void *must_grow(void *array, size_t count, size_t *capacity, size_t element)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity > 0 ? *capacity * 2 : 16;
    return must_resize(array, *capacity * element);
}

/* parse_digits: the decimal number in front of text; false if none or too large. */
static inline bool parse_digits(const char **text, uint64_t *value)
{
    const char *at = *text;
    uint64_t sum = 0;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
            return false;
    *text = at;
    *value = sum;
    return true;
}

static inline bool parse_count(const char *text, uint64_t *value)
{
    return parse_digits(&text, value) && *text == '\0';
}

/* parse_size: a count with an optional unit: c 1, w 2, b 512, k K 1024, M, G, T (also "KiB"),
 * and powers of 1000 when a B follows ("kB", "MB"). */
static inline bool parse_size(const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    uint64_t factor = 1;
    if (!parse_digits(&text, value))
        return false;
    const char *unit = *text != '\0' ? strchr(units, *text == 'k' ? 'K' : *text) : NULL;
    if (unit != NULL) {
        uint64_t base = text[1] == 'B' && text[2] == '\0' ? 1000 : 1024;
        for (int i = 0; i <= unit - units; i++)
            factor *= base;
        text += base == 1000 ? 2 : strcmp(text + 1, "iB") == 0 ? 3 : 1;
    } else if (*text == 'b' || *text == 'w' || *text == 'c') {
        factor = *text == 'b' ? 512 : *text == 'w' ? 2 : 1;
        text++;
    }
    return *text == '\0' && !__builtin_mul_overflow(*value, factor, value);
}

/* confirmed: asks on standard error; a line that starts with y or Y is a yes. */
__attribute__((format(printf, 1, 2))) static inline bool confirmed(const char *question, ...)
{
    va_list arguments;
    char c, first = 'n';
    bool empty = true;

    va_start(arguments, question);
    vfprintf(stderr, question, arguments);
    va_end(arguments);
    fflush(stderr);
    while (read_some(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
        if (empty)
            first = c;
        empty = false;
    }
    return first == 'y' || first == 'Y';
}
