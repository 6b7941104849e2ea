/* Where boot/entry.S goes on in C. */
#pragma once

#include <stdint.h>

void kmain(uint32_t hart, uint64_t device_tree);

/* hart_init: tp points to this hart's record from here on. */
void hart_init(uint32_t id);
