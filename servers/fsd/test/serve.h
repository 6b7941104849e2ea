/* fsd on a RAM disk in a host program. */
#pragma once

#include "host.h"

#define SERVE_KIB 1024 /* size of the disk */

int server_main(int argc, char **argv);

/* serve_fsd: fsd's main; a wall clock is there for it. serve_prepare: before it. */
void serve_prepare(void);
void serve_fsd(void);
