/* The first instructions of every program: a0 = spawn block (init: the kernel's), a1 = IPC page. */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    tail libc_start
