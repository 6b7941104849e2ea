/* blkd with two disks in a host program: one of SERVE_SECTORS, and a read-only one of a single
 * sector. */
#pragma once

#include "host.h"

#define SERVE_SECTORS 512

/* serve_prepare: before blkd's main, which serve_blkd is. */
void serve_prepare(void);
void serve_blkd(void);

/* While this is set, the disks answer at once; otherwise when serve_step is called: it does one
 * command, and false says that there was none. */
extern bool serve_at_once;
bool serve_step(bool ok);
extern uint8_t serve_bytes[SERVE_SECTORS * 512];
