/* Files by URI, and loading a whole file into a memory object. */
#include "fsclient/fsclient.h"

#include "../libcairn/internal.h"
#include "abi/memory.h"
#include "cairn/syscall.h"

handle_t fs_locate(const char *uri, char *path, size_t size)
{
    return names_lookup_long(uri, path, size, false, NO_DEADLINE);
}

int fs_retry(const char *uri, int64_t result, int tries)
{
    if ((result != -EPEER && result != -EBADF) || tries > 0)
        return 0;
    names_forget(uri);
    return 1;
}

handle_t fs_open_uri(const char *uri, unsigned flags, unsigned mode, struct fs_open_reply *reply)
{
    char path[FS_PATH_MAX + 1];
    for (int tries = 0;; tries++) {
        handle_t root = fs_locate(uri, path, sizeof path);
        handle_t file = root < 0 ? root : fs_open(root, path, flags, mode, reply);
        if (!fs_retry(uri, file, tries))
            return file;
    }
}

handle_t fs_load(handle_t file, size_t *size)
{
    struct fs_stat stat;
    int error = fs_fstat(file, &stat);
    if (error)
        return error;
    if ((stat.mode & FS_IFMT) != FS_IFREG)
        return -EACCES;
    if (stat.size == 0)
        return -ENOEXEC;
    if (stat.size > MEMORY_SIZE_MAX)
        return -EFBIG;
    size_t pages = (stat.size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int64_t memory = memory_create(pages, 0);
    if (memory < 0)
        return (handle_t)memory;
    int64_t result = memory_map(0, (handle_t)memory, 0, 0, pages, PROT_READ | PROT_WRITE);
    if (result < 0)
        goto close;
    char *at = (char *)result;
    for (size_t done = 0; done < stat.size; done += (size_t)result) {
        result = fs_read(file, done, at + done, stat.size - done);
        if (result == 0)
            result = -EIO; /* shorter than it said */
        if (result < 0)
            break;
    }
    memory_unmap(0, (uint64_t)at, pages);
    *size = stat.size;
close:
    if (result >= 0)
        return (handle_t)memory;
    handle_close((handle_t)memory);
    return (handle_t)result;
}
