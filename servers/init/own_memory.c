/* Touches all of init's own memory. A page of it that is missing later, when memory is short, would
 * be a fault, and the end of init. */

#include "init.h"

#define STACK_NEEDED (32 * 1024)

void populate_own_memory(void)
{
    extern char __preinit_array_start[], __end[]; /* of the data segment, in user.ld */
    volatile char stack[STACK_NEEDED];

    for (size_t i = 0; i < sizeof stack; i += PAGE_SIZE)
        stack[i] = 0;
    for (volatile char *at = __preinit_array_start; at < __end; at += PAGE_SIZE)
        *at = *at;
}
