/* Children: processes that run a function of their parent's own program.
 *
 * A child gets the program's code, a copy of its data as they are when it is made, a stack, and a
 * page that it shares with its parent. */
#pragma once

#include "abi/process.h"
#include "first.h"
#include <stdbool.h>

#define CHILD_WORDS 511 /* of 64 bits, in the shared page */

typedef int64_t child_function(volatile uint64_t *words);

struct child {
    handle_t process;
    volatile uint64_t *words; /* the shared page, as the parent sees it */
};

/* child_new: a process that has not started; quota may be NULL. 0, or the error of the call that
 * failed; then nothing is left of it. */
int64_t child_new(struct child *child, const char *name, const struct process_quota *quota);

/* child_start: runs function in it; what that returns is its exit status. Priority 0: the default.
 */
int64_t child_start(struct child *child, child_function *function, uint32_t priority);

/* child_wait: until it has ended, letting others of the same priority run; how it ended. */
struct process_status child_wait(const struct child *child);

/* child_end: kills it if it runs, and frees what the parent has of it. */
void child_end(struct child *child);

/* child_thread: another thread of this process, which runs function(argument) on a stack that ends
 * at top, and then ends. Thread id or -errno. Priority 0: as the caller's. */
int64_t child_thread(void (*function)(uint64_t), uint64_t argument, void *top, uint32_t priority);
