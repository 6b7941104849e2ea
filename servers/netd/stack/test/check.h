/* Named tests made of checks: a failed one says where, in which test, and the program goes on. */
#pragma once

#include <stddef.h>
#include <stdio.h>

extern unsigned check_passed, check_failed;
extern const char *check_test; /* the name of the one that runs */

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (condition) {                                                                           \
            check_passed++;                                                                        \
        } else if (check_failed++ < 50) {                                                          \
            printf("%s:%d: [%s] %s: ", __FILE__, __LINE__, check_test, #condition);                \
            printf("" __VA_ARGS__);                                                                \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};

/* run_tests: the exit status of the test program. */
int run_tests(const struct test *tests, size_t count);

#define RUN_TESTS(tests) run_tests(tests, sizeof(tests) / sizeof((tests)[0]))
