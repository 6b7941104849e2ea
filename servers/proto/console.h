/* The terminal protocol of consoled on console:. It answers the file protocol (read through the
 * line discipline, write) and these. Every reply starts with int64_t result. */
#pragma once

#include <stdint.h>

enum console_operation {
    CON_WRITE = 0x1001, /* struct console_write */
    CON_CLEAR = 0x1002,
    CON_SET_CURSOR = 0x1003, /* word 0 = row, word 1 = column, from 0 */
    CON_GET_CURSOR = 0x1004, /* result 0, word 1 = row, word 2 = column */
    CON_SET_COLORS = 0x1005, /* word 0 = foreground ARGB, word 1 = background ARGB */
    CON_GET_SIZE = 0x1006,   /* result 0, word 1 = rows, word 2 = columns */
    CON_SHOW_CURSOR = 0x1007,
    CON_HIDE_CURSOR = 0x1008,
    CON_SET_MODE = 0x1010,   /* word 0 = CON_MODE_* bits; result: the old ones */
    CON_GET_MODE = 0x1011,   /* result: the bits */
    CON_SET_FOREGROUND = 0x1012, /* handle 0: a job (signal-only) handle of init, or none = the
                                    reader itself: ^C then ends its read with EINTR */
};

enum console_mode {
    CON_MODE_CANONICAL = 1, /* lines; erase, kill, ^D */
    CON_MODE_ECHO = 2,
    CON_MODE_SIGNAL = 4, /* ^C and ^\ go to the foreground job */
    CON_MODE_CRNL = 8,   /* CR read as NL; NL written as CR NL */
};
#define CON_MODE_COOKED (CON_MODE_CANONICAL | CON_MODE_ECHO | CON_MODE_SIGNAL | CON_MODE_CRNL)

struct console_write {
    uint32_t length;
    uint32_t pad;
    char text[240];
};
