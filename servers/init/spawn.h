/* Making a process out of an executable in a memory object and a spawn block.
 *
 * creation_open -> the caller fills block -> creation_make -> creation_give* -> creation_run.
 * After a failed step, and to give up in between, creation_abandon leaves nothing behind. */
#pragma once

#include "init.h"
#include "lib/elf.h"
#include "proto/process.h"

#define STACK_DEFAULT (256u << 10)
#define STACK_MIN     (16u << 10)
#define STACK_MAX     (64u << 20)

struct creation {
    handle_t image; /* the executable; the caller's unless it had to be cloned */
    bool image_cloned;
    uint64_t image_address, image_size; /* where init reads it, 0 = not mapped */
    struct elf_image elf;

    /* One lazy object holds all that is the new process's own: the writable segments, one behind
     * the other, the stack, the block. */
    handle_t memory;
    uint64_t address, size;          /* where init writes it, 0 = not mapped */
    uint64_t stack_size, block_size; /* whole pages */
    struct spawn_block *block;
    uint32_t block_len;

    struct process *slot; /* its place in the process table, the caller's until creation_run */
    uint32_t pid;
    uint32_t given; /* entries of the block that have their handle */
};

/* creation_open: reads the headers of image and makes room for a block of block_len bytes, at
 * c->block. memory_limit: most bytes of stack and writable data. -ENOEXEC for a bad executable;
 * -EINVAL -E2BIG -ENOMEM. */
int creation_open(struct creation *c, handle_t image, uint32_t block_len, uint32_t stack_size,
                  uint64_t memory_limit);

/* creation_make: checks the block and makes the process, mapped but without handles of its own.
 * slot: from process_admit, with name and quota filled in. */
int creation_make(struct creation *c, struct process *slot);

/* creation_give: fills the block's next entry with a copy of this handle, with these rights at
 * most. -EINVAL when all entries are filled. */
int creation_give(struct creation *c, handle_t handle, uint32_t rights);

/* creation_run: starts it; the slot becomes a running process. Its pid, or -errno; -EINVAL while
 * entries are not filled. */
int creation_run(struct creation *c);

/* creation_abandon: frees everything of c but the slot, which becomes free, too. */
void creation_abandon(struct creation *c);
