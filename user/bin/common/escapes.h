/* Backslash escapes, as echo -e and printf know them, and where text goes to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Whoever takes the text: the buffer of a program, or of the shell. */
struct sink {
    void (*write)(void *context, const char *bytes, size_t len);
    void *context;
};

static inline void sink_write(const struct sink *sink, const char *bytes, size_t len)
{
    if (len > 0)
        sink->write(sink->context, bytes, len);
}

/* escape_read: what stands behind a backslash at *text, which moves behind it. True: *c is the
 * byte. False: it is no escape, and the backslash stands for itself; *text did not move. zero:
 * octal numbers begin with a 0 of their own ("\0101"), as echo and %b have it. */
static inline bool escape_read(const char **text, bool zero, char *c)
{
    static const char letters[] = "abfnrtv\\e", bytes[] = "\a\b\f\n\r\t\v\\\033";
    const char *at = *text, *letter;
    if (*at >= '0' && *at <= '7') {
        unsigned value = 0, most = zero && *at == '0' ? 4 : 3;
        for (unsigned i = 0; i < most && *at >= '0' && *at <= '7'; i++)
            value = value * 8 + (unsigned)(*at++ - '0');
        *c = (char)value;
        *text = at;
        return true;
    }
    letter = *at != '\0' ? strchr(letters, *at) : NULL;
    if (letter == NULL)
        return false;
    *c = bytes[letter - letters];
    *text = at + 1;
    return true;
}

/* escape_write: text with its escapes carried out. False if \c asked for the end of all output. */
static inline bool escape_write(const struct sink *sink, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "\\");
        char c;
        sink_write(sink, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        text++;
        if (*text == 'c')
            return false;
        if (!escape_read(&text, true, &c))
            c = '\\';
        sink_write(sink, &c, 1);
    }
    return true;
}

/* echo_words: echo [-neE] words. Options are only what consists of these letters alone. */
static inline void echo_words(const struct sink *sink, int argc, char *const *argv)
{
    bool newline = true, escapes = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0' &&
           strspn(argv[at] + 1, "neE") == strlen(argv[at] + 1);
         at++)
        for (const char *letter = argv[at] + 1; *letter != '\0'; letter++) {
            newline = newline && *letter != 'n';
            escapes = *letter == 'e' || (escapes && *letter != 'E');
        }
    for (; at < argc; at++) {
        if (!escapes)
            sink_write(sink, argv[at], strlen(argv[at]));
        else if (!escape_write(sink, argv[at]))
            return;
        sink_write(sink, " ", at + 1 < argc);
    }
    sink_write(sink, "\n", newline);
}
