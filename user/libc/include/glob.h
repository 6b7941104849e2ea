/* Names that match a pattern. */
#pragma once

#include <stddef.h>

typedef struct {
    size_t gl_pathc;
    char **gl_pathv; /* sorted, ends with NULL */
    size_t gl_offs;
} glob_t;

#define GLOB_APPEND 0x01
#define GLOB_DOOFFS 0x02
#define GLOB_ERR 0x04      /* stop at a directory that cannot be read */
#define GLOB_MARK 0x08     /* '/' behind directories */
#define GLOB_NOCHECK 0x10  /* no match: the pattern itself */
#define GLOB_NOSORT 0x20
#define GLOB_NOESCAPE 0x2000
#define GLOB_PERIOD 0x4000 /* '*' matches a leading '.', too */

#define GLOB_NOSPACE (-1)
#define GLOB_ABORTED (-2)
#define GLOB_NOMATCH (-3)

int glob(const char *restrict pattern, int flags, int (*error)(const char *path, int number),
         glob_t *restrict result);
void globfree(glob_t *result);
