/* What other files of libc need of signals. */
#pragma once

#include <stdbool.h>

/* signal_broken_pipe: a write found no reader: SIGPIPE takes its course. Comes back if the
 * signal is ignored or handled. */
void signal_broken_pipe(void);

/* signal_number_of: which signal stands for an end by a fault with this scause. */
int signal_of_fault(unsigned long scause);
