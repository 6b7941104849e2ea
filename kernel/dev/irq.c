/* The PLIC. A claimed source stays quiet until it is completed, which happens when the driver
 * acknowledges: so nothing needs to be masked meanwhile. All interrupts go to the boot hart. */
#include "dev/irq.h"
#include "abi/errno.h"
#include "dev/device.h"
#include "mm/layout.h"
#include "proc/hooks.h"

enum { PLIC_PRIORITY = 0, PLIC_ENABLE = 0x2000, PLIC_CONTEXT = 0x200000 };
enum { ENABLE_STRIDE = 0x80, CONTEXT_STRIDE = 0x1000, CONTEXT_CLAIM = 4 };

static uint64_t plic, context;
static uint64_t counts[IRQS_MAX];

static volatile uint32_t *reg(uint64_t offset) { return phys_to_virt(plic + offset); }

void plic_init(uint64_t physical_base, uint32_t hart)
{
    plic = physical_base;
    context = 2 * hart + 1; /* M-mode contexts come in between */
    *reg(PLIC_CONTEXT + context * CONTEXT_STRIDE) = 0; /* threshold: everything */
}

static void enable(uint32_t irq, uint32_t on)
{
    volatile uint32_t *word = reg(PLIC_ENABLE + context * ENABLE_STRIDE + irq / 32 * 4);
    *word = (*word & ~(1u << irq % 32)) | on << irq % 32;
}

void irq_enable(uint32_t irq)
{
    *reg(PLIC_PRIORITY + irq * 4) = 1;
    enable(irq, 1);
}

void irq_disable(uint32_t irq) { enable(irq, 0); }

void irq_complete(uint32_t irq)
{
    *reg(PLIC_CONTEXT + context * CONTEXT_STRIDE + CONTEXT_CLAIM) = irq;
}

/* Claims what is pending and passes it on. */
void irq_handle(void)
{
    uint32_t irq;
    while ((irq = *reg(PLIC_CONTEXT + context * CONTEXT_STRIDE + CONTEXT_CLAIM))) {
        if (irq < IRQS_MAX)
            counts[irq]++;
        if (!device_interrupt(irq))
            irq_complete(irq);
    }
}

int64_t irq_count(uint32_t irq) { return irq < IRQS_MAX ? (int64_t)counts[irq] : -EINVAL; }
