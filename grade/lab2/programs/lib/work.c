/* The workload, and computations that the host repeats: see work.h. */
#include "work.h"
#include "abi/memory.h"
#include "lib/cpio.h"
#include <string.h>

static const struct first_process_info *info;
static const uint8_t *words;
static uint64_t count, next;

int64_t test_need(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    say("%s: error %ld\n", what, (long)result);
    process_exit(1);
    return result;
}

void test_begin(const void *argument, const char *name)
{
    struct cpio_file file;
    info = argument;
    say("TEST %s\n", name);
    uint64_t size = (info->archive_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int64_t archive = test_need(memory_map(0, info->archive, 0, 0, size, PROT_READ), "the archive");
    if (cpio_find((const void *)archive, info->archive_size, "workload", &file) == 0) {
        words = file.data;
        count = file.size / 8;
    }
}

void test_end(void)
{
    char token[64];
    const char *at = strstr(info->command_line, "token=");
    size_t length = at ? strcspn(at + 6, " ") : 0;
    if (length >= sizeof(token))
        length = 0;
    memcpy(token, at ? at + 6 : "", length);
    token[length] = '\0';
    say("END %s\n", token);
}

bool test_more(void) { return next < count; }

uint64_t test_next(void)
{
    uint64_t word = 0;
    if (test_more())
        memcpy(&word, words + 8 * next++, sizeof(word));
    return word;
}

void test_priority(uint32_t priority)
{
    test_need(process_set_priority(info->self, priority), "process_set_priority");
}

/* Linear congruences: the host knows the end of n steps without making them. */
uint64_t chain(uint64_t x, uint64_t rounds)
{
    while (rounds--)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

double chain_fp(double x, uint64_t rounds)
{
    while (rounds--) /* below 2^52: exact */
        x = (double)((uint64_t)(x * 2442725.0 + 1013905.0) & 0x3ffffff);
    return x;
}
