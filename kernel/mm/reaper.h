/* Freeing large things step by step: dead processes and unreferenced memory objects wait here,
 * and every pass through the scheduler does a piece of the work, so that no system call holds
 * the lock for long. */
#pragma once

#include "lib/list.h"
#include <stdint.h>

enum reap_result {
    REAP_DONE, /* it is gone */
    REAP_MORE, /* call again */
    REAP_WAIT, /* nothing can be done now; the next pass asks again */
};

/* Part of what is to be freed. step does one piece of the work (about 64 pages of it). */
struct reapable {
    struct list link;
    enum reap_result (*step)(struct reapable *self);
};

void reaper_add(struct reapable *dead, enum reap_result (*step)(struct reapable *self));

/* reaper_step: one piece of work; false when there is none that can be done. */
bool reaper_step(void);
bool reaper_pending(void); /* something waits, whether or not it can be freed now */

/* reaper_frame_alloc: frame_alloc, which first reaps if memory is short. 0: really none. */
uint64_t reaper_frame_alloc(unsigned order);
