/* Makes processes. The spawner gives the executable as a memory object, so that init never reads a
 * file; text and constants are mapped from that object itself, and everything writable comes from
 * one lazy object of the new process's own.
 *
 * init must survive whatever a client gives it. So it touches no page of the image unless all of
 * them are populated (a first touch would be at the client's charge, and fail as a fault here), and
 * makes the kernel populate its own pages before it writes them (a system call fails politely). */

#include "spawn.h"
#include "core/block.h"
#include "proto/fs.h"
#include <string.h>

/* Stack and block lie right below the IPC pages (256 of them, two pages apart, at the top). */
#define BLOCK_END  0x3fffdf0000ul
#define WATCH_BITS 62 /* the others are the server loop's */

static uint64_t page_down(uint64_t value)
{
    return value & ~(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
    return page_down(value + PAGE_SIZE - 1);
}

static uint64_t segment_first(const struct elf_segment *segment)
{
    return page_down(segment->address);
}

/* Whole pages that the segment takes in memory, in bytes. */
static uint64_t segment_size(const struct elf_segment *segment)
{
    return page_up(segment->address + segment->memory_size) - segment_first(segment);
}

/* A segment without a byte of its own can be mapped from the image. */
static bool segment_shared(const struct elf_segment *segment)
{
    return !(segment->prot & PROT_WRITE) && segment->memory_size == segment->file_size;
}

/* Lets the kernel populate the pages of a range of init's own memory, all zero so far. */
static int populate(uint64_t address, uint64_t size, handle_t memory)
{
    for (uint64_t at = page_down(address); at < address + size; at += PAGE_SIZE) {
        int64_t error = memory_info(memory, (struct memory_info *)at);
        if (error < 0)
            return -ENOMEM;
        memset((void *)at, 0, sizeof(struct memory_info));
    }
    return 0;
}

/* Makes c->image safe to read: an object with holes is replaced by a clone of it, whose holes are
 * filled at init's charge. */
static int image_map(struct creation *c)
{
    struct memory_info info;
    int64_t result = memory_info(c->image, &info);
    if (result < 0)
        return result == -EACCES || result == -EBADF ? (int)result : -EINVAL;
    if (info.populated < info.size) {
        result = memory_clone(c->image);
        if (result < 0)
            return (int)result;
        c->image = (handle_t)result;
        c->image_cloned = true;
    }
    c->image_size = info.size;
    result = memory_map(0, c->image, 0, 0, info.size, PROT_READ);
    if (result < 0)
        return (int)result;
    c->image_address = (uint64_t)result;
    return 0;
}

static void image_unmap(struct creation *c)
{
    if (c->image_address != 0)
        memory_unmap(0, c->image_address, c->image_size);
    c->image_address = 0;
}

/* Bytes that the segments which cannot be shared take in c->memory. */
static uint64_t private_segments_size(const struct elf_image *elf)
{
    uint64_t size = 0;
    for (size_t i = 0; i < elf->segment_count; i++)
        if (!segment_shared(&elf->segments[i]))
            size += segment_size(&elf->segments[i]);
    return size;
}

static int memory_make(struct creation *c, uint64_t memory_limit)
{
    uint64_t data = private_segments_size(&c->elf); /* at most 8 user address spaces: no overflow */

    c->size = data + c->stack_size + c->block_size;
    if (c->size > memory_limit || c->size > MEMORY_SIZE_MAX)
        return -ENOMEM;
    int64_t result = memory_create(c->size, 0);
    if (result < 0)
        return (int)result;
    c->memory = (handle_t)result;
    result = memory_map(0, c->memory, 0, 0, c->size, PROT_READ | PROT_WRITE);
    if (result < 0)
        return (int)result;
    c->address = (uint64_t)result;
    c->block = (struct spawn_block *)(c->address + data + c->stack_size);
    return populate((uint64_t)c->block, c->block_len, c->memory);
}

int creation_open(struct creation *c, handle_t image, uint32_t block_len, uint32_t stack_size,
                  uint64_t memory_limit)
{
    memset(c, 0, sizeof *c);
    if (block_len < sizeof(struct spawn_block))
        return -EINVAL;
    if (block_len > SPAWN_BLOCK_MAX)
        return -E2BIG;
    if (stack_size > STACK_MAX)
        return -EINVAL;
    if (stack_size == 0)
        stack_size = STACK_DEFAULT;
    c->stack_size = page_up(stack_size < STACK_MIN ? STACK_MIN : stack_size);
    c->block_len = block_len;
    c->block_size = page_up(block_len);
    c->image = image;

    int error = image_map(c);
    if (error == 0)
        error = elf_parse((const void *)c->image_address, c->image_size, &c->elf);
    if (error == 0)
        error = memory_make(c, memory_limit);
    if (error < 0)
        creation_abandon(c);
    return error;
}

/* Copies what the file holds of the segments that are not shared. */
static int copy_segments(struct creation *c)
{
    uint64_t offset = 0;
    for (size_t i = 0; i < c->elf.segment_count; i++) {
        const struct elf_segment *segment = &c->elf.segments[i];
        if (segment_shared(segment))
            continue;
        uint64_t to = c->address + offset + segment->address % PAGE_SIZE;
        int error = populate(to, segment->file_size, c->memory);
        if (error < 0)
            return error;
        memcpy((void *)to, (const void *)(c->image_address + segment->file_offset),
               segment->file_size);
        offset += segment_size(segment);
    }
    return 0;
}

/* exercise 4.8 */
static int map_all(struct creation *c)
{
    uint64_t offset = 0;
    int64_t result = 0;

    for (size_t i = 0; i < c->elf.segment_count && result >= 0; i++) {
        const struct elf_segment *segment = &c->elf.segments[i];
        uint64_t first = segment_first(segment), size = segment_size(segment);
        if (segment_shared(segment)) {
            result = memory_map(c->slot->process, c->image, first, page_down(segment->file_offset),
                                size, segment->prot);
        } else {
            result = memory_map(c->slot->process, c->memory, first, offset, size, segment->prot);
            offset += size;
        }
    }
    if (result >= 0) {
        uint64_t size = c->stack_size + c->block_size;
        result = memory_map(c->slot->process, c->memory, BLOCK_END - size, offset, size,
                            PROT_READ | PROT_WRITE);
    }
    if (result == -EEXIST) /* a segment where the stack is to be */
        return -ENOEXEC;
    return result < 0 ? (int)result : 0;
}
/* end 4.8 */

static int make_process(struct creation *c)
{
    struct handle_info info;
    struct process *slot = c->slot;

    int64_t result = process_create(slot->name, strlen(slot->name), &slot->quota);
    if (result < 0)
        return (int)result;
    slot->process = (handle_t)result;
    result = handle_info(slot->process, &info);
    if (result < 0)
        return (int)result;
    c->pid = (uint32_t)info.id;
    result = channel_create(0);
    if (result < 0)
        return (int)result;
    slot->channel = (handle_t)result;
    return map_all(c);
}

int creation_make(struct creation *c, struct process *slot)
{
    c->slot = slot;
    int error = spawn_block_check(c->block, c->block_len);
    if (error == 0)
        error = copy_segments(c);
    if (error == 0)
        error = make_process(c);
    if (error < 0) {
        creation_abandon(c);
        return error;
    }
    image_unmap(c);
    return 0;
}

/* exercise 4.9 */
int creation_give(struct creation *c, handle_t handle, uint32_t rights)
{
    if (c->given >= c->block->handle_count)
        return -EINVAL;
    struct spawn_entry *entry = &c->block->handles[c->given];
    bool endpoint = entry->id > SPAWN_ENDPOINT && entry->id <= SPAWN_ENDPOINT + HANDLE_BLOCK;
    int64_t result =
        process_grant(c->slot->process, handle, rights, endpoint ? entry->id - SPAWN_ENDPOINT : 0);
    if (result < 0)
        return (int)result;
    entry->handle = (handle_t)result;
    c->given++;
    return 0;
}
/* end 4.9 */

/* Gives the process the handles that every process has. */
static int give_own_handles(struct creation *c)
{
    struct process *slot = c->slot;
    int64_t service = handle_mint(init.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                                  BADGE(BADGE_PROCESS, c->pid));
    if (service < 0)
        return (int)service;
    /* Without TRANSFER: whoever shows this badge is the process. */
    int64_t granted = process_grant(slot->process, (handle_t)service, RIGHT_SEND | RIGHT_DUP, 0);
    handle_close((handle_t)service);
    int64_t self =
        process_grant(slot->process, slot->process, RIGHT_MANAGE | RIGHT_DUP | RIGHT_TRANSFER, 0);
    int64_t channel = process_grant(slot->process, slot->channel,
                                    RIGHT_RECV | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER, 0);
    if (granted < 0 || self < 0 || channel < 0)
        return (int)(granted < 0 ? granted : self < 0 ? self : channel);
    c->block->process_service = (handle_t)granted;
    c->block->self = (handle_t)self;
    c->block->channel = (handle_t)channel;
    return 0;
}

/* Frees what only the making needed. */
static void release_memory(struct creation *c)
{
    image_unmap(c);
    if (c->image_cloned)
        handle_close(c->image);
    c->image_cloned = false;
    if (c->address != 0)
        memory_unmap(0, c->address, c->size);
    c->address = 0;
    if (c->memory != 0)
        handle_close(c->memory);
    c->memory = 0;
}

int creation_run(struct creation *c)
{
    struct process *slot = c->slot;

    if (c->given != c->block->handle_count)
        return -EINVAL;
    int64_t error = give_own_handles(c);
    if (error < 0)
        return (int)error;
    c->block->pid = c->pid;
    c->block->parent = slot->parent;

    uint64_t stack = BLOCK_END - c->block_size;
    uint32_t bit = (uint32_t)(slot - init.table.slots) % WATCH_BITS;
    error = process_watch(slot->process, init.server.channel, bit);
    if (error == 0)
        error = process_start(slot->process, c->elf.entry, stack, stack, slot->priority);
    if (error < 0)
        return (int)error;
    process_started(&init.table, slot, c->pid);
    c->slot = NULL;
    release_memory(c);
    return (int)c->pid;
}

void creation_abandon(struct creation *c)
{
    struct process *slot = c->slot;

    release_memory(c);
    if (slot == NULL)
        return;
    if (slot->process != 0) {
        process_watch(slot->process, 0, 0);
        process_kill(slot->process, 0);
        handle_close(slot->process);
    }
    if (slot->channel != 0)
        handle_close(slot->channel);
    process_release(&init.table, slot);
    c->slot = NULL;
}
