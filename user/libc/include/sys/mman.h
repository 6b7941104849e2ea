/* Memory of a process's own: anonymous pages, and private copies of files. */
#pragma once

#include "abi/memory.h" /* PROT_READ, PROT_WRITE, PROT_EXEC */
#include <stddef.h>
#include <sys/types.h>

#define PROT_NONE 0

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_ANON MAP_ANONYMOUS
#define MAP_NORESERVE 0x4000
#define MAP_FAILED ((void *)-1)

#define MS_ASYNC 1
#define MS_SYNC 4

/* Without MAP_ANONYMOUS only MAP_PRIVATE: the file's bytes as they are now. */
void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset);
int munmap(void *address, size_t len);
int mprotect(void *address, size_t len, int protection);
int msync(void *address, size_t len, int flags);
