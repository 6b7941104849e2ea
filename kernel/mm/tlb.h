/* Forgetting translations, here and on the harts that have run the address space. Other harts
 * are reached through the SBI's RFENCE: waiting for them to take an interrupt in S-mode would
 * deadlock on the big lock. */
#pragma once

#include <stdint.h>

struct address_space;

void tlb_flush_page(struct address_space *space, uint64_t address);
void tlb_flush_space(struct address_space *space);
