/* What the kernel tests of lab 2 share: processes and threads without a user program, and harts
 * that are not there. */
#pragma once

#include "../../kernel/test.h"
#include "arch/csr.h"
#include "arch/hart.h"
#include "lib/list.h"
#include "proc/process.h"
#include "proc/thread.h"

/* test_process: a process that the test keeps a reference on; pages and threads: its limits, 0 =
 * as many as there may be. The first one of all would be init, whose end stops the machine: one
 * more is made before it. */
struct process *test_process(uint32_t pages, uint32_t threads);

/* test_thread: a thread of it, in no queue, as if it waited for something. */
struct thread *test_thread(struct process *process, uint32_t priority);

/* become_hart: this_hart() is this record from now on. The other records keep what they say, so
 * that the one real hart can play one of several. */
void become_hart(struct hart *hart);

/* software_interrupt: whether one has come to this (real) hart; takes it back. */
bool software_interrupt(void);

static inline size_t list_length(const struct list *head)
{
    size_t n = 0;
    list_for_each(link, head) n++;
    return n;
}
