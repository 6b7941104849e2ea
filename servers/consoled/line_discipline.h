/* The line discipline: keystrokes in, lines and echo out. A pure state machine: the server feeds
 * it what the terminal sent, takes away what is to be shown, and lets readers have what is
 * ready. Modes are the CON_MODE_* bits of proto/console.h.
 *
 * In canonical mode ^H and DEL erase a character, ^W a word, ^U the line; ^R shows the line again,
 * ^V takes the next byte as it is, ^D ends the input (or the line, without a newline). Tabs are
 * echoed as spaces. Echo that finds no room in output is dropped: take the output away after
 * every few hundred bytes fed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX_LEN    1024 /* of one unfinished line; more is refused with BEL */
#define LINE_READY_MAX  8192 /* finished input that nobody has read */
#define LINE_OUTPUT_MAX 4096 /* echo not yet taken away */
#define LINE_MARKS_MAX  64   /* finished lines that nobody has read */

struct line_discipline {
    unsigned mode;
    char line[LINE_MAX_LEN];
    size_t line_len;
    bool literal;               /* ^V: the next byte is taken as it is */
    char ready[LINE_READY_MAX]; /* ring */
    size_t ready_head, ready_len;
    unsigned end_of_file; /* ^D marks waiting, each ends one read with 0 bytes */
    uint16_t marks[LINE_MARKS_MAX]; /* where in ready each finished line ends, so that a read stops there */
    unsigned mark_head, mark_count;
    char output[LINE_OUTPUT_MAX];
    size_t output_len;
    bool interrupt, quit; /* ^C, ^\ seen; cleared by the caller */
};

void line_init(struct line_discipline *line, unsigned mode);

/* line_set_mode: leaving canonical mode makes the unfinished line readable. */
void line_set_mode(struct line_discipline *line, unsigned mode);

/* line_input: bytes from the terminal. How many were taken; fewer only if ready is full. A ^C or
 * ^\ among those offered is found in any case; it throws away all that was typed before. */
size_t line_input(struct line_discipline *line, const char *bytes, size_t count);

/* line_readable: a read would not wait. line_read: up to count bytes, in canonical mode at most
 * to the end of one line; 0 only for end of file, -EAGAIN (negative) if nothing is ready. */
bool line_readable(const struct line_discipline *line);
long line_read(struct line_discipline *line, char *buffer, size_t count);

/* line_process_output: program output into terminal bytes (CRNL); how much of in was used, how
 * much of out was filled. */
size_t line_process_output(const struct line_discipline *line, const char *in, size_t count,
                           char *out, size_t size, size_t *filled);

/* line_interrupted: throws away the unfinished line and what was ready, as ^C does. */
void line_interrupted(struct line_discipline *line);
