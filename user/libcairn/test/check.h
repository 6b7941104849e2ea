/* Counts checks and says which failed. */
#pragma once

#include <stdio.h>

static unsigned passed, failed;

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (condition) {                                                                        \
            passed++;                                                                           \
        } else {                                                                                \
            failed++;                                                                           \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
        }                                                                                       \
    } while (0)

static inline int report(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
