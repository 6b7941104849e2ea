/* picolibc's <sys/stat.h>, and what it leaves to systems with links. */
#pragma once

#include_next <sys/stat.h>
#include <sys/types.h>

_Static_assert(sizeof(ino_t) == 8 && sizeof(dev_t) == 8, "machine/_types.h makes them wide");

#ifndef UTIME_NOW
#define UTIME_NOW (-2L)
#define UTIME_OMIT (-1L)
#endif

int lstat(const char *restrict path, struct stat *restrict to);
int fchmodat(int directory, const char *path, mode_t mode, int flags);
int fstatat(int directory, const char *restrict path, struct stat *restrict to, int flags);
int mkdirat(int directory, const char *path, mode_t mode);
int utimensat(int directory, const char *path, const struct timespec times[2], int flags);
int futimens(int fd, const struct timespec times[2]);
