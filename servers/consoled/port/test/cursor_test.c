/* Host test of the cursor tracking: text, wrapping, sequences, and any bytes at all. */
#include "consoled/port/cursor.h"

#include "check.h"
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, unsigned row, unsigned column)
{
    struct cursor c;
    cursor_init(&c, 25, 80);
    cursor_track(&c, text, strlen(text));
    if (c.row != row || c.column != column)
        printf("after \"%s\": %u, %u\n", text, c.row, c.column);
    CHECK(c.row == row && c.column == column);
}

int main(void)
{
    struct cursor c;
    expect("", 0, 0);
    expect("hello", 0, 5);
    expect("hello\r\nx", 1, 1);
    expect("ab\b", 0, 1);
    expect("\b", 0, 0);
    expect("a\tb", 0, 9);
    expect("\t\t", 0, 16);
    expect("\033[10;20H", 9, 19);
    expect("\033[10;20Hab\r\n", 10, 0);
    expect("\033[H", 0, 0);
    expect("\033[5;5H\033[2A\033[3C", 2, 7);
    expect("\033[5;5H\033[9A\033[9D", 0, 0);
    expect("\033[99;999H", 24, 79);
    expect("\033[99;999Hx\n", 24, 80);
    expect("\033[31;1mred\033[0m", 0, 3);
    expect("\033[38;2;1;2;3mred", 0, 3);
    expect("\033[?25lx", 0, 1);
    expect("\033[5;7H\0337\033[H\0338", 4, 6);
    expect("\033[4G\033[3d", 2, 3);
    expect("\303\244\303\266", 0, 2); /* two letters of two bytes each */
    expect("\033[7;7H\033c", 0, 0);

    cursor_init(&c, 25, 80);
    for (unsigned i = 0; i < 80; i++)
        cursor_track(&c, "x", 1);
    CHECK(c.row == 0 && c.column == 80); /* it wraps with the next one only */
    cursor_track(&c, "x", 1);
    CHECK(c.row == 1 && c.column == 1);
    for (unsigned i = 0; i < 100; i++)
        cursor_track(&c, "\n", 1);
    CHECK(c.row == 24);

    srand(4);
    for (unsigned i = 0; i < 200000; i++) {
        static const char likely[] = "\033[0123456789;ABCDGHfd78c\n\r\t\bxyz";
        char byte = rand() % 4 ? likely[(unsigned)rand() % (sizeof likely - 1)] : (char)rand();
        cursor_track(&c, &byte, 1);
        if (rand() % 1000 == 0)
            cursor_resize(&c, (unsigned)rand() % 50, (unsigned)rand() % 100);
        CHECK(c.row < c.rows && c.column <= c.columns);
    }
    return check_summary();
}
