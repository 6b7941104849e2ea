/* Input, a line or a block at a time, from a file or from standard input ("-").
 *
 * A line is as long as memory allows and may contain any byte; the last one may lack its
 * delimiter (then terminated is false). Data stays valid until the next call. */
#pragma once

#include "utility.h"
#include <fcntl.h>

struct input {
    int fd;
    const char *name;
    char *buffer;
    size_t start, end, capacity;
    bool at_end, terminated;
    bool failed; /* a read failed; it has been reported */
};

/* input_open: false, with a report, if the file cannot be opened. A struct input may be used
 * again after input_close; it keeps its buffer. */
static inline bool input_open(struct input *in, const char *name)
{
    in->name = name;
    in->start = in->end = 0;
    in->at_end = in->failed = in->terminated = false;
    in->fd = STDIN_FILENO;
    if (strcmp(name, "-") != 0)
        in->fd = open(name, O_RDONLY);
    if (in->fd < 0)
        warn("%s", name);
    return in->fd >= 0;
}

static inline void input_close(struct input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
}

/* input_fill: reads more behind what is in the buffer. Answers to a person who types and watches
 * must not wait in the output buffer. */
static inline bool input_fill(struct input *in)
{
    static int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDOUT_FILENO);
    if (terminal)
        output_flush();
    if (in->at_end)
        return false;
    if (in->start > 0) {
        memmove(in->buffer, in->buffer + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    if (in->end == in->capacity) {
        in->capacity = in->capacity > 0 ? in->capacity * 2 : BUFFER_SIZE;
        in->buffer = must_resize(in->buffer, in->capacity);
    }
    ssize_t n = read_some(in->fd, in->buffer + in->end, in->capacity - in->end);
    if (n < 0) {
        warn("%s", in->name);
        in->failed = true;
    }
    in->at_end = n <= 0;
    in->end += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* input_line: the next line without its delimiter; false at the end. */
static inline bool input_line(struct input *in, int delimiter, char **line, size_t *length)
{
    size_t searched = 0;
    char *stop;

    for (;;) {
        size_t have = in->end - in->start;
        stop = have > searched
                   ? memchr(in->buffer + in->start + searched, delimiter, have - searched)
                   : NULL;
        if (stop != NULL)
            break;
        searched = have;
        if (!input_fill(in))
            break;
    }
    *line = in->buffer + in->start;
    in->terminated = stop != NULL;
    *length = stop != NULL ? (size_t)(stop - *line) : in->end - in->start;
    in->start += *length + (stop != NULL);
    return stop != NULL || *length > 0;
}

/* input_block: whatever comes next, at least one byte; 0 at the end. */
static inline size_t input_block(struct input *in, char **data)
{
    if (in->start == in->end && !input_fill(in))
        return 0;
    *data = in->buffer + in->start;
    size_t length = in->end - in->start;
    in->start = in->end;
    return length;
}

/* input_arguments: the operands of a filter, or "-" if there are none. */
static inline char **input_arguments(int argc, char **argv)
{
    static char dash[] = "-", *only_stdin[] = {dash, NULL};
    return optind < argc ? argv + optind : only_stdin;
}
