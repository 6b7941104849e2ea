/* The kernel's own servers (abi/kernel_services.h), each a function behind a channel. */
#pragma once

#include "ipc/channel.h"

kernel_service service_console, service_facts, service_stats, service_clock, service_power;

/* clock_init: where the real-time clock is; without one the wall clock starts in 1970. */
void clock_init(uint64_t physical_base);

/* trace.c */
void trace_switch(bool on);
size_t trace_read(uint64_t *sequence, struct ipc_trace *out, size_t most);
