/* What start-up and stdio know of each other. */
#pragma once

/* stdio_flush_all: writes out what the open streams still hold. */
void stdio_flush_all(void);
