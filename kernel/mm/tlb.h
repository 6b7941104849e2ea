/* Forgetting translations. Harts that run the address space now are reached through the SBI's
 * RFENCE: waiting for them to take an interrupt in S-mode would deadlock on the big lock. All
 * others are only marked; they forget when they next switch to it, since entries of an ASID that
 * is not in satp are never used. */
#pragma once

#include <stdint.h>

struct address_space;

void tlb_flush_page(struct address_space *space, uint64_t address);
void tlb_flush_space(struct address_space *space);
