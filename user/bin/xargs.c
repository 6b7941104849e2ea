/* xargs: words from standard input become arguments of programs.
 *
 * How many arguments a program may get is the system's affair: when it answers E2BIG, three
 * quarters of them are tried, and that stays the limit. */
#include "common/input.h"
#include "common/run.h"
#include <ctype.h>

static const char usage[] =
    "usage: xargs [-0rt] [-n COUNT | -I WORD] [-d BYTE] [PROGRAM [ARGUMENT]...]\n"
    "  -0        words end with a NUL; nothing is special\n"
    "  -d BYTE   words end with BYTE; nothing is special\n"
    "  -n COUNT  at most so many words for each run\n"
    "  -I WORD   one run for each line, which replaces WORD in the ARGUMENTs\n"
    "  -r        no run without words\n"
    "  -t        show what is run on standard error\n"
    "Exit status: 123 if a run failed, 124 if one exited with 255, 126 or 127 if PROGRAM cannot\n"
    "be run or found, 1 otherwise.\n";

#define WORDS_MAX 4096
#define BYTES_MAX 131072

static struct {
    uint64_t most;
    const char *replace;
    int delimiter; /* -1: blanks, with quoting */
    bool not_empty, trace;
} options = {.most = WORDS_MAX, .delimiter = -1};

static struct {
    char **list;
    size_t count, capacity, bytes;
} words;

static char **command;
static size_t command_count;
static int no_input = -1; /* what programs read instead of the words */
static int status;

/* ---- Running ---- */

static void finish(int result, const char *program)
{
    if (result < 0) {
        errno = -result;
        warn("%s", program);
        exit(result == -ENOENT ? 127 : 126);
    }
    if (result == 255) {
        warnx("%s: exited with status 255", program);
        exit(124);
    }
    if (result > 128 && result < 128 + 64) {
        warnx("%s: terminated by signal %d", program, result - 128);
        exit(125);
    }
    if (result == 127 || result == 126) /* from a spawn that reports in the child */
        exit(result);
    if (result != 0)
        status = 123;
}

static void trace(char **arguments)
{
    for (; options.trace && *arguments != NULL; arguments++)
        fprintf(stderr, "%s%c", *arguments, arguments[1] != NULL ? ' ' : '\n');
}

static void run(char **arguments)
{
    trace(arguments);
    finish(run_program(arguments, no_input), arguments[0]);
}

static void run_words(void)
{
    char **arguments = must_allocate((command_count + words.count + 1) * sizeof(char *));
    size_t done = 0;
    memcpy(arguments, command, command_count * sizeof(char *));
    do {
        size_t part = words.count - done < options.most ? words.count - done : (size_t)options.most;
        for (size_t i = 0; i < part; i++)
            arguments[command_count + i] = words.list[done + i];
        arguments[command_count + part] = NULL;
        trace(arguments);
        int result = run_program(arguments, no_input);
        if (result == -E2BIG && part > 1) {
            options.most = part * 3 / 4;
            continue;
        }
        finish(result, arguments[0]);
        done += part;
    } while (done < words.count);
    for (size_t i = 0; i < words.count; i++)
        free(words.list[i]);
    words.count = words.bytes = 0;
    free(arguments);
}

/* replaced: argument with each occurrence of -I's word replaced, allocated. */
static char *replaced(const char *argument, const char *word)
{
    size_t pattern = strlen(options.replace), length = strlen(word), size = strlen(argument) + 1;
    for (const char *at = argument; (at = strstr(at, options.replace)) != NULL; at += pattern)
        size += length;
    char *text = must_allocate(size), *to = text;
    for (const char *at; (at = strstr(argument, options.replace)) != NULL;
         argument = at + pattern) {
        memcpy(to, argument, (size_t)(at - argument));
        to += at - argument;
        memcpy(to, word, length);
        to += length;
    }
    memcpy(to, argument, strlen(argument) + 1);
    return text;
}

static void run_replaced(const char *word)
{
    char **arguments = must_allocate((command_count + 1) * sizeof(char *));
    for (size_t i = 0; i < command_count; i++)
        arguments[i] = replaced(command[i], word);
    arguments[command_count] = NULL;
    run(arguments);
    for (size_t i = 0; i < command_count; i++)
        free(arguments[i]);
    free(arguments);
}

