/* What the files of fsd share. */
#pragma once

#include "cairn/server.h"
#include "ext2/ext2.h"
#include "session.h"

extern struct ext2 *volume;

/* operations.c: the file protocol on the volume. operation_run: does a request; those in the table
 * go through keep_serve first. */
extern struct server_operation operations[];
extern const size_t operation_count;
void operations_prepare(void);
int64_t operation_run(struct request *request);

/* wall_clock: ns since 1970. */
uint64_t wall_clock(void);
