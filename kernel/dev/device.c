/* Device objects and the nine device system calls. Invariant: an interrupt that was delivered is
 * not completed at the PLIC before its driver acknowledges it, unregisters, or dies. */
#include "dev/device.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "dev/irq.h"
#include "dev/timer.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/memory.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "trap/syscall.h"

#define DEVICES_MAX 32
#define VIRTIO_MAGIC 0x74726976u /* "virt" */
enum { VIRTIO_REG_MAGIC = 0, VIRTIO_REG_DEVICE_ID = 2, VIRTIO_REG_STATUS = 0x70 / 4 };

static struct device devices[DEVICES_MAX];
static uint32_t device_count;
static const struct object_class device_class = {.type = OBJECT_DEVICE}; /* they stay for ever */
static struct device bus = {
    .object = {&device_class, 1}, .is_bus = true, .info = {.compatible = "bus"}};

static volatile uint32_t *registers(const struct device *device)
{
    return phys_to_virt(device->info.base);
}

static void add(const struct fdt_device *found)
{
    if (device_count == DEVICES_MAX || found->interrupt >= IRQS_MAX) {
        kprintf("device: %s at 0x%lx does not fit\n", found->compatible, found->base);
        return;
    }
    struct device *device = &devices[device_count++];
    object_init(&device->object, &device_class);
    string_copy(device->info.compatible, found->compatible, sizeof(device->info.compatible));
    device->info.base = found->base;
    device->info.size = found->size;
    device->info.irq = found->interrupt;
    if (strcmp(found->compatible, "virtio,mmio") == 0 &&
        registers(device)[VIRTIO_REG_MAGIC] == VIRTIO_MAGIC)
        device->info.virtio_id = registers(device)[VIRTIO_REG_DEVICE_ID];
}

void devices_start(const struct fdt_info *machine, uint32_t boot_hart)
{
    for (size_t i = 0; i < machine->device_count; i++) {
        const struct fdt_device *found = &machine->devices[i];
        if (fdt_compatible(found, "riscv,plic0") || fdt_compatible(found, "sifive,plic-1.0.0"))
            plic_init(found->base, boot_hart);
        add(found);
    }
}

void bus_give(struct process *process, struct first_process_info *info)
{
    object_retain(&bus.object);
    info->bus = handle_insert(process, &bus.object, RIGHT_MANAGE | RIGHT_DUP | RIGHT_TRANSFER);
}

/* exercise 5.4 */
bool device_interrupt(uint32_t irq)
{
    for (uint32_t i = 0; i < device_count; i++) {
        struct device *device = &devices[i];
        if (device->info.irq != irq || !device->registered)
            continue;
        device->claimed = true;
        if (device->waiter) {
            struct thread *waiter = device->waiter;
            device->waiter = NULL;
            timer_cancel(waiter);
            waiter->regs[REG_A0] = 0;
            thread_make_ready(waiter);
        } else if (device->channel) {
            channel_pulse(device->channel, 1ul << device->bit);
        } else {
            device->pending = true;
        }
        return true;
    }
    return false;
}
/* end 5.4 */

static void unregister(struct device *device)
{
    if (!device->registered)
        return;
    irq_disable(device->info.irq);
    if (device->claimed)
        irq_complete(device->info.irq);
    if (device->channel)
        object_release(&device->channel->object);
    device->channel = NULL;
    device->driver = NULL;
    device->registered = device->claimed = device->pending = false;
}

/* The device must not write to memory that its dead driver owned: status 0 resets it. */
static void quiesce(struct device *device)
{
    if (device->info.virtio_id)
        registers(device)[VIRTIO_REG_STATUS] = 0;
    device->dma_user = NULL;
}

void device_process_ended(struct process *process)
{
    for (uint32_t i = 0; i < device_count; i++) {
        if (devices[i].dma_user == process)
            quiesce(&devices[i]);
        if (devices[i].driver == process)
            unregister(&devices[i]);
    }
}

void device_thread_ended(struct thread *thread)
{
    if (thread->state != THREAD_IRQ)
        return;
    for (uint32_t i = 0; i < device_count; i++) {
        if (devices[i].waiter == thread)
            devices[i].waiter = NULL;
    }
}

/* The device behind a handle with these rights, or NULL and *error. */
static struct device *find(struct thread *caller, uint64_t handle, uint32_t rights, int64_t *error)
{
    struct object *object =
        handle_object(caller->process, (handle_t)handle, OBJECT_DEVICE, rights, error);
    struct device *device = object ? container_of(object, struct device, object) : NULL;
    if (device && device->is_bus) {
        *error = -EBADF;
        return NULL;
    }
    return device;
}

