/* The editor without its terminal: keys in, a screen out. */
#pragma once

#include "screen.h"

#define INPUT_MAX 256

enum editor_mode {
    MODE_EDIT,
    MODE_ASK_SAVE_NAME, /* the input line asks for a name */
    MODE_ASK_OPEN_NAME,
    MODE_ASK_SEARCH,
    MODE_ASK_LINE,
    MODE_CONFIRM_QUIT, /* y n or cancel */
    MODE_CONFIRM_OPEN,
};

struct editor {
    struct buffer buffer;
    struct position cursor;
    size_t wanted_column; /* where up and down aim at */
    size_t top, left;     /* first visible line and column */
    struct screen screen;
    char path[1024]; /* "" = no name yet */
    enum editor_mode mode;
    char input[INPUT_MAX]; /* of a question */
    size_t input_len;
    char search[INPUT_MAX];
    char message[200]; /* on the last row, until the next key */
    struct output cut; /* lines cut with ^K */
    bool cutting;      /* the last key was ^K, too */
    bool save_then_quit;
    bool finished;
};

/* editor_open: begins with a file (path NULL = with nothing). 0 or -ENOMEM; errors of the file are
 * messages. */
int editor_open(struct editor *editor, const char *path, size_t rows, size_t columns);

/* editor_handle: one key (keys.h). */
void editor_handle(struct editor *editor, int key);

/* editor_draw: brings the terminal up to date. */
void editor_draw(struct editor *editor, struct output *terminal);
void editor_free(struct editor *editor);

/* Questions (question.c). */
void ask(struct editor *editor, enum editor_mode mode, const char *initial);
void question_key(struct editor *editor, int key);
void ask_quit(struct editor *editor);
void save_now(struct editor *editor);
void search_next(struct editor *editor);
void say(struct editor *editor, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* question_text: what the last row asks, "" if nothing. */
const char *question_text(const struct editor *editor);
