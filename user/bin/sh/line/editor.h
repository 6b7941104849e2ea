/* A line editor as a state machine: bytes from the keyboard in, bytes for the terminal out. The
 * line is shown in one row and scrolls sideways when it is too long. */
#pragma once

#include "../base/text.h"
#include "../expand/glob.h"
#include <stdbool.h>

enum editor_result {
    EDITOR_MORE,      /* go on */
    EDITOR_LINE,      /* Enter: line holds it */
    EDITOR_END,       /* ^D on an empty line */
    EDITOR_INTERRUPT, /* ^C */
    EDITOR_COMPLETE,  /* Tab: the caller finds out what fits and calls editor_complete */
};

struct editor {
    struct text line;
    size_t cursor;      /* byte index, never inside a UTF-8 character */
    struct text output; /* for the terminal; the caller writes and clears it */
    const char *prompt;
    size_t columns;     /* width of the terminal */
    struct text killed; /* for ^Y */
    struct text typed;  /* the new line, while the history is shown */
    size_t history;     /* index shown; history_count = the new line */
    enum { ESCAPE_NONE, ESCAPE_START, ESCAPE_BRACKET, ESCAPE_O } escape;
    unsigned parameter; /* of an escape sequence */
    bool tab_again;     /* the last key was a Tab that changed nothing */
};

/* editor_start: shows the prompt. columns 0 = 80. The editor begins as all zero; its memory is
 * kept between lines. */
void editor_start(struct editor *editor, const char *prompt, size_t columns);
enum editor_result editor_key(struct editor *editor, unsigned char key);

/* editor_complete: matches are what the bytes from start to the cursor can become. One: it is
 * inserted, with a blank unless it ends with '/' or ':'. Several: as far as they agree; and, with
 * the second Tab, they are listed. */
void editor_complete(struct editor *editor, size_t start, const struct strings *matches);
void editor_free(struct editor *editor);
