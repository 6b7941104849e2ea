/* Where boot/entry.S goes on in C. */
#pragma once

#include <stdint.h>

void kmain(uint32_t hart, uint64_t device_tree);
void secondary_main(uint32_t hart);
