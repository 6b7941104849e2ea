/* Memory objects and mappings. The server's own mappings are the objects' bytes themselves; those
 * in other processes are only noted. */
#include "abi/device.h"
#include "internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAPPINGS_MAX 512
#define TOTAL_MAX (64ul << 20) /* of all objects: more is "no memory" */
#define MEMORY_RIGHTS (RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_MAP_X | RIGHT_DUP | RIGHT_TRANSFER)

unsigned host_mappings;
static struct host_mapping own[MAPPINGS_MAX];

static uint64_t whole_pages(uint64_t size)
{
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

struct host_object *host_memory(uint64_t size, uint32_t flags, uint64_t populated)
{
    struct host_object *memory = object_new(OBJECT_MEMORY);
    memory->size = whole_pages(size);
    memory->flags = flags;
    memory->populated = populated;
    memory->bytes = aligned_alloc(PAGE_SIZE, memory->size);
    if (memory->bytes == NULL)
        abort();
    memset(memory->bytes, 0, memory->size);
    return memory;
}

uint8_t *host_memory_bytes(struct host_object *memory)
{
    return memory->bytes;
}

uint64_t host_memory_size(const struct host_object *memory)
{
    return memory->size;
}

struct host_object *host_mapped(unsigned n)
{
    for (unsigned i = 0; i < MAPPINGS_MAX; i++)
        if (own[i].memory != NULL && n-- == 0)
            return own[i].memory;
    return NULL;
}

static handle_t give(struct host_object *memory)
{
    handle_t handle = entry_insert(memory, MEMORY_RIGHTS);
    object_release(memory);
    return handle;
}

int64_t memory_create(uint64_t size, uint32_t flags)
{
    if (size == 0 || size > MEMORY_SIZE_MAX || (flags & ~(uint32_t)MEMORY_CONTIGUOUS))
        return -EINVAL;
    if (size > TOTAL_MAX || host_fails())
        return -ENOMEM;
    return give(host_memory(size, flags, flags & MEMORY_CONTIGUOUS ? whole_pages(size) : 0));
}

static struct host_object *memory_of(handle_t handle, uint32_t rights, int64_t *error)
{
    struct host_entry *entry = entry_find(handle, 0, error);
    if (entry == NULL)
        return NULL;
    *error = -EBADF;
    if (entry->object->type != OBJECT_MEMORY)
        return NULL;
    *error = -EACCES;
    return (entry->rights & rights) == rights ? entry->object : NULL;
}

int64_t memory_clone(handle_t handle)
{
    int64_t error;
    struct host_object *memory = memory_of(handle, RIGHT_MAP_R, &error);
    if (memory == NULL)
        return error;
    if (memory->flags & MEMORY_CONTIGUOUS)
        return -EINVAL;
    if (host_fails())
        return -ENOMEM;
    struct host_object *clone = host_memory(memory->size, 0, memory->populated);
    memcpy(clone->bytes, memory->bytes, memory->size);
    return give(clone);
}

int64_t memory_info(handle_t handle, struct memory_info *info)
{
    int64_t error;
    struct host_object *memory = memory_of(handle, 0, &error);
    if (memory == NULL)
        return error;
    *info = (struct memory_info){memory->size, memory->populated, memory->flags};
    return 0;
}

/* ---- Mappings --------------------------------------------------------------------------------- */

static int64_t map_own(struct host_object *memory, uint64_t offset, uint64_t len)
{
    if (host_fails())
        return -ENOMEM;
    for (unsigned i = 0; i < MAPPINGS_MAX; i++) {
        if (own[i].memory != NULL)
            continue;
        own[i] = (struct host_mapping){(uint64_t)(memory->bytes + offset), len,
                                       object_retain(memory)};
        host_mappings++;
        return (int64_t)own[i].address;
    }
    return -ENOMEM;
}

static int64_t map_other(struct host_process *process, struct host_object *memory,
                         uint64_t address, uint64_t len)
{
    if (address == 0 || address % PAGE_SIZE || address < USER_BASE || len > USER_TOP ||
        address > USER_TOP - len)
        return -EINVAL;
    if (host_fails())
        return -ENOMEM;
    struct host_mapping *place = NULL;
    for (unsigned i = 0; i < PROCESS_MAPPINGS; i++) {
        struct host_mapping *other = &process->mappings[i];
        if (other->memory == NULL)
            place = other;
        else if (address < other->address + other->length && other->address < address + len)
            return -EEXIST;
    }
    if (place == NULL)
        return -ENOMEM;
    *place = (struct host_mapping){address, len, object_retain(memory)};
    return (int64_t)address;
}

int64_t memory_map(handle_t process, handle_t handle, uint64_t address, uint64_t offset,
                   uint64_t len, uint32_t prot)
{
    const uint32_t needed = (prot & PROT_READ ? RIGHT_MAP_R : 0) |
                            (prot & PROT_WRITE ? RIGHT_MAP_W : 0) |
                            (prot & PROT_EXEC ? RIGHT_MAP_X : 0);
    int64_t error;
    struct host_entry *target = NULL;
    if (prot == 0 || prot > 7)
        return -EINVAL;
    if (process != 0) {
        target = entry_find(process, RIGHT_MANAGE, &error);
        if (target == NULL)
            return error;
        if (target->object->type != OBJECT_PROCESS)
            return -EBADF;
    }
    struct host_object *memory = memory_of(handle, needed, &error);
    if (memory == NULL)
        return error;
    len = whole_pages(len);
    if ((prot & PROT_WRITE && prot & PROT_EXEC) || len == 0 || offset % PAGE_SIZE ||
        offset > memory->size || len > memory->size - offset)
        return -EINVAL;
    return target ? map_other((struct host_process *)target->object, memory, address, len)
                  : map_own(memory, offset, len);
}

int64_t memory_unmap(handle_t process, uint64_t address, uint64_t len)
{
    len = whole_pages(len);
    for (unsigned i = 0; process == 0 && i < MAPPINGS_MAX; i++) {
        if (own[i].memory == NULL || own[i].address != address || own[i].length != len)
            continue;
        struct host_object *memory = own[i].memory;
        own[i].memory = NULL;
        host_mappings--;
        object_release(memory);
        return 0;
    }
    host_bug("%#lx bytes at %#lx are not mapped", (unsigned long)len, (unsigned long)address);
}

void mappings_release(struct host_process *process)
{
    for (unsigned i = 0; i < PROCESS_MAPPINGS; i++) {
        if (process->mappings[i].memory != NULL)
            object_release(process->mappings[i].memory);
        process->mappings[i].memory = NULL;
    }
}

/* ---- Memory of devices: a physical address is the address of the byte ------------------------- */

int64_t dma_alloc(handle_t device, uint64_t size, struct dma_buffer *buffer)
{
    int64_t error;
    if (entry_find(device, RIGHT_MANAGE, &error) == NULL)
        return error;
    if (size == 0 || size % PAGE_SIZE)
        return -EINVAL;
    int64_t memory = memory_create(size, MEMORY_CONTIGUOUS);
    if (memory < 0)
        return memory;
    int64_t address = memory_map(0, (handle_t)memory, 0, 0, size, PROT_READ | PROT_WRITE);
    if (address < 0) {
        handle_close((handle_t)memory);
        return address;
    }
    *buffer = (struct dma_buffer){(uint64_t)address, (uint64_t)address, size, (handle_t)memory, 0};
    return 0;
}

int64_t dma_free(handle_t device, handle_t handle)
{
    int64_t error;
    if (entry_find(device, RIGHT_MANAGE, &error) == NULL)
        return error;
    struct host_object *memory = memory_of(handle, 0, &error);
    if (memory == NULL)
        return error;
    memory_unmap(0, (uint64_t)memory->bytes, memory->size);
    return handle_close(handle);
}

int64_t virt_to_phys(handle_t device, uint64_t address)
{
    int64_t error;
    if (entry_find(device, RIGHT_MANAGE, &error) == NULL)
        return error;
    for (unsigned i = 0; i < MAPPINGS_MAX; i++)
        if (own[i].memory != NULL && own[i].memory->flags & MEMORY_CONTIGUOUS &&
            address - own[i].address < own[i].length)
            return (int64_t)address;
    return -EINVAL;
}
