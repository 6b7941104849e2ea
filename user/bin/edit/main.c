/* edit: a small editor for one file on the whole screen. */
#include "editor.h"
#include "keys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const char usage[] = "usage: edit [FILE]\n"
                            "Edit a file. Arrows, Home, End, Page keys move; ^S saves, ^O saves "
                            "under another name, ^R opens\n"
                            "another file, ^Q quits, ^F finds, ^G finds again, ^T goes to a line, "
                            "^K cuts a line, ^U pastes,\n"
                            "^L draws the screen anew. Escape leaves a question.\n";

#define ESCAPE_WAIT 50 /* ms after which a lone Escape is a key */

static struct termios found;

static void get_size(size_t *rows, size_t *columns)
{
    struct winsize size;
    *rows = 24;
    *columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 && size.ws_col > 8) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    }
}

static int enter_raw_mode(void)
{
    if (tcgetattr(STDIN_FILENO, &found) < 0)
        return -errno;
    struct termios raw = found;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0 ? -errno : 0;
}

static void flush(struct output *terminal)
{
    for (size_t done = 0; done < terminal->len;) {
        ssize_t n = write(STDOUT_FILENO, terminal->bytes + done, terminal->len - done);
        if (n <= 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    terminal->len = 0;
}

/* Redraws only when no more input waits, so that pasted text goes in at once. */
static bool input_waits(int timeout)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, timeout) > 0;
}

static void run(struct editor *editor)
{
    struct key_decoder decoder = {0};
    struct output terminal = {0};
    size_t rows, columns;

    while (!editor->finished) {
        unsigned char byte;
        int key = KEY_NONE;
        if (!input_waits(0)) {
            get_size(&rows, &columns);
            if (rows != editor->screen.rows || columns != editor->screen.columns)
                screen_resize(&editor->screen, rows, columns);
            editor_draw(editor, &terminal);
            flush(&terminal);
        }
        if (decoder.state != KEYS_PLAIN && !input_waits(ESCAPE_WAIT)) {
            key = key_timeout(&decoder);
        } else {
            ssize_t n = read(STDIN_FILENO, &byte, 1);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                break;
            key = key_decode(&decoder, byte);
        }
        if (key != KEY_NONE)
            editor_handle(editor, key);
    }
    free(terminal.bytes);
}

int main(int argc, char **argv)
{
    static struct editor editor;
    struct output terminal = {0};
    size_t rows, columns;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argv++;
        argc--;
    }
    if (argc > 2) {
        fprintf(stderr, "%.*s\n", (int)strcspn(usage, "\n"), usage);
        return 2;
    }
    int error = enter_raw_mode();
    if (error < 0) {
        fprintf(stderr, "edit: standard input: %s\n", strerror(-error));
        return 1;
    }
    get_size(&rows, &columns);
    if (editor_open(&editor, argc > 1 ? argv[1] : NULL, rows, columns) == 0) {
        run(&editor);
        screen_cursor(&terminal, editor.screen.rows - 1, 0);
        output_add_string(&terminal, "\033[K");
        flush(&terminal);
        free(terminal.bytes);
        editor_free(&editor);
    } else {
        error = -ENOMEM;
    }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &found);
    if (error < 0)
        fprintf(stderr, "edit: %s\n", strerror(-error));
    return error < 0;
}
