/* The server's handle table and the system calls on it. */
#include "internal.h"
#include <errno.h>
#include <string.h>

#define INDEX_MASK (HANDLES_MAX - 1u)
#define MINT_RIGHTS (RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER)
/* With only so many values of it, generations come round: more than enough before the same index is
 * used again by mistake. */
#define GENERATIONS 0x3ffffu

static struct host_entry entries[HANDLES_MAX];
static unsigned used, limit = HANDLES_MAX - HANDLE_FIRST_FREE;
static uint32_t hint = HANDLE_FIRST_FREE;
static unsigned fail_in;
static bool failed;

void host_handle_limit(unsigned most)
{
    limit = most < HANDLES_MAX - HANDLE_FIRST_FREE ? most : HANDLES_MAX - HANDLE_FIRST_FREE;
}

bool host_fail(unsigned n)
{
    bool did = failed;
    fail_in = n;
    failed = false;
    return did;
}

bool host_fails(void)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    failed = true;
    return true;
}

bool entry_room(unsigned count)
{
    return used + count <= limit;
}

handle_t entry_insert(struct host_object *object, uint32_t rights)
{
    if (!entry_room(1))
        return -EMFILE;
    while (entries[hint].object != NULL)
        hint = hint + 1 < HANDLES_MAX ? hint + 1 : HANDLE_FIRST_FREE;
    entries[hint].object = object_retain(object);
    entries[hint].rights = rights;
    used++;
    return (handle_t)(entries[hint].generation << HANDLE_INDEX_BITS | hint);
}

struct host_entry *entry_find(handle_t handle, uint32_t rights, int64_t *error)
{
    struct host_entry *entry = &entries[(uint32_t)handle & INDEX_MASK];
    *error = -EBADF;
    if (handle < 0)
        return NULL; /* an error number that travelled in a handle's place */
    if (entry->object == NULL || entry->generation != (uint32_t)handle >> HANDLE_INDEX_BITS)
        host_bug("handle %#x is not open", (unsigned)handle);
    *error = -EACCES;
    return (entry->rights & rights) == rights ? entry : NULL;
}

void entry_drop(handle_t handle)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, 0, &error);
    if (entry == NULL)
        return;
    struct host_object *object = entry->object;
    entry->object = NULL;
    entry->generation = (entry->generation + 1) & GENERATIONS;
    used--;
    object_release(object);
}

int64_t handle_close(handle_t handle)
{
    entry_drop(handle);
    return handle < 0 ? -EBADF : 0;
}

int64_t handle_dup(handle_t handle, uint32_t rights)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, RIGHT_DUP, &error);
    if (entry == NULL)
        return error;
    return host_fails() ? -EMFILE : entry_insert(entry->object, entry->rights & rights);
}

int64_t handle_mint(handle_t channel, uint32_t rights, uint64_t badge)
{
    int64_t error;
    struct host_entry *entry = entry_find(channel, RIGHT_MINT, &error);
    if (entry == NULL)
        return error;
    if (entry->object->type != OBJECT_CHANNEL || badge == 0)
        host_bug("a badge of %#lx minted from what is no channel", (unsigned long)badge);
    if (host_fails())
        return -EDQUOT;
    struct host_object *session = object_new(OBJECT_SESSION);
    session->channel = object_retain(entry->object);
    session->badge = badge;
    handle_t handle = entry_insert(session, rights & MINT_RIGHTS);
    object_release(session);
    return handle;
}

int64_t handle_info(handle_t handle, struct handle_info *info)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, 0, &error);
    if (entry == NULL)
        return error;
    const struct host_object *object = entry->object;
    memset(info, 0, sizeof *info);
    info->type = object->type;
    info->rights = entry->rights;
    info->id = object->type == OBJECT_SESSION ? object->channel->id : object->id;
    if (object->type == OBJECT_PROCESS)
        info->id = ((const struct host_process *)object)->pid;
    return 0;
}

int64_t channel_create(uint32_t flags)
{
    if (flags & ~(uint32_t)CHANNEL_NO_RESEND)
        return -EINVAL;
    if (host_fails())
        return -ENOMEM;
    struct host_object *channel = object_new(OBJECT_CHANNEL);
    handle_t handle = entry_insert(channel, RIGHTS_ALL);
    object_release(channel);
    return handle;
}

int64_t pulse(handle_t handle, uint64_t bits)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, RIGHT_PULSE, &error);
    if (entry == NULL)
        return error;
    struct host_object *object = entry->object;
    if (object->type == OBJECT_SESSION)
        object = object->channel;
    if (object->type != OBJECT_CHANNEL || object->serve != NULL)
        return -EBADF;
    object->pulses |= bits;
    return 0;
}

struct host_count host_count(void)
{
    extern size_t __sanitizer_get_current_allocated_bytes(void);
    return (struct host_count){.handles = used,
                               .sessions = host_sessions,
                               .mappings = host_mappings,
                               .heap = __sanitizer_get_current_allocated_bytes()};
}
