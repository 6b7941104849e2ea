/* picolibc's <fcntl.h>; its values are compiled into its stdio. */
#pragma once

#include_next <fcntl.h>

#ifndef F_DUPFD_CLOEXEC
#define F_DUPFD_CLOEXEC 14
#endif
#ifndef O_DSYNC
#define O_DSYNC O_SYNC
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 16
#endif
