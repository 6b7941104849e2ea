/* The counters of check.h, and the loop over tests. */
#include "check.h"

unsigned check_passed, check_failed;
const char *check_test = "";

int run_tests(const struct test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_test = tests[i].name;
        tests[i].run();
    }
    printf("%u passed, %u failed\n", check_passed, check_failed);
    return check_failed != 0;
}
