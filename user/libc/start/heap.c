/* The heap: sbrk over memory objects mapped one behind the other, right behind the program.
 *
 * Each object is lazy and about as large as all before it, so a small program owns one small
 * object, and a large heap a handful. Invariant: [heap_base, limit) is mapped without gaps. */
#include "abi/memory.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define FIRST_OBJECT (1ul << 20)

extern char __end[];

static struct mutex lock;
static uint64_t at, limit; /* the break, and the end of what is mapped; 0 = nothing yet */

static int grow(uint64_t need)
{
    uint64_t base = ((uint64_t)__end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    if (limit == 0)
        at = limit = base;
    uint64_t size = limit - base;
    if (size < FIRST_OBJECT)
        size = FIRST_OBJECT;
    if (size > MEMORY_SIZE_MAX)
        size = MEMORY_SIZE_MAX;
    if (size < need)
        size = (need + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

    int64_t memory = memory_create(size, 0);
    if (memory < 0)
        return (int)memory;
    int64_t address = memory_map(0, (handle_t)memory, limit, 0, size, PROT_READ | PROT_WRITE);
    handle_close((handle_t)memory); /* the mapping keeps it */
    if (address < 0)
        return (int)address;
    limit += size;
    return 0;
}

void *sbrk(ptrdiff_t increment)
{
    void *old = (void *)-1;
    mutex_lock(&lock);
    if (increment > 0 && (limit == 0 || limit - at < (uint64_t)increment)) {
        /* what is left of the last object is used, too: the new one follows it */
        uint64_t left = limit - at;
        if (grow((uint64_t)increment - left) < 0) {
            errno = ENOMEM;
            goto out;
        }
    }
    old = (void *)at;
    at += (uint64_t)increment;
out:
    mutex_unlock(&lock);
    return old;
}
