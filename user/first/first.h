/* What a program has before there is a C library: system calls, and lines in the kernel's log.
 * The first process of labs 2 and 3, and these labs' tests, are such programs. */
#pragma once

#include "abi/kernel_services.h"
#include "abi/message.h"
#include "cairn/syscall.h"

/* first_main: where such a program begins, with what the kernel or its creator passed as
 * argument, and its thread's IPC page. When it returns, the process ends with that status. */
int64_t first_main(const void *argument, struct ipc_page *page);

/* say: formats a line of up to 255 bytes, as printf does, into the kernel's log. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
