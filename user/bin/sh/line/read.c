/* The editor, connected to the terminal. */
#include "../run/terminal.h"
#include "editor.h"
#include "line.h"

#include <errno.h>
#include <unistd.h>

static void flush(struct editor *editor)
{
    size_t done = 0;
    while (done < editor->output.len) {
        ssize_t n = write(STDERR_FILENO, editor->output.data + done, editor->output.len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    text_clear(&editor->output);
}

static void complete_word(const struct shell *shell, struct editor *editor)
{
    struct arena arena = {0};
    struct strings matches = {0};
    size_t start;
    complete(shell, text_get(&editor->line), editor->cursor, &start, &matches, &arena);
    editor_complete(editor, start, &matches);
    arena_free(&arena);
}

/* Keys are taken one by one: what is typed behind Enter belongs to the command. */
int line_read(struct shell *shell, const char *prompt, struct text *line)
{
    static struct editor editor;
    enum editor_result result = EDITOR_MORE;
    unsigned char key;

    terminal_raw();
    editor_start(&editor, prompt, (size_t)terminal_columns());
    do {
        flush(&editor);
        ssize_t n = read(STDIN_FILENO, &key, 1);
        if (n < 0 && errno == EINTR)
            continue;
        result = n <= 0 ? EDITOR_END : editor_key(&editor, key);
        if (result == EDITOR_COMPLETE)
            complete_word(shell, &editor);
    } while (result == EDITOR_MORE || result == EDITOR_COMPLETE);
    flush(&editor);
    terminal_cooked();
    if (result == EDITOR_INTERRUPT)
        return -EINTR;
    if (result == EDITOR_END)
        return 1;
    history_add(text_get(&editor.line));
    text_add(line, text_get(&editor.line), editor.line.len);
    text_char(line, '\n');
    return 0;
}
