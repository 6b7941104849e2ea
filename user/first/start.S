/* The first instructions of a program that has no C library behind it: a0 and a1 are passed on. */
#include "abi/syscall_numbers.h"

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la tp, __first_tls
    call first_main
    li a7, SYS_process_exit
    ecall
