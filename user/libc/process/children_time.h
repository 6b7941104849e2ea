/* Processor time of the children that this process has waited for. */
#pragma once

#include <stdint.h>
#include <sys/time.h>

uint64_t wait_children_time(void); /* ns */

static inline struct timeval timeval_of_ns(uint64_t ns)
{
    return (struct timeval){(time_t)(ns / 1000000000), (suseconds_t)(ns % 1000000000 / 1000)};
}
