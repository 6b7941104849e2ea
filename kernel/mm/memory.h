/* Memory objects: a number of pages that processes map. Pages come on first touch; clones share
 * frames until one side writes; contiguous objects are populated at creation and pinned. */
#pragma once

#include "abi/memory.h"
#include "lib/list.h"
#include "mm/account.h"
#include "mm/object.h"
#include "mm/reaper.h"
#include <stdbool.h>

extern const struct object_class memory_class;

struct memory {
    struct object object;
    uint32_t flags;           /* enum memory_flags */
    uint64_t pages;           /* size */
    uint64_t populated;       /* entries that have a frame; each is charged to the payer */
    uint64_t cursor;          /* how far a clone or a destruction has come */
    uint64_t *table;          /* physical address per page; of tables of them if pages > 512 */
    uint64_t table_pages;
    uint64_t contiguous;      /* physical start of a contiguous object */
    struct account *payer;    /* referenced */
    struct list regions;      /* where it is mapped */
    struct reapable reap;
};

/* memory_new: an empty object of size bytes (a multiple of PAGE_SIZE); NULL: no memory or quota. */
struct memory *memory_new(uint64_t size, uint32_t flags, struct account *payer);

/* memory_wrap: an object over frames that are in use already, for the boot archive. */
struct memory *memory_wrap(uint64_t physical, uint64_t size, struct account *payer);

/* memory_page: the frame of page index, allocated if need be; with write, one that nobody else
 * shares. Physical address, or 0: no memory or over quota. */
uint64_t memory_page(struct memory *memory, uint64_t index, bool write);

/* memory_clone_step: gives clone up to 64 of the frames of source; true when done. Without memory
 * or quota it is done, too, with clone->cursor UINT64_MAX. */
bool memory_clone_step(struct memory *source, struct memory *clone);
