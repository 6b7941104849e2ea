/* What start-up knows, for the files that need it. */
#pragma once

/* stdio_start: makes the standard streams ready. */
void stdio_start(void);

/* stdio_flush_all: writes out what the open streams still hold. */
void stdio_flush_all(void);

/* program_name: the last part of argv[0]. */
const char *program_name(void);
