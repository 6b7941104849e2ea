/* The boot archive, from which init starts the services. */
#pragma once

#include "abi/handle.h"
#include "lib/cpio.h"
#include <stdbool.h>

/* archive_open: maps it. 0 or -errno. */
int archive_open(void);

int archive_find(const char *name, struct cpio_file *file); /* 0, -ENOENT, -EINVAL */
bool archive_has(const char *name);

/* archive_image: an executable of the archive as a memory object, which belongs to this module: it
 * is made once, and all processes started from it share its pages. -errno. */
handle_t archive_image(const char *name);
