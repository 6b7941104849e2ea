/* The stages of the boot that later labs write. Until a stage's file is there, its name stands for
 * a function that does nothing (boot/kernel.ld): a kernel of the first labs boots as far as it
 * goes. */
#pragma once

#include <stdint.h>

struct fdt_info;

void traps_start(void);                                                /* trap/trap.c */
void timer_start(const struct fdt_info *machine);                      /* dev/timer.c */
void devices_start(const struct fdt_info *machine, uint32_t boot_hart); /* dev/device.c */
void clock_start(const struct fdt_info *machine);                      /* ipc/services.c */
void scheduler_start(void);                                            /* proc/scheduler.c */
void harts_start(const struct fdt_info *machine, uint32_t boot_hart);  /* proc/harts.c */
void first_process_start(const struct fdt_info *machine);              /* boot/first_process.c */
void user_mode_start(void);                                            /* proc/harts.c */

/* Where a hart other than the boot hart goes on in C: proc/harts.c. */
void secondary_main(uint32_t hart);

/* kernel_tests: runs the tests that the command line asks for, if the kernel was linked with
 * them (grade/kernel/), and then stops the machine. kernel_tests_early: the tests that need no more
 * than frames, before the kernel has its own page table. */
void kernel_tests(const struct fdt_info *machine);
void kernel_tests_early(const struct fdt_info *machine);
