/* mmap over memory objects: anonymous pages, and private copies of files. */
#include "../file/fd.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include "fsclient/fsclient.h"
#include <errno.h>
#include <sys/mman.h>

static size_t whole_pages(size_t len)
{
    return (len + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static int64_t map(uint64_t address, size_t size, int flags, int fd, off_t offset)
{
    if (flags & MAP_FIXED)
        memory_unmap(0, address, size);
    int64_t memory = memory_create(size, 0);
    if (memory < 0)
        return memory;
    int64_t at = memory_map(0, (handle_t)memory, flags & MAP_FIXED ? address : 0, 0, size,
                            PROT_READ | PROT_WRITE);
    if (!(flags & MAP_ANONYMOUS) && at >= 0) {
        handle_t file = fd_handle(fd);
        int64_t n = file < 0 ? file : 1;
        for (size_t done = 0; n > 0 && done < size; done += (size_t)n)
            n = fs_read(file, (uint64_t)offset + done, (char *)at + done, size - done);
        if (n < 0) {
            memory_unmap(0, (uint64_t)at, size);
            at = n;
        }
    }
    handle_close((handle_t)memory); /* the mapping keeps it */
    return at;
}

void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    size_t size = whole_pages(len);
    int64_t at;
    if (len == 0 || size < len || offset < 0)
        at = -EINVAL;
    else if (!(flags & MAP_ANONYMOUS) && (flags & MAP_SHARED) && (protection & PROT_WRITE))
        at = -ENOTSUP; /* writing back is not done */
    else
        at = map((uint64_t)address, size, flags, fd, offset);
    if (at >= 0 && protection != (PROT_READ | PROT_WRITE)) {
        int64_t error = memory_protect(0, (uint64_t)at, size, (unsigned)protection);
        if (error < 0) {
            memory_unmap(0, (uint64_t)at, size);
            at = error;
        }
    }
    return (void *)libc_error(at); /* -1 is MAP_FAILED */
}

int munmap(void *address, size_t len)
{
    return (int)libc_error(memory_unmap(0, (uint64_t)address, whole_pages(len)));
}

int mprotect(void *address, size_t len, int protection)
{
    return (int)libc_error(
        memory_protect(0, (uint64_t)address, whole_pages(len), (unsigned)protection));
}

int msync(void *address, size_t len, int flags)
{
    (void)address, (void)len, (void)flags;
    return 0;
}
