/* What is known of a file system. */
#pragma once

#include <sys/types.h>

struct statvfs {
    unsigned long f_bsize, f_frsize;
    unsigned long f_blocks, f_bfree, f_bavail; /* picolibc's types for these have 32 bits */
    unsigned long f_files, f_ffree, f_favail;
    unsigned long f_fsid, f_flag, f_namemax;
    char f_basetype[16]; /* "ext2" */
};
#define ST_RDONLY 1
#define ST_NOSUID 2

int statvfs(const char *restrict path, struct statvfs *restrict buffer);
int fstatvfs(int fd, struct statvfs *buffer);