/* take_word: collects, or runs. */
static void take_word(const char *text, size_t length)
{
    char *word = must_allocate(length + 1);
    memcpy(word, text, length);
    word[length] = '\0';
    if (options.replace != NULL) {
        run_replaced(word);
        free(word);
        return;
    }
    words.list = must_grow(words.list, words.count, &words.capacity, sizeof(char *));
    words.list[words.count++] = word;
    words.bytes += length + 1;
    if (words.count >= options.most || words.bytes >= BYTES_MAX)
        run_words();
}

/* ---- Words ---- */

struct builder {
    char *text;
    size_t length, capacity;
    bool begun; /* quotes alone make an empty word */
    char quote; /* open, or 0 */
};

static void append(struct builder *word, char byte)
{
    word->text = must_grow(word->text, word->length, &word->capacity, 1);
    word->text[word->length++] = byte;
    word->begun = true;
}

static void end_word(struct builder *word)
{
    if (word->begun)
        take_word(word->text != NULL ? word->text : "", word->length);
    word->begun = false;
    word->length = 0;
}

/* split_line: quotes and backslashes protect blanks; a backslash at the end of a line protects
 * the newline, and a quote must not go past it. With -I, a line without leading blanks is one
 * word. */
static void split_line(struct builder *word, const char *line, size_t length, bool terminated)
{
    for (size_t i = 0; i < length; i++) {
        char c = line[i];
        bool is_space = isspace((unsigned char)c) != 0;
        if (word->quote != '\0') {
            if (c == word->quote)
                word->quote = '\0';
            else
                append(word, c);
        } else if (c == '\'' || c == '"') {
            word->quote = c;
            word->begun = true;
        } else if (c == '\\') {
            if (++i < length)
                append(word, line[i]);
            else if (terminated) {
                append(word, '\n');
                return;
            }
        } else if (is_space && (options.replace == NULL || !word->begun)) {
            end_word(word);
        } else {
            append(word, c);
        }
    }
    if (word->quote != '\0')
        errx(1, "unmatched %s quote", word->quote == '"' ? "double" : "single");
    end_word(word);
}

static void read_words(void)
{
    struct builder word = {0};
    struct input in = {0};
    char *line;
    size_t length;

    input_open(&in, "-");
    while (input_line(&in, options.delimiter >= 0 ? options.delimiter : '\n', &line, &length)) {
        if (options.delimiter >= 0)
            take_word(line, length);
        else
            split_line(&word, line, length, in.terminated);
    }
    if (in.failed)
        exit(1);
    end_word(&word);
    free(word.text);
    free(in.buffer);
}

static int delimiter_of(const char *text)
{
    if (text[0] == '\\' && text[1] != '\0' && text[2] == '\0')
        return text[1] == 'n' ? '\n' : text[1] == 't' ? '\t' : text[1] == '0' ? 0 : text[1];
    if (strlen(text) != 1)
        errx(1, "%s: the delimiter must be one byte", text);
    return (unsigned char)text[0];
}

int main(int argc, char **argv)
{
    static char echo[] = "echo", *only_echo[] = {echo, NULL};
    int option, ends[2];

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "+0d:n:I:rt")) != -1) {
        options.not_empty |= option == 'r';
        options.trace |= option == 't';
        if (option == '0')
            options.delimiter = 0;
        else if (option == 'd')
            options.delimiter = delimiter_of(optarg);
        else if (option == 'I')
            options.replace = optarg;
        else if (option == 'n' && (!parse_count(optarg, &options.most) || options.most == 0))
            errx(1, "%s: invalid count", optarg);
    }
    if (options.replace != NULL && options.replace[0] == '\0')
        errx(1, "-I needs a word");
    command = optind < argc ? argv + optind : only_echo;
    while (command[command_count] != NULL)
        command_count++;
    if (pipe(ends) == 0) { /* an input that is at its end */
        close(ends[1]);
        no_input = ends[0];
    }
    read_words();
    bool none = words.capacity == 0; /* there was not a single word */
    if (words.count > 0 || (none && !options.not_empty && options.replace == NULL))
        run_words();
    free(words.list);
    return status;
}
