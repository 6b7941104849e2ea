/* What the kernel knows of processes and memory, for tests that look at effects. */
#pragma once

#include "abi/kernel_services.h"
#include "cairn/ipc.h"
#include <stdbool.h>

/* kernel_channel: the kernel-served channel under this name ("sys:facts"); ends the test without
 * one. */
handle_t kernel_channel(const char *name);

/* facts_of: of the process behind a handle; all zero if it is gone. */
struct process_facts facts_of(handle_t process);

struct memory_facts memory_facts(void);
struct scheduler_facts scheduler_facts(void);

/* priority_becomes: the process's effective priority is this one before 2 s are over. */
bool priority_becomes(handle_t process, uint32_t priority);
