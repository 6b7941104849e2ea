/* The kernel's table of contents: what happens between the first instruction and the first
 * process, in order. */
#include "boot/kmain.h"
#include "arch/csr.h"
#include "boot/entry.h"
#include "boot/fdt.h"
#include "boot/first_process.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/power.h"
#include "dev/sbi.h"
#include "dev/timer.h"
#include "dev/uart.h"
#include "ipc/services.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "mm/pagetable.h"
#include "proc/scheduler.h"
#include "trap/trap.h"

extern char hart_stacks[];
void secondary_start(void); /* boot/entry.S; run at its physical address */

static struct fdt_info machine;
struct hart harts[HARTS_MAX];
uint64_t harts_online;
volatile uint32_t kernel_lock_word;

/* tp points to this hart's record from here on. */
static struct hart *hart_init(uint32_t id)
{
    struct hart *hart = &harts[id];
    asm volatile("mv tp, %0" ::"r"(hart));
    hart->id = id;
    hart->stack_top = (uint64_t)hart_stacks + (id + 1ul) * HARTS_STACK_SIZE;
    harts_online |= 1ul << id;
    return hart;
}

static void read_device_tree(const void *blob)
{
    if (fdt_parse(blob, fdt_size(blob), &machine) || !machine.memory_size || !machine.cpu_count)
        panic("the device tree at %p is damaged", blob);
    for (size_t i = 0; i < machine.device_count; i++) {
        const struct fdt_device *device = &machine.devices[i];
        if (fdt_compatible(device, "ns16550a"))
            uart_init(device->base);
        else if (fdt_compatible(device, "sifive,test0"))
            power_init(device->base);
    }
}

static void memory_init(const void *blob)
{
    struct range ram = {machine.memory_start, machine.memory_start + machine.memory_size};
    const struct range reserved[] = {
        {machine.initrd_start, machine.initrd_end},
        {virt_to_phys(blob), virt_to_phys(blob) + fdt_size(blob)},
    };
    frame_init(ram, virt_to_phys(kernel_end), reserved, 2);
    kernel_page_table_init(ram.start, ram.end);
    kernel_page_table_activate();
    kprintf("memory: %lu MiB, %lu MiB free\n", machine.memory_size >> 20, frames_free() >> 8);
}

static void devices_init(uint32_t boot_hart)
{
    timer_init(machine.timebase, machine.cpus[0].sstc);
    for (size_t i = 0; i < machine.device_count; i++) {
        const struct fdt_device *device = &machine.devices[i];
        if (fdt_compatible(device, "riscv,plic0") || fdt_compatible(device, "sifive,plic-1.0.0"))
            plic_init(device->base, boot_hart);
        else if (fdt_compatible(device, "google,goldfish-rtc"))
            clock_init(device->base);
        device_add(device->compatible, device->base, device->size, device->interrupt);
    }
}

/* One after the other: each prints its line and then waits for work. */
static void start_other_harts(uint32_t boot_hart)
{
    for (size_t i = 0; i < machine.cpu_count; i++) {
        uint32_t id = machine.cpus[i].hart;
        if (id == boot_hart || id >= HARTS_MAX)
            continue;
        if (sbi_hart_start(id, virt_to_phys(secondary_start), id) != 0)
            kprintf("hart %u does not start\n", id);
    }
}

void kmain(uint32_t hart, uint64_t device_tree)
{
    const void *blob = phys_to_virt(device_tree);
    hart_init(hart);
    trap_init();
    read_device_tree(blob);
    kprintf("Cairn on %lu hart(s), boot hart %u\n", machine.cpu_count, hart);
    memory_init(blob);
    devices_init(hart);
    scheduler_init();
    kernel_lock();
    start_other_harts(hart);
    first_process_start(&machine);
    scheduler_exit();
    kernel_unlock();
    trap_return();
}

void secondary_main(uint32_t hart)
{
    kernel_page_table_activate();
    asm volatile("mv tp, %0" ::"r"(&harts[hart]));
    trap_init();
    kernel_lock();
    hart_init(hart);
    scheduler_exit();
    kernel_unlock();
    trap_return();
}
