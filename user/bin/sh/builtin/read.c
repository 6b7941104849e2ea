/* read: a line of input into variables. */
#include "../run/input.h"
#include "../run/run.h"
#include "../syntax/scan.h"
#include "builtin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A line whose backslashes have been dealt with: escaped bytes are marked, and separate nothing. */
struct line {
    struct text text;
    struct text escaped; /* a byte 1 for each escaped byte */
};

static void add(struct line *line, char c, char escaped)
{
    text_char(&line->text, c);
    text_char(&line->escaped, escaped);
}

/* 0, 1 at the end of input, -errno. */
static int read_logical_line(struct line *line, bool raw)
{
    for (;;) {
        struct text piece = {0};
        int result = input_line(STDIN_FILENO, &piece);
        bool continues = false;
        for (size_t i = 0; i < piece.len && piece.data[i] != '\n'; i++) {
            char c = piece.data[i];
            if (c == '\0')
                continue;
            if (c != '\\' || raw) {
                add(line, c, 0);
            } else if (i + 1 < piece.len && piece.data[i + 1] != '\n') {
                add(line, piece.data[++i], 1);
            } else {
                continues = i + 1 < piece.len;
                break;
            }
        }
        text_free(&piece);
        if (result != 0 || !continues)
            return result;
    }
}

struct cutter {
    const struct line *line;
    const char *ifs;
    size_t at;
};

static bool separates(const struct cutter *cutter, size_t at, bool space_only)
{
    char c = cutter->line->text.data[at];
    bool space = c == ' ' || c == '\t' || c == '\n';
    return cutter->line->escaped.data[at] == 0 && strchr(cutter->ifs, c) != NULL &&
           (space || !space_only);
}

static void skip_space(struct cutter *cutter)
{
    while (cutter->at < cutter->line->text.len && separates(cutter, cutter->at, true))
        cutter->at++;
}

/* The next field; the last name takes all that is left, without separators at its end. */
static void next_field(struct cutter *cutter, bool last, struct text *field)
{
    size_t len = cutter->line->text.len, start, end;
    skip_space(cutter);
    start = end = cutter->at;
    while (end < len && !separates(cutter, end, false))
        end++;
    cutter->at = end;
    skip_space(cutter);
    if (cutter->at < len && separates(cutter, cutter->at, false)) {
        cutter->at++; /* one separator that is no space */
        skip_space(cutter);
    }
    if (last && cutter->at < len) {
        end = len;
        while (end > start && separates(cutter, end - 1, true))
            end--;
        cutter->at = len;
    }
    text_add(field, cutter->line->text.data + start, end - start);
}

static int assign_fields(struct shell *shell, const struct line *line, char **names, int count)
{
    const char *ifs = variable_get(&shell->variables, "IFS");
    struct cutter cutter = {line, ifs != NULL ? ifs : " \t\n", 0};
    int status = 0;
    for (int i = 0; i < count; i++) {
        struct text field = {0};
        if (line->text.len > 0)
            next_field(&cutter, i + 1 == count, &field);
        if (!variable_set(&shell->variables, names[i], text_get(&field))) {
            complain(shell, "read: %s: is read only", names[i]);
            status = 1;
        }
        text_free(&field);
    }
    return status;
}

int builtin_read(struct shell *shell, int argc, char **argv)
{
    static char *default_name[] = {(char *)"REPLY"};
    struct line line = {0};
    bool raw = false;
    int at = 1;

    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "-r") == 0)
            raw = true;
        else if (strcmp(argv[at], "-p") == 0 && at + 1 < argc) {
            at++;
            (void)!write(STDERR_FILENO, argv[at], strlen(argv[at]));
        } else
            return builtin_usage(shell, argv[0]);
    }
    for (int i = at; i < argc; i++)
        if (argv[i][0] == '\0' || name_length(argv[i], strlen(argv[i])) != strlen(argv[i])) {
            complain(shell, "read: %s: bad variable name", argv[i]);
            return 2;
        }
    int result = read_logical_line(&line, raw);
    int status = result != 0;
    if (result == -EINTR && shell->interactive)
        shell->jump = JUMP_INTERRUPT;
    else if (result < 0)
        complain(shell, "read: %s", strerror(-result));
    if (at == argc)
        status |= assign_fields(shell, &line, default_name, 1);
    else
        status |= assign_fields(shell, &line, argv + at, argc - at);
    text_free(&line.text);
    text_free(&line.escaped);
    return status;
}
