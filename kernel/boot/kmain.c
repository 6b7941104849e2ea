/* The kernel's table of contents: what happens between the first instruction and the first
 * process, in order. */
#include "boot/kmain.h"
#include "arch/csr.h"
#include "arch/hart.h"
#include "boot/entry.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "dev/power.h"
#include "dev/uart.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "mm/pagetable.h"

extern char hart_stacks[];

static struct fdt_info machine;
struct hart harts[HARTS_MAX];
uint64_t harts_online;
volatile uint32_t kernel_lock_word;

void hart_init(uint32_t id)
{
    struct hart *hart = &harts[id];
    asm volatile("mv tp, %0" ::"r"(hart));
    hart->id = id;
    hart->stack_top = (uint64_t)hart_stacks + (id + 1ul) * HARTS_STACK_SIZE;
    harts_online |= 1ul << id;
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
    kernel_tests_early(&machine);
    kernel_page_table_init(ram.start, ram.end);
    kernel_page_table_activate();
    kprintf("memory: %lu MiB, %lu MiB free\n", machine.memory_size >> 20, frames_free() >> 8);
}

void kmain(uint32_t hart, uint64_t device_tree)
{
    const void *blob = phys_to_virt(device_tree);
    hart_init(hart);
    traps_start();
    read_device_tree(blob);
    kprintf("Cairn on %lu hart(s), boot hart %u\n", machine.cpu_count, hart);
    memory_init(blob);
    timer_start(&machine);
    devices_start(&machine, hart);
    clock_start(&machine);
    scheduler_start();
    kernel_lock();
    kernel_tests(&machine);
    harts_start(&machine, hart);
    first_process_start(&machine);
    user_mode_start();
    kprintf("The kernel runs on its own page table (satp 0x%lx), and has nothing to run yet.\n",
            csr_read(satp));
    power_off(0);
}
