/* The few functions of <string.h> that the kernel uses, with their standard meaning. */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);

/* string_copy: at most size - 1 bytes and always a NUL. */
void string_copy(char *to, const char *from, size_t size);
