/* irqprobe: takes interrupts of the disks that it is given, which the host raises by changing their
 * size, and tells in the kernel's log what came. It uses no queue.
 *
 *     irqprobe WORD STEP...      WORD begins each line of the log
 *     wait,D      registers for irq_wait, waits, then the host raises
 *     early,D     the host raises, then it calls irq_wait
 *     pulse,D,BIT the interrupt becomes a pulse; it is acknowledged only some time later
 *     both,B0,B1  disks 0 and 1 pulse the same channel, twice
 *     timer,D     irq_wait has a deadline, which must be forgotten when the interrupt came first */
#include "abi/errno.h"
#include "cairn/ipc.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "virtio/device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISKS            2
#define SECOND           1000000000ul
#define QUIET            (SECOND / 50)
#define TIMER            (SECOND / 2)
#define TRIES            20
#define INTERRUPT_STATUS 0x60 /* of the device's registers; reading it acknowledges nothing */

static struct virtio_device disks[DISKS];
static handle_t channel;
static const char *word;

static void say(const char *what, int64_t result, uint64_t value)
{
    char line[160];
    int length = snprintf(line, sizeof line, "%s %s %lld %llx\n", word, what, (long long)result,
                          (unsigned long long)value);
    debug_write(line, (size_t)length);
}

static uint64_t sectors(unsigned disk)
{
    uint64_t value = 0;
    virtio_config_read(&disks[disk].transport, 0, &value, sizeof value);
    return value;
}

/* The driver's part: first the device is silent, then the interrupt may come again. */
static void acknowledge(unsigned disk)
{
    virtio_interrupt_status(&disks[disk].transport);
    irq_ack(disks[disk].handle);
}

static void step_wait(unsigned disk, unsigned bit)
{
    (void)bit;
    int64_t error = irq_register(disks[disk].handle, 0, 0);
    for (unsigned turn = 0; turn < 2 && !error; turn++) {
        say("ready", 0, 0);
        error = irq_wait(disks[disk].handle, 0);
        say("woke", error, sectors(disk));
        acknowledge(disk);
    }
    irq_unregister(disks[disk].handle);
}

static void step_early(unsigned disk, unsigned bit)
{
    (void)bit;
    volatile uint32_t *status =
        (volatile uint32_t *)(disks[disk].transport.base + INTERRUPT_STATUS);
    int64_t error = irq_register(disks[disk].handle, 0, 0);
    say("ready", error, 0);
    while (*status == 0)
        sleep_until((uint64_t)clock_now() + QUIET / 20);
    sleep_until((uint64_t)clock_now() + QUIET);
    error = irq_wait(disks[disk].handle, (uint64_t)clock_now() + TIMER);
    say("woke", error, sectors(disk));
    acknowledge(disk);
    irq_unregister(disks[disk].handle);
}

/* The bits of one pulse message, or a negative error. */
static int64_t receive(uint64_t deadline, uint64_t *bits)
{
    struct message m;
    int64_t got = channel_recv(channel, &m, deadline);
    *bits = got == 0 ? m.words[0] : 0;
    return got;
}

static void step_pulse(unsigned disk, unsigned bit)
{
    uint64_t bits;
    int64_t error = irq_register(disks[disk].handle, channel, bit);
    for (unsigned turn = 0; turn < 2 && !error; turn++) {
        say("ready", 0, 0);
        error = receive(0, &bits);
        say("pulse", error, bits);
        uint64_t before = sectors(disk);
        say("ready", 0, 0); /* the host raises once more */
        while (sectors(disk) == before)
            sleep_until((uint64_t)clock_now() + QUIET / 20);
        int64_t again = receive((uint64_t)clock_now() + QUIET, &bits);
        say("quiet", again, bits);
        say("size", 0, sectors(disk));
        do /* the second raise may or may not be an interrupt of its own */
            acknowledge(disk);
        while (receive((uint64_t)clock_now() + QUIET, &bits) == 0);
    }
    irq_unregister(disks[disk].handle);
}

static void step_both(unsigned first, unsigned second)
{
    uint64_t bits;
    int64_t error = irq_register(disks[0].handle, channel, first);
    if (!error)
        error = irq_register(disks[1].handle, channel, second);
    for (unsigned turn = 0; turn < 4 && !error; turn++) {
        say("ready", 0, 0);
        error = receive(0, &bits);
        say("pulse", error, bits);
        acknowledge(bits == 1ul << first ? 0 : 1);
    }
    irq_unregister(disks[0].handle);
    irq_unregister(disks[1].handle);
}

/* Behind an irq_wait that ended by the interrupt, another wait: the first one's deadline passes in
 * the middle of it, and must mean nothing any more. */
static void step_timer(unsigned disk, unsigned bit)
{
    (void)bit;
    int64_t error = irq_register(disks[disk].handle, 0, 0);
    uint64_t bits, deadline = 0;
    for (unsigned turn = 0; turn < TRIES && !error; turn++) {
        say("ready", 0, 0);
        deadline = (uint64_t)clock_now() + TIMER;
        error = irq_wait(disks[disk].handle, deadline);
        if (error != -ETIMEDOUT)
            break;
        error = 0; /* the host was slow: once more */
    }
    say("woke", error, sectors(disk));
    acknowledge(disk);
    uint64_t end = deadline + TIMER / 5;
    error = receive(end, &bits);
    say("slept", error, (uint64_t)clock_now() >= end);
    irq_unregister(disks[disk].handle);
}

static int open_disks(void)
{
    for (unsigned i = 0; i < DISKS; i++) {
        handle_t handle = start_handle(SPAWN_DEVICE, i);
        int error = handle < 0 ? handle : virtio_open(&disks[i], handle, VIRTIO_ID_BLOCK);
        if (!error)
            error = virtio_start_features(&disks[i], 0);
        if (error)
            return error;
        virtio_go(&disks[i].transport);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(unsigned first, unsigned second);
    } steps[] = {{"wait", step_wait},
                 {"early", step_early},
                 {"pulse", step_pulse},
                 {"both", step_both},
                 {"timer", step_timer}};
    word = argc > 1 ? argv[1] : "irqprobe";
    channel = (handle_t)channel_create(0);
    say("open", open_disks(), 0);
    for (int i = 2; i < argc; i++) {
        char name[8];
        unsigned first = 0, second = 0;
        if (sscanf(argv[i], "%7[a-z],%u,%u", name, &first, &second) < 2)
            return 2;
        for (unsigned s = 0; s < sizeof steps / sizeof steps[0]; s++)
            if (strcmp(steps[s].name, name) == 0)
                steps[s].run(first, second);
    }
    say("end", 0, 0);
    return 0;
}
