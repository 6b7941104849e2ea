/* Tests inside the kernel: functions that BUILD/kernel-test.elf runs instead of the first process
 * when its command line says `test=NAME token=WORD`.
 *
 * A test reads its workload (random, made by the host) from what QEMU's -initrd brought, prints
 * what it finds, line by line, and returns. Whether that is right, the host decides: the test
 * itself knows no answers. Then comes the line `END WORD`, and the machine stops. */
#pragma once

#include "lib/log.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The workload: 64-bit words, little-endian. */
struct workload {
    const uint64_t *words;
    size_t count, next;
};

/* workload_next: the next word; behind the end, the test ends with a message. */
uint64_t workload_next(struct workload *workload);
/* test_pause: prints PAUSE and waits for a byte on the UART: the host looks at memory. */
void test_pause(void);

static inline bool workload_more(const struct workload *workload)
{
    return workload->next < workload->count;
}

struct kernel_test {
    const char *name;
    bool early;
    void (*run)(struct workload *workload);
};

/* KERNEL_TEST: runs when the kernel is up, in front of the first process. KERNEL_TEST_EARLY: runs
 * as soon as there are frames, on the page table of boot/entry.S. */
#define KERNEL_TEST(name) KERNEL_TEST_AT(name, false)
#define KERNEL_TEST_EARLY(name) KERNEL_TEST_AT(name, true)
#define KERNEL_TEST_AT(name, early)                                                                \
    static void test_##name(struct workload *workload);                                            \
    static const struct kernel_test entry_##name                                                   \
        __attribute__((used, section(".kernel_tests"), aligned(8))) =                              \
        {#name, early, test_##name};                                                               \
    static void test_##name(__attribute__((unused)) struct workload *workload)
