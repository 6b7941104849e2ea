/* Internet addresses as numbers in network order, and as text. */
#pragma once

#include_next <arpa/inet.h>

#include <stddef.h>
#include <sys/types.h>

struct in_addr;
typedef __socklen_t socklen_t;

/* inet_pton: 1, 0 (not an address), or -1 (EAFNOSUPPORT). inet_ntop: NULL: ENOSPC, EAFNOSUPPORT. */
int inet_pton(int family, const char *text, void *address);
const char *inet_ntop(int family, const void *address, char *text, socklen_t size);

/* The older ones: IPv4 only, and also "127.1" and hexadecimal or octal parts. */
int inet_aton(const char *text, struct in_addr *address);
in_addr_t inet_addr(const char *text);
char *inet_ntoa(struct in_addr address); /* in a buffer of the thread's */

#include <netinet/in.h>
