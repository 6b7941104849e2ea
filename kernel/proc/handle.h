/* Handle tables: what a process can name. A handle is (object, rights); a badge is a property of
 * the session object that a minted handle refers to. */
#pragma once

#include "abi/handle.h"
#include "mm/object.h"
#include <stdbool.h>
#include <stddef.h>

struct process;

struct handle_entry {
    struct object *object; /* NULL = free */
    uint32_t rights;
    uint32_t generation;
};

#define HANDLE_PAGE_ENTRIES 256
#define HANDLE_PAGES (HANDLES_MAX / HANDLE_PAGE_ENTRIES)
#define HANDLE_GENERATION_MASK 0x7ffffu /* so that a handle is a positive int32 */

struct handle_table {
    struct handle_entry *pages[HANDLE_PAGES]; /* a frame each, made when needed */
    uint32_t used, limit;
    uint32_t hint; /* where to look for a free entry */
};

/* handle_slot: the place of an index, free or not; NULL: its table page was never made.
 * handle_current: the entry that a handle names, or NULL if it is stale or was never given. */
static inline struct handle_entry *handle_slot(const struct handle_table *table, uint32_t index)
{
    struct handle_entry *page = table->pages[index / HANDLE_PAGE_ENTRIES];
    return page ? &page[index % HANDLE_PAGE_ENTRIES] : NULL;
}
static inline struct handle_entry *handle_current(const struct handle_table *table, handle_t handle)
{
    struct handle_entry *entry = handle_slot(table, (uint32_t)handle % HANDLES_MAX);
    bool valid = entry && entry->object &&
                 entry->generation == (uint32_t)handle >> HANDLE_INDEX_BITS;
    return valid ? entry : NULL;
}

/* handle_find: the entry behind a handle with all these rights, or NULL and *error = -EBADF or
 * -EACCES. handle_object: its object if it has this type. */
struct handle_entry *handle_find(struct process *process, handle_t handle, uint32_t rights,
                                 int64_t *error);
struct object *handle_object(struct process *process, handle_t handle, enum object_type type,
                             uint32_t rights, int64_t *error);

/* handle_insert: a new handle that takes over the caller's reference. The handle, or -EMFILE or
 * -ENOMEM: the reference then stays with the caller. handle_insert_at: at index 1..4. */
handle_t handle_insert(struct process *process, struct object *object, uint32_t rights);
handle_t handle_insert_at(struct process *process, uint32_t index, struct object *object,
                          uint32_t rights);

/* handle_room: n more handles would fit (handle_insert then cannot fail). */
bool handle_room(struct process *process, size_t n);

int64_t handle_drop(struct process *process, handle_t handle);

/* handle_well_known: the object at index 1..4, or NULL. */
struct handle_entry *handle_well_known(struct process *process, uint32_t index);

/* handles_destroy_step: closes up to 64 handles; true when the table is empty and freed. */
bool handles_destroy_step(struct process *process);
