/* Finds the test that the command line names, runs it, and stops the machine. */
#include "../kernel/test.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "dev/power.h"
#include "dev/uart.h"
#include "lib/string.h"
#include "mm/layout.h"

#define WORD_MAX 64

extern const struct kernel_test kernel_tests_start[], kernel_tests_end[];

/* What stands behind key (such as "test=") in the command line; "" if it is not there. */
static void word_of(const char *line, const char *key, char *word)
{
    size_t length = strlen(key), n = 0;
    for (const char *at = line; *at; at++) {
        if ((at != line && at[-1] != ' ') || memcmp(at, key, length) != 0)
            continue;
        for (at += length; *at && *at != ' ' && n < WORD_MAX - 1; at++)
            word[n++] = *at;
        break;
    }
    word[n] = '\0';
}

uint64_t workload_next(struct workload *workload)
{
    if (!workload_more(workload))
        panic("the test wants more than the %lu words of its workload", workload->count);
    return workload->words[workload->next++];
}

void test_pause(void)
{
    kprintf("PAUSE\n");
    while (uart_get() < 0)
        ;
}

static void run_test(const struct fdt_info *machine, bool early)
{
    char name[WORD_MAX], token[WORD_MAX];
    word_of(machine->bootargs, "test=", name);
    word_of(machine->bootargs, "token=", token);
    if (!name[0])
        return;
    struct workload workload = {
        .words = phys_to_virt(machine->initrd_start),
        .count = (machine->initrd_end - machine->initrd_start) / sizeof(uint64_t),
    };
    for (const struct kernel_test *test = kernel_tests_start; test < kernel_tests_end; test++) {
        if (strcmp(test->name, name) != 0)
            continue;
        if (test->early != early)
            return;
        kprintf("TEST %s\n", name);
        test->run(&workload);
        kprintf("END %s\n", token);
        power_off(0);
    }
    panic("there is no kernel test %s", name);
}

void kernel_tests_early(const struct fdt_info *machine) { run_test(machine, true); }
void kernel_tests(const struct fdt_info *machine) { run_test(machine, false); }
