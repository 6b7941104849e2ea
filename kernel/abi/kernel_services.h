/* The channels that the kernel itself serves. init receives one send handle to each and hands
 * them on as it sees fit. Requests and replies follow the servers' convention: word 0 of the
 * reply is the result or -errno. */
#pragma once

#include "abi/handle.h"
#include "abi/process.h"
#include <stdint.h>

/* What the first process finds: a0 points to this, in its own read-only memory. */
struct first_process_info {
    uint64_t magic; /* FIRST_PROCESS_MAGIC */
    handle_t self;     /* its own process, all rights */
    handle_t archive;  /* memory object: the boot archive (cpio newc), MAP_R */
    uint64_t archive_size;
    handle_t bus;      /* device_enum */
    handle_t console;  /* UART, KCON_* */
    handle_t facts;    /* processes and memory, KFACT_* */
    handle_t stats;    /* IPC statistics and trace, KSTAT_* */
    handle_t clock;    /* wall clock, KTIME_* */
    handle_t power;    /* KPOWER_* */
    char command_line[1024]; /* /chosen bootargs, NUL-terminated */
    uint8_t rng_seed[64];    /* /chosen rng-seed; all zero when there is none */
};
#define FIRST_PROCESS_MAGIC 0x6e72696143ul

/* console: the UART of the early labs. */
enum {
    KCON_WRITE = 1, /* data = text; result: bytes */
    KCON_READ = 2,  /* result: bytes now available, 0 = none; data after word 0 */
    KCON_LOG = 3,   /* word 0 = offset; result: bytes of kernel log, data after word 0 (<= 240);
                       offsets count from boot, one that has been overwritten gives -ENODATA
                       and word 1 = the oldest offset */
};

/* facts: what the kernel knows of processes and memory. */
enum {
    KFACT_PROCESS = 1, /* word 0 = pid: the process with the smallest pid >= that one;
                          result 0 and struct process_facts behind it, or -ESRCH */
    KFACT_MEMORY = 2,  /* struct memory_facts behind the result */
    KFACT_INTERRUPT = 3, /* word 0 = PLIC source: result = how often it fired */
    KFACT_SCHEDULER = 4, /* struct scheduler_facts */
};

struct process_facts {
    uint32_t pid;
    uint32_t threads;
    uint32_t state; /* enum process_state */
    uint32_t priority; /* highest effective of its threads */
    uint32_t handles, channels;
    uint32_t pages, pages_quota; /* charged: user pages, tables, kernel objects */
    uint64_t mapped;   /* bytes of address space */
    uint64_t resident; /* bytes with a frame behind them */
    uint64_t cpu_time; /* ns */
    uint64_t calls;    /* IPC calls made */
    uint64_t syscalls, faults;
    uint32_t waits_for; /* pid of the server that it waits for, 0 = none */
    uint32_t creator;   /* pid */
    char name[PROCESS_NAME_MAX];
};
enum process_state { PROCESS_NEW, PROCESS_READY, PROCESS_RUNNING, PROCESS_WAITING, PROCESS_DEAD };

struct memory_facts {
    uint64_t total, free; /* bytes of RAM managed */
    uint64_t kernel;      /* bytes in kernel objects and page tables */
    uint64_t largest;     /* largest free contiguous block, bytes */
};

struct scheduler_facts {
    uint32_t harts, runnable;
    uint64_t switches, interrupts, syscalls, faults;
    uint64_t idle_time; /* ns, all harts */
};

/* stats: IPC. */
enum {
    KSTAT_TOTAL = 1,   /* struct ipc_stats of the system behind the result */
    KSTAT_CHANNEL = 2, /* word 0 = id: the channel with the smallest id >= that one; struct
                          ipc_stats behind the result, or -ENOENT */
    KSTAT_TRACE_ON = 3,   /* word 0 = 1 on, 0 off; clears the ring when switched on */
    KSTAT_TRACE_READ = 4, /* word 0 = sequence number; result = entries (<= 5), then word 1 =
                             next sequence number, then struct ipc_trace[] */
};

struct ipc_stats {
    uint64_t id;       /* channel id */
    uint32_t owner;    /* pid of the creator */
    uint32_t server;   /* pid of the process that last received, 0 = none, or the kernel */
    uint64_t calls, replies, errors, pulses;
    uint32_t queue, queue_peak;   /* callers waiting */
    uint64_t latency_total, latency_max; /* ns from call to reply */
};

struct ipc_trace {
    uint64_t time; /* ns since boot */
    uint32_t event; /* enum ipc_event */
    uint32_t from, to; /* pids */
    uint32_t channel;
    uint32_t type; /* message type */
    uint32_t len;
    int64_t result;
};
enum ipc_event { TRACE_CALL = 1, TRACE_RECV, TRACE_REPLY, TRACE_PULSE, TRACE_CLOSED, TRACE_ERROR };

/* clock: UTC. */
enum {
    KTIME_GET = 1, /* result 0, word 1 = ns since 1970 */
    KTIME_SET = 2, /* word 0 = ns since 1970 */
};

/* power. Result only on failure. */
enum {
    KPOWER_OFF = 1,    /* word 0 = exit status for the machine, 0 = fine */
    KPOWER_REBOOT = 2,
};
