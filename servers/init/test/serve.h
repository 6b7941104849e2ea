/* init in a host program, with the kernel's services, a boot archive, two devices, one service
 * (called names) and a shell. */
#pragma once

#include "host.h"

/* serve_init: starts it; from then on it serves. */
void serve_init(void);

/* The processes that init has started itself. */
struct host_process *serve_shell(void);
struct host_process *serve_names(void);

/* serve_image: the executable of the archive, whole pages, populated or not. The caller's. */
struct host_object *serve_image(bool populated);

/* serve_own: the number of a process's handle to sys:process with its own badge, or -1. */
int serve_own(const struct host_process *process);

/* serve_root: gives the process the handle that the service got for a name such as "proc:". */
int serve_root(struct host_process *process, const char *name);

/* serve_block: a spawn block for these options into buffer; its length. */
struct spawn_options;
size_t serve_block(const struct spawn_options *options, uint8_t *buffer, size_t size);

/* serve_power: called when init turns the machine off; it does not return. NULL: a bug. */
extern void (*serve_power)(uint64_t status);
