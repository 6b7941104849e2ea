/* Puppets: processes that do nothing but a list of system calls that the test wrote for them.
 *
 * A kernel test needs processes that call, serve, die and misbehave at exact points. A puppet is
 * made from nothing but kernel calls: a page of code (puppet_code), a page with its script, a
 * stack. Each step gives the registers of one system call; the results stay in the page, which
 * the test has mapped, too. After the last step the puppet waits for ever, so that only the test
 * ends it. */
#pragma once

#include "abi/message.h"
#include "abi/process.h"
#include "cairn/ipc.h"
#include "cairn/syscall.h"
#include <stdbool.h>
#include <stdint.h>

#define PUPPET_STEPS 24
#define PUPPET_SCRIPT 0x200000ul /* where its script page is in its own memory; the rest of the
                                    page, from PUPPET_DATA on, is free for buffers */
#define PUPPET_DATA (PUPPET_SCRIPT + 0x1000ul)

/* One system call. A register whose bit is set in `previous` takes the a0 of the step before. */
struct step {
    uint64_t a[8]; /* a0..a7 before */
    uint64_t t0;
    uint64_t previous; /* bit n: a[n] = the result of the step before */
    uint64_t result[8]; /* a0..a7 after */
    uint64_t result_t0;
    uint64_t done; /* 1 once it has returned */
};

struct puppet {
    handle_t process;
    volatile struct step *steps; /* mapped here */
    volatile uint8_t *data;      /* PUPPET_DATA, mapped here; 4 KiB */
    unsigned count;
};

/* puppet_new: a process that has not started; quota may be NULL. False: could not be made. */
bool puppet_new(struct puppet *puppet, const char *name, const struct process_quota *quota);

/* puppet_give: a copy of one of our handles; the value in the puppet's table. */
handle_t puppet_give(struct puppet *puppet, handle_t handle, uint32_t rights);

/* puppet_step: appends a step; its index. */
unsigned puppet_step(struct puppet *puppet, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3, uint64_t a4, uint64_t a5);
/* Steps of the four message calls; words[0..3] as data. use_previous: the token is the a0 that
 * the step before returned. */
unsigned puppet_call(struct puppet *puppet, handle_t channel, uint32_t type, uint64_t word);
unsigned puppet_recv(struct puppet *puppet, handle_t channel);
unsigned puppet_reply(struct puppet *puppet, uint64_t word);
unsigned puppet_reply_recv(struct puppet *puppet, handle_t channel, uint64_t word);

bool puppet_start(struct puppet *puppet, unsigned priority);

/* puppet_wait: until step index has returned; false after a second. puppet_blocked: the puppet
 * has entered step index and does not return from it (looked at for 20 ms). */
bool puppet_wait(struct puppet *puppet, unsigned index);
bool puppet_blocked(struct puppet *puppet, unsigned index);
int64_t puppet_result(struct puppet *puppet, unsigned index);

/* puppet_end: kills it, waits until it is gone, unmaps and closes. */
void puppet_end(struct puppet *puppet);

/* Reporting, one line per case; test_done prints the last line and gives main's result. */
void test_case(const char *name, bool passed, const char *reason, ...)
    __attribute__((format(printf, 3, 4)));
int test_done(void);

/* test_deadline: ms from now, as a deadline. */
uint64_t test_deadline(uint64_t milliseconds);
