/* picolibc's <sched.h>, and giving way to others. */
#pragma once

#include_next <sched.h>

int sched_yield(void);
