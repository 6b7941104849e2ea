/* System calls that user-space services answer.
 *
 * ecall with a7 = SYSCALL_DELEGATED + op becomes a call of type op on the caller's well-known
 * handle, with a0..a5 as the first 48 bytes and the caller's whole memory as window 0 (the
 * address is the offset). Word 0 of the reply is the result of the system call. */
#pragma once

#define SYSCALL_DELEGATED 0x1000

enum {
    DELEGATE_VFS_FIRST = 100,     /* 100-199 -> HANDLE_VFS */
    DELEGATE_NETWORK_FIRST = 200, /* 200-299 -> HANDLE_NETWORK */
    DELEGATE_LOADER_FIRST = 300,  /* 300-399 -> HANDLE_LOADER */
    DELEGATE_BLOCK_FIRST = 400,   /* 400-499 -> HANDLE_BLOCK */
    DELEGATE_LAST = 499,
};

/* A process with a personality endpoint sends *all* its system calls there, as messages of
 * type PERSONALITY_SYSCALL: words 0..5 = a0..a5, word 6 = a7, word 7 = pc; and its faults as
 * PERSONALITY_FAULT: word 0 = scause, word 1 = stval, word 2 = pc. A reply to a system call
 * sets a0 to word 0 and goes on behind the ecall. A reply to a fault with word 0 = 0 retries
 * the instruction; any other value kills the process. */
enum {
    PERSONALITY_SYSCALL = 0x2000,
    PERSONALITY_FAULT = 0x2001,
};
