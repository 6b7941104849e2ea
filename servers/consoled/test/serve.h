/* consoled with a virtio-serial device of the test in a host program: port 0 is the terminal,
 * port 1 is serial:line. */
#pragma once

#include "host.h"
#include <stddef.h>

void serve_prepare(void);
void serve_consoled(void);

/* serve_type: the other side of a port sends; how many bytes consoled had buffers for. */
size_t serve_type(unsigned port, const void *bytes, size_t count);

/* While serve_stopped, the device takes nothing. serve_drain: what it has taken since the last
 * call, of all ports; and it takes all that there is. */
extern bool serve_stopped;
size_t serve_drain(char *out, size_t size);

/* serve_open: the other side of port 1 opens or closes. */
void serve_open(bool open);
