/* Handles: the only names that a process has for kernel objects. */
#pragma once

#include <stdint.h>

/* A handle value is generation << 12 | index, always positive as an int32_t. Index 0 is
 * never used. A negative handle_t is an error number. */
typedef int32_t handle_t;

#define HANDLE_INDEX_BITS 12
#define HANDLES_MAX (1 << HANDLE_INDEX_BITS) /* per process, the hard limit */

/* Well-known indices 1..4: the endpoints of delegated system calls (see abi/delegation.h). */
enum {
    HANDLE_VFS = 1,
    HANDLE_NETWORK = 2,
    HANDLE_LOADER = 3,
    HANDLE_BLOCK = 4,
    HANDLE_FIRST_FREE = 5,
};

/* What a handle allows. Rights only shrink when a handle is duplicated or passed on. */
enum handle_rights {
    RIGHT_SEND = 1 << 0,     /* channel: call */
    RIGHT_RECV = 1 << 1,     /* channel: recv, reply_recv */
    RIGHT_PULSE = 1 << 2,    /* channel: pulse; device: register an interrupt */
    RIGHT_MAP_R = 1 << 3,    /* memory, device: map readable */
    RIGHT_MAP_W = 1 << 4,    /* memory, device: map writable */
    RIGHT_MAP_X = 1 << 5,    /* memory: map executable */
    RIGHT_DUP = 1 << 6,      /* any: duplicate within the process */
    RIGHT_TRANSFER = 1 << 7, /* any: pass to another process */
    RIGHT_MANAGE = 1 << 8,   /* process: start, grant, kill; device: DMA, acknowledge */
    RIGHT_MINT = 1 << 9,     /* channel: stamp a badge into a send handle */
};
#define RIGHTS_ALL 0x3ffu

enum object_type {
    OBJECT_PROCESS = 1,
    OBJECT_CHANNEL,
    OBJECT_SESSION, /* a send handle with a badge; behaves as its channel */
    OBJECT_MEMORY,
    OBJECT_DEVICE,
};

/* Answer of SYS_handle_info. */
struct handle_info {
    uint32_t type;   /* enum object_type */
    uint32_t rights; /* enum handle_rights */
    uint64_t id;     /* process: pid; channel and session: channel id; device: its number */
};
