/* Small translations that several files of libc share. */
#pragma once

#include "proto/fs.h"
#include <sys/stat.h>

/* O_* as a program says them (picolibc's values) to FS_O_*. */
unsigned libc_open_flags(int flags);

/* open without errno: descriptor or -errno. */
int libc_open(int directory, const char *path, int flags, unsigned mode);

mode_t libc_umask(void);
void libc_stat(const struct fs_stat *from, struct stat *to);
