/* Random work on a file system, of which a history is kept: on several files at once, also on some
 * that are held open without a name; with large files, whose tables are freed and become others'
 * data; with fsync, sync and the writing back that a server does every second. */
#pragma once

#include "history.h"
#include "tape.h"

#define WORKLOAD_HELD 6u

struct workload {
    struct ext2 *fs;
    struct tape *tape;
    struct history *history;
    struct moment *now;
    uint64_t random;
    uint32_t held[WORKLOAD_HELD]; /* objects; 0: none */
    uint32_t seconds;             /* of the clock, behind NOW */
    bool lazy;                    /* hardly ever syncs: transactions become as large as they can */
};

/* workload_step: one operation, and its entry in the history. */
void workload_step(struct workload *workload);

/* workload_make, workload_sync: the same without chance. The object that was made. */
uint32_t workload_make(struct workload *workload, uint32_t directory, enum object_type type,
                       const char *text);
void workload_sync(struct workload *workload);

/* workload_unmount: the end; it promises what a sync does. */
void workload_unmount(struct workload *workload);
