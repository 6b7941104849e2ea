/* External interrupts: the PLIC (RISC-V PLIC specification 1.0). */
#pragma once

#include <stdint.h>

#define IRQS_MAX 128

/* plic_init: at this base; interrupts go to hart's S-mode context. */
void plic_init(uint64_t physical_base, uint32_t hart);
void irq_enable(uint32_t irq);
void irq_disable(uint32_t irq);

/* irq_complete: lets the source interrupt again (it was claimed when it was delivered). */
void irq_complete(uint32_t irq);
