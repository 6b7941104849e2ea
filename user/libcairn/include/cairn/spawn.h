/* Starting programs, and what a program finds when it starts (proto/process.h). */
#pragma once

#include "abi/process.h"
#include "cairn/ipc.h"
#include "proto/process.h"

struct spawn_handle {
    uint32_t id; /* SPAWN_FD(n), SPAWN_NAMESPACE, ... */
    handle_t handle;
    uint32_t flags;
    const char *name; /* or NULL */
};

struct spawn_options {
    const char *const *argv; /* with envp, limited by SPAWN_BLOCK_MAX alone */
    const char *const *envp;
    const char *cwd;
    const struct spawn_handle *handles;
    size_t handle_count;
    size_t stack_size; /* 0 = default */
    unsigned priority; /* 0 = default */
    unsigned flags;    /* SPAWN_DETACHED */
    const struct process_quota *quota; /* or NULL */
};

/* spawn_memory: starts the ELF image in a memory object. pid or -errno. */
int spawn_memory(handle_t image, const char *name, const struct spawn_options *options);

/* process_wait_for: waits for a child (-1: any); flags PROC_NOHANG. pid, 0, or -errno. */
int process_wait_for(int pid, unsigned flags, struct process_status *status);
int process_signal(int pid, int signal);

/* start_block: what this process was started with; set by crt0. start_handle: the n-th handle
 * with this id, or -ENOENT. */
const struct spawn_block *start_block(void);
void start_block_set(const struct spawn_block *block);
/* start_first_process: for init alone: what the kernel left it instead; NULL for all others. */
struct first_process_info;
const struct first_process_info *start_first_process(void);
handle_t start_handle(uint32_t id, unsigned n);
const char *start_string(uint32_t offset);
