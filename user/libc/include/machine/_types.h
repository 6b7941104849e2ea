/* Types of POSIX that picolibc makes 16 bits wide unless a machine knows better: a file system has
 * more inodes than that. Of what programs can reach in picolibc, nothing depends on their sizes. */
#pragma once

#include_next <machine/_types.h>

#define __machine_dev_t_defined
#define __machine_ino_t_defined
#define __machine_uid_t_defined
#define __machine_gid_t_defined
typedef __uint64_t __dev_t;
typedef __uint64_t __ino_t;
typedef __uint32_t __uid_t;
typedef __uint32_t __gid_t;
