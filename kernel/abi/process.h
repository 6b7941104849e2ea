/* Processes: quotas, exit status, priorities. */
#pragma once

#include "abi/handle.h"
#include <stdint.h>

#define PROCESSES_MAX 256
#define THREADS_MAX 1024 /* in the system */
#define PROCESS_NAME_MAX 24
#define PRIORITIES 32 /* 31 is the most urgent */
#define PRIORITY_DEFAULT 16

/* Limits of one process. 0 in a field means: as the creator's. */
struct process_quota {
    uint32_t pages;    /* user pages, page tables and kernel objects */
    uint32_t handles;
    uint32_t threads;
    uint32_t channels; /* channels and minted sessions */
};

enum exit_reason {
    EXIT_RUNNING = 0,
    EXIT_NORMAL = 1, /* process_exit; value = status */
    EXIT_KILLED = 2, /* process_kill; value = the killer's status */
    EXIT_FAULT = 3,  /* a fault; value = scause */
};

/* Answer of SYS_process_status. */
struct process_status {
    uint32_t pid, reason; /* enum exit_reason */
    int64_t value;
    uint64_t pc, address; /* EXIT_FAULT: where, and stval */
    uint64_t cpu_time;    /* ns that its threads ran; final when its watcher is told of its end */
};

/* Where a new thread starts: a0 = the argument given, a1 = its IPC page, sp as given,
 * all other registers 0. */
