/* copy_in and copy_out: a server moves bytes between its own memory and a window that a caller
 * lends it for the duration of the call. One copy, no mapping, and no fault: both sides' pages are
 * populated on the way, each at its owner's charge. */
#include "ipc/channel.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "proc/process.h"
#include "trap/syscall.h"

#define COPY_MAX 65536 /* bytes a call, so that the lock is held for microseconds */

/* Bytes moved, or an error if not even the first could be. */
static int64_t copy_between(struct address_space *from, uint64_t source, struct address_space *to,
                            uint64_t target, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t n = size - done;
        size_t source_room = PAGE_SIZE - (source + done) % PAGE_SIZE;
        size_t target_room = PAGE_SIZE - (target + done) % PAGE_SIZE;
        n = n < source_room ? n : source_room;
        n = n < target_room ? n : target_room;
        int64_t error;
        void *out = space_byte(to, target + done, PROT_WRITE, &error);
        /* Target first: writing to a shared page replaces it, and it may be the source, too. */
        const void *in = out ? space_byte(from, source + done, PROT_READ, &error) : NULL;
        if (!in)
            return done ? (int64_t)done : error;
        memcpy(out, in, n);
        done += n;
    }
    return (int64_t)done;
}

/* exercise 3.6 */
static int64_t window_copy(struct thread *server, const uint64_t *arguments, uint64_t access)
{
    uint64_t token = arguments[0], index = arguments[1], offset = arguments[2];
    uint64_t buffer = arguments[3], size = arguments[4];
    struct thread *caller = thread_from_token(token, server->process);
    if (!caller)
        return -ESTALE;
    if (index >= caller->window_count)
        return -EINVAL;
    const struct window *window = &caller->windows[index];
    if (!(window->access & access))
        return -EACCES;
    if (offset > window->length)
        return -EINVAL;
    size = size < window->length - offset ? size : window->length - offset;
    size = size < COPY_MAX ? size : COPY_MAX;
    if (!user_range(buffer, size))
        return -EFAULT;
    uint64_t there = window->address + offset;
    if (size && !user_range(there, size)) /* a delegated call's window begins at 0 */
        return -EFAULT;
    struct address_space *own = &server->process->space, *lent = &caller->process->space;
    return access == WINDOW_READ ? copy_between(lent, there, own, buffer, size)
                                 : copy_between(own, buffer, lent, there, size);
}
/* end 3.6 */

SYSCALL(copy_in)
{
    const uint64_t arguments[] = {a0, a1, a2, a3, a4};
    return window_copy(caller, arguments, WINDOW_READ);
}

SYSCALL(copy_out)
{
    const uint64_t arguments[] = {a0, a1, a2, a3, a4};
    return window_copy(caller, arguments, WINDOW_WRITE);
}
