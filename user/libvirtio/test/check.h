/* The few lines that each test program needs: count checks, print the failed ones. */
#pragma once

#include <stdio.h>

static unsigned checks_passed, checks_failed;

#define CHECK(condition)                                           \
    do {                                                           \
        if (condition) {                                           \
            checks_passed++;                                       \
        } else if (checks_failed++ < 20) {                         \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
        }                                                          \
    } while (0)

static inline int check_summary(void)
{
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed != 0;
}
