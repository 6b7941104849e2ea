/* Random bytes from randd. */
#pragma once

#include <sys/types.h>

#define GRND_NONBLOCK 1
#define GRND_RANDOM 2

ssize_t getrandom(void *buffer, size_t len, unsigned flags);
int getentropy(void *buffer, size_t len); /* at most 256 bytes */
