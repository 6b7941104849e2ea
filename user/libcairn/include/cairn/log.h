/* The kernel log, for servers: they start before there is a terminal, and have none afterwards. */
#pragma once

/* driver_log: a line (without newline) for the kernel log. */
void driver_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
