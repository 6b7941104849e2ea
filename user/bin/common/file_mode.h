/* File modes as text: "drwxr-xr-x", and the operand of chmod and mkdir -m. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define MODE_BITS 07777u

/* file_type_letter: the first letter of ls -l. */
static inline char file_type_letter(mode_t mode)
{
    return S_ISDIR(mode)    ? 'd'
           : S_ISLNK(mode)  ? 'l'
           : S_ISCHR(mode)  ? 'c'
           : S_ISBLK(mode)  ? 'b'
           : S_ISFIFO(mode) ? 'p'
           : S_ISSOCK(mode) ? 's'
                            : '-';
}

/* mode_string: the ten letters of ls -l and a NUL. */
static inline const char *mode_string(mode_t mode, char text[11])
{
    static const char letters[] = "rwxrwxrwx";
    text[0] = file_type_letter(mode);
    for (unsigned i = 0; i < 9; i++)
        text[i + 1] = mode & (0400u >> i) ? letters[i] : '-';
    if (mode & S_ISUID)
        text[3] = mode & S_IXUSR ? 's' : 'S';
    if (mode & S_ISGID)
        text[6] = mode & S_IXGRP ? 's' : 'S';
    if (mode & S_ISVTX)
        text[9] = mode & S_IXOTH ? 't' : 'T';
    text[10] = '\0';
    return text;
}

/* mode_permissions: what the letters behind an operator stand for, within who. */
static inline bool mode_permissions(const char **text, mode_t mode, bool directory, mode_t *bits)
{
    const char *at = *text;
    mode_t old = mode;
    *bits = 0;
    if (*at == 'u' || *at == 'g' || *at == 'o') {
        mode_t three = *at == 'u' ? old >> 6 & 7 : *at == 'g' ? old >> 3 & 7 : old & 7;
        *bits = three * 0111;
        at++;
    } else {
        for (; *at != '\0' && strchr("rwxXst", *at) != NULL; at++)
            *bits |= *at == 'r'                  ? 0444
                     : *at == 'w'                ? 0222
                     : *at == 'x'                ? 0111
                     : *at == 's'                ? S_ISUID | S_ISGID
                     : *at == 't'                ? S_ISVTX
                     : directory || (old & 0111) ? 0111
                                                 : 0;
    }
    *text = at;
    return *at == '\0' || *at == ',' || strchr("+-=", *at) != NULL;
}

/* mode_parse: applies "0755" or "u+x,go=r" to *mode (POSIX chmod, EXTENDED DESCRIPTION). mask is
 * the umask, which limits clauses that name nobody. False if text is malformed. */
static inline bool mode_parse(const char *text, bool directory, mode_t mask, mode_t *mode)
{
    if (*text >= '0' && *text <= '7') {
        mode_t sum = 0;
        for (; *text >= '0' && *text <= '7' && sum <= MODE_BITS; text++)
            sum = sum * 8 + (mode_t)(*text - '0');
        *mode = (*mode & ~(mode_t)MODE_BITS) | sum;
        return *text == '\0' && sum <= MODE_BITS;
    }
    for (;;) {
        mode_t who = 0;
        for (; *text != '\0' && strchr("ugoa", *text) != NULL; text++)
            who |= *text == 'u'   ? 0700 | S_ISUID
                   : *text == 'g' ? 0070 | S_ISGID
                   : *text == 'o' ? 0007 | S_ISVTX
                                  : MODE_BITS;
        mode_t limit = who != 0 ? who : MODE_BITS & ~mask;
        if (who == 0)
            who = MODE_BITS;
        if (*text == '\0' || strchr("+-=", *text) == NULL)
            return false;
        while (*text == '+' || *text == '-' || *text == '=') {
            char sign = *text++;
            mode_t bits;
            if (!mode_permissions(&text, *mode, directory, &bits))
                return false;
            if (sign == '-')
                *mode &= ~(bits & limit);
            else if (sign == '+')
                *mode |= bits & limit;
            else /* a directory keeps its set-id bits unless they are named, as elsewhere */
                *mode = (*mode & ~(who & (directory ? 01777u : MODE_BITS))) | (bits & limit);
        }
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}
