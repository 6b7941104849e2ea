/* User mode without system calls: a test enters it, and gets control back at each ecall.
 *
 * The kernel for tests has no fast path for messages; its place in trap/entry.S, where every
 * ecall comes by first, serves the tests of exercises that come before the system calls. */
#pragma once

#include "support.h"

/* user_hook: called at each ecall, with the caller-saved registers of the thread stored and its
 * pc at the ecall. Returns the thread to go on with (the same, or another that switch_to() has
 * made current), or NULL: user_run returns. */
typedef struct thread *user_hook(struct thread *thread);

/* user_run: goes to user mode as this hart's current thread. */
void user_run(user_hook *hook);

/* user_code: maps a copy of this code in the process, readable and executable, on one page. now:
 * with its page table entry, so that fetching it needs no page fault. */
void user_code(struct process *process, uint64_t address, const void *code, size_t size, bool now);