SYSCALL(map_device)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MAP_R | RIGHT_MAP_W, &error);
    if (!device)
        return error;
    return space_map_device(&caller->process->space, device->info.base, device->info.size);
}

SYSCALL(irq_register)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    struct channel *channel = a1 ? channel_handle(caller, a1, RIGHT_PULSE, &error) : NULL;
    if (a1 && !channel)
        return error;
    if (a2 >= 64)
        return -EINVAL;
    if (!device->info.irq)
        return -ENODEV;
    if (device->registered)
        return -EBUSY;
    if (channel)
        object_retain(&channel->object);
    device->channel = channel;
    device->bit = (uint32_t)a2;
    device->driver = caller->process;
    device->registered = true;
    irq_enable(device->info.irq);
    return 0;
}

SYSCALL(irq_wait)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    if (!device->registered || device->waiter || device->channel)
        return -EINVAL;
    if (device->pending) {
        device->pending = false;
        return 0;
    }
    device->waiter = caller;
    caller->state = THREAD_IRQ;
    caller->channel = NULL;
    this_hart()->current = NULL;
    if (a1)
        timer_wait(caller, a1);
    return SYSCALL_DONE;
}

SYSCALL(irq_ack)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    if (!device->registered)
        return -EINVAL;
    if (device->claimed) {
        device->claimed = false;
        irq_complete(device->info.irq);
    }
    return 0;
}

SYSCALL(irq_unregister)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    if (!device->registered || device->waiter)
        return -EINVAL;
    unregister(device);
    return 0;
}

SYSCALL(dma_alloc)
{
    int64_t error;
    struct process *process = caller->process;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    if (a1 == 0 || a1 > MEMORY_SIZE_MAX)
        return -EINVAL;
    struct memory *memory = memory_new(PAGE_ALIGN_UP(a1), MEMORY_CONTIGUOUS, process->account);
    if (!memory)
        return -ENOMEM;
    struct dma_buffer buffer = {.physical = memory->contiguous,
                                .size = memory->pages << PAGE_SHIFT};
    int64_t address = space_map(&process->space, memory, 0, 0, buffer.size,
                                PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE);
    error = address;
    if (address < 0)
        goto release;
    buffer.address = (uint64_t)address;
    buffer.memory = handle_insert(process, &memory->object,
                                  RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_DUP | RIGHT_TRANSFER);
    error = buffer.memory;
    if (buffer.memory < 0)
        goto unmap;
    error = copy_to_user(&process->space, a2, &buffer, sizeof(buffer));
    if (error) {
        object_retain(&memory->object);
        handle_drop(process, buffer.memory);
        goto unmap;
    }
    device->dma_user = process;
    return 0;
unmap:
    space_unmap(&process->space, buffer.address, buffer.size); /* no page was touched: one step */
release:
    object_release(&memory->object);
    return error;
}

SYSCALL(dma_free)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    struct object *object =
        handle_object(caller->process, (handle_t)a1, OBJECT_MEMORY, 0, &error);
    if (!object)
        return error;
    struct memory *memory = container_of(object, struct memory, object);
    if (!memory->contiguous)
        return -EINVAL;
    list_for_each(link, &caller->process->space.regions)
    {
        struct region *region = container_of(link, struct region, link);
        if (region->memory != memory)
            continue;
        error = space_unmap(&caller->process->space, region->start, region->end - region->start);
        if (error)
            return error;
        break;
    }
    return handle_drop(caller->process, (handle_t)a1);
}

SYSCALL(virt_to_phys)
{
    int64_t error;
    struct device *device = find(caller, a0, RIGHT_MANAGE, &error);
    if (!device)
        return error;
    struct region *region = space_region(&caller->process->space, a1);
    if (!region)
        return -EFAULT;
    if (!region->memory || !region->memory->contiguous)
        return -EINVAL;
    device->dma_user = caller->process;
    return (int64_t)(region->memory->contiguous + region->offset + (a1 - region->start));
}

SYSCALL(device_enum)
{
    int64_t error;
    struct object *object =
        handle_object(caller->process, (handle_t)a0, OBJECT_DEVICE, RIGHT_MANAGE, &error);
    if (!object)
        return error;
    if (!container_of(object, struct device, object)->is_bus)
        return -EBADF;
    if (a1 >= device_count)
        return -ENOENT;
    struct device *device = &devices[a1];
    struct device_info info = device->info;
    object_retain(&device->object);
    info.handle = handle_insert(caller->process, &device->object,
                                RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_MANAGE | RIGHT_DUP |
                                    RIGHT_TRANSFER);
    if (info.handle < 0) {
        object_release(&device->object);
        return info.handle;
    }
    error = copy_to_user(&caller->process->space, a2, &info, sizeof(info));
    if (error)
        handle_drop(caller->process, info.handle);
    return error;
}
