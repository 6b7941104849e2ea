/* What the test programs of lab 2 share: the workload that the host made, and the lines that it
 * waits for. */
#pragma once

#include "../../../../user/first/child.h"

/* test_begin: prints TEST name, and finds the workload in the boot archive. test_end: prints the
 * run's token, without which it does not count. */
void test_begin(const void *argument, const char *name);
void test_end(void);

/* test_next: the next word of the workload, 0 behind the end. */
uint64_t test_next(void);
bool test_more(void);

/* test_priority: of this whole process; its children run when it is below theirs. */
void test_priority(uint32_t priority);

/* test_need: ends the test if a call that prepares it has failed. */
int64_t test_need(int64_t result, const char *what);

/* chain: as many steps from x on; the host computes the same. chain_fp: with floating point, from
 * an integer below 2^26 on. */
uint64_t chain(uint64_t x, uint64_t rounds);
double chain_fp(double x, uint64_t rounds);
