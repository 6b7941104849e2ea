/* System calls on memory objects and mappings. */
#include "mm/address_space.h"
#include "mm/memory.h"
#include "proc/process.h"
#include "trap/syscall.h"

#define MEMORY_RIGHTS (RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_MAP_X | RIGHT_DUP | RIGHT_TRANSFER)

/* Hands an object that the caller has just made to its handle table. */
static handle_t give(struct thread *caller, struct memory *memory)
{
    handle_t handle = handle_insert(caller->process, &memory->object, MEMORY_RIGHTS);
    if (handle < 0)
        object_release(&memory->object);
    return handle;
}

static struct memory *find(struct thread *caller, uint64_t handle, uint32_t rights, int64_t *error)
{
    struct object *object =
        handle_object(caller->process, (handle_t)handle, OBJECT_MEMORY, rights, error);
    return object ? container_of(object, struct memory, object) : NULL;
}

SYSCALL(memory_create)
{
    if (a0 == 0 || a0 > MEMORY_SIZE_MAX || a1 & ~(uint64_t)MEMORY_CONTIGUOUS)
        return -EINVAL;
    struct memory *memory = memory_new(PAGE_ALIGN_UP(a0), (uint32_t)a1, caller->process->account);
    return memory ? give(caller, memory) : -ENOMEM;
}

SYSCALL(memory_clone)
{
    int64_t error;
    struct memory *source = find(caller, a0, RIGHT_MAP_R, &error);
    if (caller->restart && (!source || caller->restart_key != a0)) { /* its source was closed */
        object_release(caller->restart);
        caller->restart = NULL;
    }
    if (!source)
        return error;
    if (source->contiguous) /* pinned frames are never shared */
        return -EINVAL;
    struct memory *clone =
        caller->restart ? container_of(caller->restart, struct memory, object)
                        : memory_new(source->pages << PAGE_SHIFT, 0, caller->process->account);
    if (!clone)
        return -ENOMEM;
    caller->restart = &clone->object;
    caller->restart_key = a0;
    if (!memory_clone_step(source, clone))
        return -ERESTART;
    caller->restart = NULL;
    if (clone->cursor == UINT64_MAX) {
        object_release(&clone->object);
        return -ENOMEM;
    }
    return give(caller, clone);
}

/* The address space that a system call is about: 0 = the caller's own. */
static struct address_space *space_of(struct thread *caller, uint64_t handle, int64_t *error)
{
    if (handle == 0)
        return &caller->process->space;
    struct object *object =
        handle_object(caller->process, (handle_t)handle, OBJECT_PROCESS, RIGHT_MANAGE, error);
    if (!object)
        return NULL;
    struct process *process = container_of(object, struct process, object);
    *error = -ESRCH;
    return process->dead ? NULL : &process->space;
}

SYSCALL(memory_map)
{
    int64_t error;
    uint32_t prot = (uint32_t)a5;
    if (a5 & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC) || !a5)
        return -EINVAL;
    struct address_space *space = space_of(caller, a0, &error);
    if (!space)
        return error;
    struct handle_entry *entry = handle_find(caller->process, (handle_t)a1, 0, &error);
    if (!entry)
        return error;
    if (entry->object->class != &memory_class)
        return -EBADF;
    uint32_t most = (entry->rights & RIGHT_MAP_R ? PROT_READ : 0) |
                    (entry->rights & RIGHT_MAP_W ? PROT_WRITE : 0) |
                    (entry->rights & RIGHT_MAP_X ? PROT_EXEC : 0);
    if (prot & PROT_WRITE)
        prot |= PROT_READ; /* a writable page can be read, so the handle must allow that, too */
    if (prot & ~most)
        return -EACCES;
    struct memory *memory = container_of(entry->object, struct memory, object);
    return space_map(space, memory, a2, a3, PAGE_ALIGN_UP(a4), prot, most);
}

SYSCALL(memory_unmap)
{
    int64_t error;
    struct address_space *space = space_of(caller, a0, &error);
    return space ? space_unmap(space, a1, PAGE_ALIGN_UP(a2)) : error;
}

SYSCALL(memory_protect)
{
    int64_t error;
    if (a3 & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    struct address_space *space = space_of(caller, a0, &error);
    if (a3 & PROT_WRITE)
        a3 |= PROT_READ;
    return space ? space_protect(space, a1, PAGE_ALIGN_UP(a2), (uint32_t)a3) : error;
}

SYSCALL(memory_info)
{
    int64_t error;
    struct memory *memory = find(caller, a0, 0, &error);
    if (!memory)
        return error;
    struct memory_info info = {.size = memory->pages << PAGE_SHIFT,
                               .populated = memory->populated << PAGE_SHIFT,
                               .flags = memory->flags};
    return copy_to_user(&caller->process->space, a1, &info, sizeof(info));
}
