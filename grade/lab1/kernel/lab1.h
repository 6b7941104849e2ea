/* What the tests of lab 1 share: memory that the host chose, hoarding, and accesses that may trap.
 * A line for the host begins with "> "; numbers are hexadecimal. */
#pragma once

#include "../../kernel/test.h"
#include "mm/frame.h"

/* arena_init: fills a piece of RAM with a pattern and starts the frame allocator anew on it, both
 * as the workload says. For early tests: whoever has frames already loses them. */
void arena_init(struct workload *workload);

/* hoard: allocates single frames until only so many are left, each filled with pattern (0: left as
 * it is). hoard_release: gives them back. */
void hoard(uint64_t leave, uint64_t pattern);
void hoard_release(void);

/* try_load, try_store, try_call: an access through the page table that satp names. 0, or scause + 1
 * if it trapped. try_call calls a function that only returns. allow_user_pages: also to user pages,
 * from now on: a change of SUM at each access would make QEMU forget its TLB. */
void allow_user_pages(void);
uint64_t try_load(uint64_t address, uint64_t *value);
uint64_t try_store(uint64_t address, uint64_t value);
uint64_t try_call(uint64_t address);
