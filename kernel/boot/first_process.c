/* Loads `init` from the boot archive, gives it a handle to everything, and starts it. Whatever
 * any process may do comes from these handles. */
#include "abi/kernel_services.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "lib/cpio.h"
#include "lib/elf.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/memory.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/thread.h"

#define INFO_ADDRESS 0x2000000000ul
#define STACK_TOP 0x3000000000ul
#define STACK_SIZE (256ul << 10)

/* Makes an object with these bytes and maps it; there is nobody to report an error to. */
static void place(struct process *process, uint64_t address, const void *bytes, size_t size,
                  size_t memory_size, uint32_t prot)
{
    uint64_t start = address & ~(PAGE_SIZE - 1);
    uint64_t length = PAGE_ALIGN_UP(address + memory_size) - start;
    struct memory *memory = memory_new(length, 0, process->account);
    assert(memory);
    for (size_t done = 0; done < size;) {
        uint64_t at = address - start + done;
        size_t n = PAGE_SIZE - at % PAGE_SIZE;
        n = n < size - done ? n : size - done;
        uint64_t frame = memory_page(memory, at >> PAGE_SHIFT, true);
        assert(frame);
        memcpy((char *)phys_to_virt(frame) + at % PAGE_SIZE, (const char *)bytes + done, n);
        done += n;
    }
    int64_t mapped = space_map(&process->space, memory, start, 0, length, prot, prot);
    assert(mapped == (int64_t)start);
    object_release(&memory->object);
}

static void fill_info(struct first_process_info *info, struct process *process,
                      const struct fdt_info *machine)
{
    const uint32_t pass_on = RIGHT_DUP | RIGHT_TRANSFER;
    uint64_t archive = machine->initrd_start & ~(PAGE_SIZE - 1);
    info->magic = FIRST_PROCESS_MAGIC;
    object_retain(&process->object);
    info->self = handle_insert(process, &process->object, RIGHT_MANAGE | pass_on);
    struct memory *memory =
        memory_wrap(archive, PAGE_ALIGN_UP(machine->initrd_end) - archive,
                    process->account);
    assert(memory);
    info->archive = handle_insert(process, &memory->object, RIGHT_MAP_R | pass_on);
    info->archive_size = machine->initrd_end - machine->initrd_start;
    bus_give(process, info);
    services_give(process, info);
    string_copy(info->command_line, machine->bootargs, sizeof(info->command_line));
    memcpy(info->rng_seed, machine->rng_seed, sizeof(info->rng_seed));
}

void first_process_start(const struct fdt_info *machine)
{
    const void *archive = phys_to_virt(machine->initrd_start);
    struct cpio_file file;
    struct elf_image image;
    if (!machine->initrd_start || machine->initrd_start % PAGE_SIZE)
        panic("no boot archive (QEMU's -initrd), or not on a page border");
    if (cpio_find(archive, machine->initrd_end - machine->initrd_start, "init", &file) != 0)
        panic("the boot archive has no init");
    if (elf_parse(file.data, file.size, &image) != 0)
        panic("init is not an executable for this machine");
    struct process *process = process_new("init", NULL, NULL);
    assert(process);
    for (size_t i = 0; i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];
        place(process, segment->address, (const char *)file.data + segment->file_offset,
              segment->file_size, segment->memory_size, segment->prot);
    }
    static struct first_process_info info;
    fill_info(&info, process, machine);
    place(process, INFO_ADDRESS, &info, sizeof(info), sizeof(info), PROT_READ);
    place(process, STACK_TOP - STACK_SIZE, NULL, 0, STACK_SIZE, PROT_READ | PROT_WRITE);
    struct thread *thread = thread_new(process, PRIORITIES - 8);
    assert(thread);
    process->started = true;
    thread_start(thread, image.entry, STACK_TOP, INFO_ADDRESS);
}
