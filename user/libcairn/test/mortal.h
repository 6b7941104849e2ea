/* Dying at any instruction: what a test does with shared memory runs in a process of its own, which
 * is killed after so many steps. What it has stored by then is there, as with a server's kept
 * state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* mortal_memory: size zeroed bytes that outlive the process. */
void *mortal_memory(size_t size);

/* mortal_run: body(argument) in a child that is killed after steps instructions of it. How many it
 * made: less than steps if it had come to its end before. Each takes microseconds. */
unsigned long mortal_run(void (*body)(void *), void *argument, unsigned long steps);

/* mortal_stores: body(argument) in a child, which from its mortal_begin on dies behind each of its
 * stores that change memory (of mortal_memory, size bytes): what is there then is given to
 * survivor(argument), in a process and a copy of its own. How many deaths there were; *failed: how
 * many of them survivor gave false for. */
unsigned mortal_stores(void (*body)(void *), bool (*survivor)(void *), void *argument, void *memory,
                       size_t size, unsigned *failed);
void mortal_begin(void);
