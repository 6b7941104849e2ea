/* The system call table and the conventions of its handlers. */
#pragma once

#include "abi/errno.h"
#include "proc/thread.h"
#include <stddef.h>
#include <stdint.h>

/* A handler gets the caller and its six arguments. What it returns becomes a0, except: */
#define SYSCALL_DONE (-4096)  /* the caller's registers are as they shall be, or it waits */
/* and -ERESTART (mm/address_space.h): the call is made again after interrupts were let in. */

typedef int64_t syscall_handler(struct thread *caller, uint64_t a0, uint64_t a1, uint64_t a2,
                                uint64_t a3, uint64_t a4, uint64_t a5);

struct syscall_entry {
    syscall_handler *handler; /* NULL: not linked into this kernel */
    const char *name;
};

/* Generated from abi/syscalls.tbl; handlers are weak symbols named sys_NAME. */
extern const struct syscall_entry syscall_table[];
extern const size_t syscall_count;

/* Handlers ignore what they do not use; this spares each of them a list of (void)s. */
#define SYSCALL(name)                                                                           \
    int64_t sys_##name(struct thread *caller, uint64_t a0, uint64_t a1, uint64_t a2,            \
                       uint64_t a3, uint64_t a4, uint64_t a5);                                  \
    int64_t sys_##name(__attribute__((unused)) struct thread *caller,                           \
                       __attribute__((unused)) uint64_t a0,                                     \
                       __attribute__((unused)) uint64_t a1,                                     \
                       __attribute__((unused)) uint64_t a2,                                     \
                       __attribute__((unused)) uint64_t a3,                                     \
                       __attribute__((unused)) uint64_t a4,                                     \
                       __attribute__((unused)) uint64_t a5)
