/* The kernel log: everything printed goes to the UART and into a ring that dmesg reads. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* kprintf: %s %c %d %u %x %p %%, width, '0', '-', and l (64 bits). */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list arguments);
void log_write(const char *text, size_t len);

/* log_read: copies log bytes from absolute offset (counted from boot); how many, or -ENODATA
 * when that part was overwritten (*oldest is then where the log begins). */
int64_t log_read(uint64_t offset, char *buffer, size_t size, uint64_t *oldest);

/* panic: prints why, a symbolized backtrace, and stops the machine with status 1. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void backtrace(uint64_t frame_pointer, uint64_t pc);

#define assert(condition)                                                                       \
    ((condition) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))
