/* errno, with the numbers of every Cairn interface (Linux's), in place of picolibc's. */
#pragma once

#include "abi/errno.h"

/* Numbers that only ported programs mention: no server of ours answers with them. */
#define ENOTBLK 15
#define ENOMSG 42
#define EIDRM 43
#define ENOSTR 60
#define ENOSR 63
#define ENOLINK 67
#define EMULTIHOP 72
#define EUSERS 87
#define ETOOMANYREFS 109

extern __thread int errno;
#define errno errno
