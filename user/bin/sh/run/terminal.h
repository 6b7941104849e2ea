/* The terminal on descriptor 0. */
#pragma once

#include <stdbool.h>

/* terminal_raw: keys one by one, without echo and signals. terminal_cooked: as it was before. */
void terminal_raw(void);
void terminal_cooked(void);

/* terminal_echo: whether typed lines are shown. */
void terminal_echo(bool on);

/* terminal_columns: 80 if it does not say. */
int terminal_columns(void);
