/* errno, with the numbers of every Cairn interface (Linux's), in place of picolibc's. */
#pragma once

#include "abi/errno.h"

/* Numbers that the kernel and the servers' protocols do not use. */
#define ETXTBSY 26
#define EDOM 33
#define ENOLCK 37
#define ETIME 62
#define EBADMSG 74
#define EILSEQ 84
#define ENOTSOCK 88
#define EDESTADDRREQ 89
#define EPROTOTYPE 91
#define ENOPROTOOPT 92
#define EPROTONOSUPPORT 93
#define ESOCKTNOSUPPORT 94
#define EPFNOSUPPORT 96
#define EAFNOSUPPORT 97
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define ENETDOWN 100
#define ENETUNREACH 101
#define ENETRESET 102
#define ECONNABORTED 103
#define ECONNRESET 104
#define EISCONN 106
#define ENOTCONN 107
#define ECONNREFUSED 111
#define EHOSTDOWN 112
#define EHOSTUNREACH 113
#define EALREADY 114
#define EINPROGRESS 115
#define EOWNERDEAD 130
#define ENOTRECOVERABLE 131
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
