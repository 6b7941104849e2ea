/* init: the one process that the kernel starts by itself. */
#pragma once

struct fdt_info;

void first_process_start(const struct fdt_info *machine);
