/* The locks of the standard streams, which exist before malloc is of use. */
#pragma once

#include <sys/lock.h>

_LOCK_T lock_standard(int fd);
