/* mkdtemp: a directory of a name that nobody has. (picolibc has mkstemp.) */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define PLACES 6 /* the X's at the end */
#define TRIES 100

static uint64_t any_number(void)
{
    struct timespec now;
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) == sizeof number)
        return number;
    clock_gettime(CLOCK_MONOTONIC, &now); /* a taken name is tried again anyway */
    return (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
}

char *mkdtemp(char *pattern)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(pattern);
    if (len < PLACES || strcmp(pattern + len - PLACES, "XXXXXX") != 0) {
        errno = EINVAL;
        return NULL;
    }
    for (int tries = 0; tries < TRIES; tries++) {
        uint64_t number = any_number();
        for (int i = 0; i < PLACES; i++, number /= sizeof letters - 1)
            pattern[len - PLACES + (size_t)i] = letters[number % (sizeof letters - 1)];
        if (mkdir(pattern, 0700) == 0)
            return pattern;
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}
