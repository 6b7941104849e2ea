/* Bringing up the other harts, and the way of every hart into user mode. */
#include "arch/csr.h"
#include "boot/fdt.h"
#include "boot/kmain.h"
#include "boot/stages.h"
#include "dev/sbi.h"
#include "lib/log.h"
#include "mm/pagetable.h"
#include "proc/scheduler.h"
#include "trap/trap.h"

void secondary_start(void); /* boot/entry.S; run at its physical address */

/* One after the other: each waits for work as soon as the lock is free. */
void harts_start(const struct fdt_info *machine, uint32_t boot_hart)
{
    for (size_t i = 0; i < machine->cpu_count; i++) {
        uint32_t id = machine->cpus[i].hart;
        if (id == boot_hart || id >= HARTS_MAX)
            continue;
        if (sbi_hart_start(id, virt_to_phys(secondary_start), id) != 0)
            kprintf("hart %u does not start\n", id);
    }
}

void user_mode_start(void)
{
    scheduler_exit();
    kernel_unlock();
    trap_return();
}

void secondary_main(uint32_t hart)
{
    kernel_page_table_activate();
    asm volatile("mv tp, %0" ::"r"(&harts[hart]));
    traps_start();
    kernel_lock();
    hart_init(hart);
    user_mode_start();
}
