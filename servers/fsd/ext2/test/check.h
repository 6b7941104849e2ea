/* Counting checks: a failed one says where, and the program goes on. */
#pragma once

#include <stdio.h>

extern unsigned check_passed, check_failed;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (condition) {                                                                           \
            check_passed++;                                                                        \
        } else if (check_failed++ < 50) {                                                          \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                 \
            printf("" __VA_ARGS__);                                                                \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

/* The last line of a test program; result: its exit status. */
static inline int check_end(void)
{
    printf("%u passed, %u failed\n", check_passed, check_failed);
    return check_failed != 0;
}
