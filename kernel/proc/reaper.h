/* Freeing large things step by step: dead processes and unreferenced memory objects wait here,
 * and every way out of the kernel does a piece of the work, so that no system call holds the lock
 * for long, and nobody makes garbage faster than it goes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct memory;
struct process;

void reaper_add_process(struct process *process);
void reaper_add_memory(struct memory *memory);

/* reaper_step: one piece of work; false when there is none that could be done now. */
bool reaper_step(void);
bool reaper_pending(void);

/* reaper_frame_alloc: frame_alloc, which first reaps if memory is short. 0: really none. */
uint64_t reaper_frame_alloc(unsigned order);
