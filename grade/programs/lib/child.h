/* Children: processes that run a function of the test program itself.
 *
 * What a puppet cannot do (compute, fault, use floating point, run for long), a child can: it
 * gets the program's code, a copy of its data as they were when the first child was made, and a
 * page that it shares with the test. It has no descriptors and no heap: its functions make system
 * calls and write to the shared page, nothing else. */
#pragma once

#include "abi/message.h"
#include "abi/process.h"
#include "cairn/ipc.h"
#include "cairn/syscall.h"
#include <stdbool.h>
#include <stdint.h>

#define CHILD_PAGE 0x40000000ul      /* where the shared page is in the child */
#define CHILD_STACK_TOP 0x50000000ul /* its stack ends here; below it nothing is mapped */
#define CHILD_STACK_SIZE 0x8000ul

struct child_page;
typedef void child_function(volatile struct child_page *page);

struct child_page {
    child_function *function;
    handle_t handles[32]; /* for the test to fill in with what child_give returned */
    uint64_t words[256];  /* for both */
    uint8_t bytes[1024];
};

struct child {
    handle_t process;
    volatile struct child_page *page; /* mapped here */
};

/* child_new: a process that has not started; quota may be NULL. False: it could not be made,
 * and nothing is left of it. */
bool child_new(struct child *child, const char *name, const struct process_quota *quota);

/* child_give: a copy of one of our handles; the value in the child's table. */
handle_t child_give(struct child *child, handle_t handle, uint32_t rights);

/* child_start: runs function(page) in it; when that returns, the child exits with status 0. */
bool child_start(struct child *child, child_function *function, unsigned priority);

/* child_wait: until it has ended and is freed; false after so many ms. status may be NULL. */
bool child_wait(struct child *child, uint64_t milliseconds, struct process_status *status);

/* child_end: kills it if it runs, waits until it is freed, and frees what we have of it. */
void child_end(struct child *child);

/* child_run: new, start, wait, end: how the function ended. */
struct process_status child_run(child_function *function);

/* child_thread: another thread of the calling process (a child, or the test) that runs
 * function(argument) on one of eight small stacks and ends. It has no thread-local variables: it
 * may only use generated system call stubs and raw_call. Thread id or -errno. */
int64_t child_thread(void (*function)(uint64_t), uint64_t argument);
int64_t child_thread_at(void (*function)(uint64_t), uint64_t argument, uint32_t priority);

/* child_code, child_data: the objects that children are mapped from (the program's code; its data,
 * of which each child maps a clone), and how: for children that make children. */
handle_t child_code(void);
handle_t child_data(void);
bool child_map(handle_t process, handle_t code, handle_t data);
extern char child_entry[]; /* where children start, with a0 = CHILD_PAGE */

/* word_wait: until *word is at least value; false after so many ms. */
bool word_wait(volatile uint64_t *word, uint64_t value, uint64_t milliseconds);

/* One system call with every register that the kernel looks at; they are overwritten by what
 * they are afterwards. */
struct registers {
    uint64_t a[8];
    uint64_t t0;
};
void raw_call(struct registers *registers);

/* raw: a system call by number. */
int64_t raw(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
            uint64_t a5);
