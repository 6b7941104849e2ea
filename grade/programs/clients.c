/* clients: uses servers as fast as it can, and judges every answer; the servers may die meanwhile.
 * Runs until the file fs:temp:over is there, at least once. */
#include "cairn/names.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK    512
#define BLOCKS   64 /* of the disk that are read again and again */
#define RANDOM   64 /* bytes */
#define AT_LEAST 1000

static unsigned long rounds;

static void fail(const char *what, int64_t result)
{
    printf("clients: round %lu: %s: %lld\n", rounds, what, (long long)result);
    exit(1);
}

/* A name made twice is EEXIST, one taken away twice is ENOENT. */
static void use_names(void)
{
    char name[24];
    snprintf(name, sizeof name, "client%d:", getpid());
    int error = name_alias(name, "fs:root:home/");
    if (error)
        fail("alias", error);
    error = name_unregister(name);
    if (error)
        fail("unregister", error);
}

/* One open file, read on and on through its own offset: no block is left out or read twice. */
static void use_blocks(void)
{
    static int file = -1;
    static char first[BLOCKS][BLOCK], again[BLOCK];
    static unsigned next;
    if (file < 0)
        file = open("block:virtio:0", O_RDONLY);
    if (file < 0)
        fail("open", errno);
    ssize_t n = read(file, rounds < BLOCKS ? first[next] : again, BLOCK);
    if (n != BLOCK)
        fail("read", n < 0 ? -errno : n);
    if (rounds >= BLOCKS && memcmp(first[next], again, BLOCK) != 0)
        fail("another block", next);
    next = (next + 1) % BLOCKS;
    if (next == 0 && lseek(file, 0, SEEK_SET) != 0)
        fail("seek", -errno);
}

static void use_random(void)
{
    static int file = -1;
    static uint64_t before[RANDOM / 8], now[RANDOM / 8];
    if (file < 0)
        file = open("random:", O_RDONLY);
    ssize_t n = read(file, now, RANDOM);
    if (n != RANDOM)
        fail("read", n < 0 ? -errno : n);
    if (memcmp(before, now, RANDOM) == 0)
        fail("the same bytes", 0);
    memcpy(before, now, RANDOM);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*use)(void);
    } ways[] = {{"names", use_names}, {"blocks", use_blocks}, {"random", use_random}};

    for (size_t i = 0; argc == 2 && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(argv[1], ways[i].name) != 0)
            continue;
        for (; rounds < AT_LEAST || rounds % 16 != 0 || access("fs:temp:over", F_OK) != 0; rounds++)
            ways[i].use();
        printf("clients: %s: right\n", ways[i].name);
        return 0;
    }
    return 2;
}
