/* The process protocol of init on sys:process. Each process has a send handle whose badge is its
 * pid; with it, it starts, waits for and signals processes. Every reply starts with int64_t result.
 *
 * Spawning takes up to three steps on one session, so that more handles than a message holds can
 * be delegated: PROC_PREPARE -> (PROC_GIVE)* -> PROC_START. A session that closes, or whose maker
 * ends, before PROC_START leaves nothing behind. */
#pragma once

#include "abi/handle.h"
#include "abi/process.h"
#include <stdint.h>

enum process_operation {
    PROC_SPAWN = 1,   /* prepare, give up to 3 handles and start in one call: struct
                         spawn_request; handle 0 = ELF in a memory object, handles 1..3 as in the
                         block; window 0 = spawn block. result: pid */
    PROC_PREPARE = 2, /* as PROC_SPAWN, without starting; reply handle 0 = spawn session */
    PROC_GIVE = 3,    /* on a spawn session: handles 0..n go on filling the block's entries */
    PROC_START = 4,   /* on a spawn session; result: pid */
    PROC_WAIT = 5,    /* word 0 = pid of a child, -1 any, 0 any of the caller's job, -job any of
                         that job; word 1 = PROC_NOHANG; result: pid (0 if none ended and NOHANG),
                         then struct process_status, whose cpu_time includes the children that it
                         had waited for itself. ECHILD */
    PROC_SIGNAL = 6,  /* word 0 = pid (negative: a whole job; 0: the caller's), word 1 = number (0:
                         only asks whether it may). ESRCH, EPERM */
    PROC_SIGACTION = 7, /* word 0 = mask of signals handled, word 1 = mask of those ignored */
    PROC_JOB = 8,     /* word 0 = pid of a descendant, or a job: handle 0 = signal-only handle to
                         its job */
    PROC_PARENT = 9,  /* result: pid of the caller's parent */
    PROC_SHUTDOWN = 10, /* word 0 = 0 power off, 1 reboot: ends processes, syncs, stops servers */
    PROC_JOB_SIGNAL = 11, /* on a job handle: word 0 = signal number */
    PROC_JOIN_JOB = 12,   /* word 0 = pid of a child, word 1 = pid of the job leader (0 = itself) */
    /* For services alone (EPERM), as their sections in services.conf say: */
    PROC_KEEP = 13,  /* word 0 = place, handle 0 = to be kept there, none = the place becomes empty */
    PROC_KEPT = 14,  /* word 0 = place; handle 0 of the reply = a copy of what is kept. ENOENT */
    PROC_ALIVE = 15, /* the answer to SERVER_PULSE_ALIVE */
};

enum { PROC_NOHANG = 1 };

/* Signal numbers; signal n arrives as pulse bit n on the process's own channel. */
enum {
    SIGNAL_HUP = 1,
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_KILL = 9,
    SIGNAL_PIPE = 13,
    SIGNAL_TERM = 15,
    SIGNAL_CHLD = 17,
};

#define SPAWN_HANDLES_MAX 32
#define SPAWN_BLOCK_MAX 131072 /* bytes: arguments and environment may be as many as fit */

struct spawn_request {
    uint32_t block_len;  /* bytes in window 0 */
    uint32_t stack_size; /* bytes, 0 = default (256 KiB) */
    uint32_t priority;   /* 0 = default */
    uint32_t flags;      /* SPAWN_* */
    struct process_quota quota;
    char name[PROCESS_NAME_MAX];
};
enum {
    SPAWN_DETACHED = 1, /* no child of the caller: nobody waits for it */
};

/* The spawn block is also what the new process finds at the address in its a0. init fills in
 * the handle values and self. Strings are offsets from the start of the block. */
#define SPAWN_MAGIC 0x6e776150u
struct spawn_entry {
    uint32_t id;     /* SPAWN_FD(n), or SPAWN_* below */
    handle_t handle; /* in the new process */
    uint32_t flags;  /* for SPAWN_FD: FS_O_* */
    uint32_t name;   /* offset of a string, 0 = none: the URI it came from, or a name */
};
struct spawn_block {
    uint32_t magic, length; /* bytes of the whole block */
    uint32_t argc, envc;
    uint32_t handle_count;
    uint32_t cwd; /* offset of the working directory's URI or path */
    /* filled in by init: */
    uint32_t pid, parent;
    handle_t self;            /* its own process, MANAGE of its own mappings */
    handle_t process_service; /* sys:process with its own badge */
    handle_t channel;         /* its own channel, RECV and PULSE: signals arrive here */
    uint32_t pad;
    struct spawn_entry handles[SPAWN_HANDLES_MAX];
    uint32_t strings[]; /* argc + envc offsets, then the strings themselves */
};
#define SPAWN_FD(n) (0x100u + (n)) /* n < 256 */
enum {
    SPAWN_NAMESPACE = 1, /* a view of nsd */
    SPAWN_DEVICE = 2,    /* a driver's device; several in order */
    SPAWN_SERVICE = 3,   /* the channel that a server serves: RECV; minted and kept by init */
    SPAWN_KERNEL = 4,    /* a kernel-served channel, by name */
    SPAWN_STATE = 5,     /* a service's memory object (MAP_R, MAP_W) that outlives its processes:
                            all zero for the first, then as the one before left it */
    SPAWN_ENDPOINT = 16, /* + 1..4: a well-known endpoint */
};
