/* The handle table. Invariant: an entry's generation changes when it is freed, so a stale handle
 * never names what the entry holds next. */
#include "proc/handle.h"
#include "abi/errno.h"
#include "mm/frame.h"
#include "mm/layout.h"
#include "proc/process.h"

_Static_assert(HANDLE_PAGE_ENTRIES * sizeof(struct handle_entry) <= PAGE_SIZE, "one frame a page");

struct object *handle_object(struct process *process, handle_t handle, enum object_type type,
                             uint32_t rights, int64_t *error)
{
    struct handle_entry *entry = handle_find(process, handle, 0, error);
    if (!entry)
        return NULL;
    *error = -EBADF;
    if (entry->object->class->type != type)
        return NULL;
    *error = -EACCES;
    return (entry->rights & rights) == rights ? entry->object : NULL;
}

/* A table page for index; false: no memory. */
static bool make_page(struct process *process, uint32_t index)
{
    struct handle_entry **page = &process->handles.pages[index / HANDLE_PAGE_ENTRIES];
    if (*page)
        return true;
    if (!account_charge(process->account, 1))
        return false;
    uint64_t frame = frame_alloc_zeroed();
    if (!frame) {
        account_uncharge(process->account, 1);
        return false;
    }
    *page = phys_to_virt(frame);
    return true;
}

static handle_t fill(struct process *process, uint32_t index, struct object *object,
                     uint32_t rights)
{
    struct handle_entry *entry = handle_slot(&process->handles, index);
    entry->object = object;
    entry->rights = rights;
    process->handles.used++;
    if (object->class->handle_made)
        object->class->handle_made(object, rights);
    return (handle_t)(entry->generation << HANDLE_INDEX_BITS | index);
}

/* exercise 2.1 */
struct handle_entry *handle_find(struct process *process, handle_t handle, uint32_t rights,
                                 int64_t *error)
{
    struct handle_entry *entry = handle_current(&process->handles, handle);
    *error = -EBADF;
    if (!entry)
        return NULL;
    *error = -EACCES;
    if ((entry->rights & rights) != rights)
        return NULL;
    return entry;
}

handle_t handle_insert(struct process *process, struct object *object, uint32_t rights)
{
    struct handle_table *table = &process->handles;
    if (table->used >= table->limit)
        return -EMFILE;
    uint32_t index = table->hint;
    for (uint32_t tried = 0; tried < HANDLES_MAX; tried++, index++) {
        if (index >= HANDLES_MAX)
            index = HANDLE_FIRST_FREE;
        if (!make_page(process, index))
            return -ENOMEM;
        if (handle_slot(&process->handles, index)->object)
            continue;
        table->hint = index + 1;
        return fill(process, index, object, rights);
    }
    return -EMFILE;
}
/* end 2.1 */

handle_t handle_insert_at(struct process *process, uint32_t index, struct object *object,
                          uint32_t rights)
{
    if (!make_page(process, index))
        return -ENOMEM;
    if (handle_slot(&process->handles, index)->object)
        return -EBUSY;
    return fill(process, index, object, rights);
}

bool handle_room(struct process *process, size_t n)
{
    struct handle_table *table = &process->handles;
    if (table->used + n > table->limit)
        return false;
    for (uint32_t index = HANDLE_FIRST_FREE; index < HANDLES_MAX && n; index++) {
        if (!make_page(process, index))
            return false;
        if (!handle_slot(&process->handles, index)->object)
            n--;
    }
    return n == 0;
}

static void entry_clear(struct process *process, struct handle_entry *entry)
{
    struct object *object = entry->object;
    uint32_t rights = entry->rights;
    entry->object = NULL;
    entry->generation = (entry->generation + 1) & HANDLE_GENERATION_MASK;
    process->handles.used--;
    if (object->class->handle_gone)
        object->class->handle_gone(object, rights);
    object_release(object);
}

int64_t handle_drop(struct process *process, handle_t handle)
{
    int64_t error;
    struct handle_entry *entry = handle_find(process, handle, 0, &error);
    if (!entry)
        return error;
    uint32_t index = (uint32_t)handle % HANDLES_MAX;
    if (index >= HANDLE_FIRST_FREE && index < process->handles.hint)
        process->handles.hint = index;
    entry_clear(process, entry);
    return 0;
}

struct handle_entry *handle_well_known(struct process *process, uint32_t index)
{
    struct handle_entry *entry = handle_slot(&process->handles, index);
    return entry && entry->object ? entry : NULL;
}

bool handles_destroy_step(struct process *process)
{
    int budget = 64;
    for (uint32_t i = 0; i < HANDLE_PAGES; i++) {
        struct handle_entry *page = process->handles.pages[i];
        if (!page)
            continue;
        for (uint32_t j = 0; j < HANDLE_PAGE_ENTRIES; j++) {
            if (!page[j].object)
                continue;
            if (budget-- == 0)
                return false;
            entry_clear(process, &page[j]);
        }
        process->handles.pages[i] = NULL;
        frame_free(virt_to_phys(page), 0);
    }
    return true;
}
