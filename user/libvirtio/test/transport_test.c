/* Host test of the virtio-mmio transport against a register file that obeys, or misbehaves. */
#include "virtio/transport.h"

#include "abi/errno.h"
#include "check.h"
#include "registers.h"
#include <string.h>

static struct fake {
    uint32_t magic, version, id;
    uint64_t offered, accepted;
    uint32_t offered_select, accepted_select;
    uint32_t status, interrupt;
    uint32_t queue, queue_size[2], queue_ready[2], notified;
    uint64_t address[2][3];
    uint32_t generation;
    uint8_t config[16];
    unsigned config_reads, changes; /* each change comes in the middle of a read */
    bool refuse_features, stuck, ready_before_address;
    uint32_t history[16]; /* of status */
    unsigned history_count;
} fake;

uint32_t register_read(uintptr_t base, unsigned offset)
{
    CHECK(base == 0x1000);
    switch (offset) {
    case VIRTIO_MAGIC:
        return fake.magic;
    case VIRTIO_VERSION:
        return fake.version;
    case VIRTIO_DEVICE_ID:
        return fake.id;
    case VIRTIO_DEVICE_FEATURES:
        return (uint32_t)(fake.offered >> (32 * fake.offered_select));
    case VIRTIO_STATUS:
        return fake.status;
    case VIRTIO_INTERRUPT_STATUS:
        return fake.interrupt;
    case VIRTIO_QUEUE_SIZE_MAX:
        return fake.queue < 2 ? 128 : 0;
    case VIRTIO_CONFIG_GENERATION:
        return fake.generation;
    }
    CHECK(!"a register that may not be read");
    return 0;
}

static void set_address(unsigned offset, uint32_t value)
{
    unsigned part = (offset - VIRTIO_QUEUE_DESCRIPTORS) / 16;
    uint64_t *address = &fake.address[fake.queue][part];
    if (offset & 4)
        *address = (*address & 0xffffffff) | (uint64_t)value << 32;
    else
        *address = (*address & ~0xfffffffful) | value;
    if (fake.queue_ready[fake.queue])
        fake.ready_before_address = true;
}

void register_write(uintptr_t base, unsigned offset, uint32_t value)
{
    (void)base;
    switch (offset) {
    case VIRTIO_DEVICE_FEATURES_SELECT:
        fake.offered_select = value;
        return;
    case VIRTIO_DRIVER_FEATURES_SELECT:
        fake.accepted_select = value;
        return;
    case VIRTIO_DRIVER_FEATURES:
        fake.accepted |= (uint64_t)value << (32 * fake.accepted_select);
        return;
    case VIRTIO_STATUS:
        if (fake.stuck && value == 0)
            return;
        if (fake.refuse_features)
            value &= ~(uint32_t)VIRTIO_STATUS_FEATURES_OK;
        fake.status = value;
        if (fake.history_count < 16)
            fake.history[fake.history_count++] = value;
        return;
    case VIRTIO_INTERRUPT_ACK:
        fake.interrupt &= ~value;
        return;
    case VIRTIO_QUEUE_SELECT:
        fake.queue = value;
        return;
    case VIRTIO_QUEUE_SIZE:
        fake.queue_size[fake.queue] = value;
        return;
    case VIRTIO_QUEUE_READY:
        fake.queue_ready[fake.queue] = value;
        return;
    case VIRTIO_QUEUE_NOTIFY:
        fake.notified = value;
        return;
    }
    if (offset >= VIRTIO_QUEUE_DESCRIPTORS && offset < VIRTIO_QUEUE_USED + 8)
        set_address(offset, value);
    else
        CHECK(!"a register that may not be written");
}

uint8_t register_read8(uintptr_t base, unsigned offset)
{
    (void)base;
    CHECK(offset >= VIRTIO_CONFIG && offset < VIRTIO_CONFIG + sizeof fake.config);
    if (++fake.config_reads % 3 == 0 && fake.changes > 0) {
        fake.changes--;
        fake.generation++;
        for (unsigned i = 0; i < sizeof fake.config; i++)
            fake.config[i]++;
    }
    return fake.config[offset - VIRTIO_CONFIG];
}

static void setup(void)
{
    memset(&fake, 0, sizeof fake);
    fake.magic = 0x74726976;
    fake.version = 2;
    fake.id = VIRTIO_ID_BLOCK;
    fake.offered = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | 1ul << 9 | 1ul << 5;
    fake.status = 0x0f;
}

static void test_probe(void)
{
    struct virtio_transport t;
    setup();
    CHECK(virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK) == 0);
    CHECK(fake.history[0] == 0 && fake.history[1] == 1 && fake.history[2] == 3);
    CHECK(virtio_probe(&t, 0x1000, VIRTIO_ID_NET) == -ENODEV);
    fake.version = 1;
    CHECK(virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK) == -ENODEV);
    fake.version = 2;
    fake.magic = 0;
    CHECK(virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK) == -ENODEV);
    setup();
    fake.stuck = true;
    CHECK(virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK) == -EIO);
}

static void test_features(void)
{
    struct virtio_transport t;
    setup();
    virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK);
    CHECK(virtio_negotiate(&t, 1ul << 9 | 1ul << 11) == 0);
    CHECK(t.features == (VIRTIO_F_VERSION_1 | 1ul << 9));
    CHECK(fake.accepted == t.features);
    CHECK(fake.status == (1 | 2 | 8));
    virtio_go(&t);
    CHECK(fake.status == (1 | 2 | 4 | 8));
    CHECK(!virtio_needs_reset(&t));
    fake.status |= VIRTIO_STATUS_NEEDS_RESET;
    CHECK(virtio_needs_reset(&t));

    setup();
    fake.offered = 1ul << 9; /* no VERSION_1 */
    virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK);
    CHECK(virtio_negotiate(&t, 1ul << 9) == -ENOTSUP);
    CHECK(fake.status & VIRTIO_STATUS_FAILED);

    setup();
    fake.refuse_features = true;
    virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK);
    CHECK(virtio_negotiate(&t, 1ul << 9) == -ENOTSUP);
    CHECK(fake.status & VIRTIO_STATUS_FAILED);
    CHECK(!(fake.status & VIRTIO_STATUS_DRIVER_OK));
}

static void test_queue(void)
{
    struct virtio_transport t;
    setup();
    virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK);
    CHECK(virtio_queue_max(&t, 1) == 128);
    CHECK(virtio_queue_max(&t, 2) == 0);
    virtio_queue_attach(&t, 1, 64, 0x123456789000, 0x2345678900, 0x34567890);
    CHECK(fake.queue_size[1] == 64 && fake.queue_ready[1] == 1 && fake.queue_ready[0] == 0);
    CHECK(fake.address[1][0] == 0x123456789000);
    CHECK(fake.address[1][1] == 0x2345678900);
    CHECK(fake.address[1][2] == 0x34567890);
    CHECK(!fake.ready_before_address);
    virtio_queue_notify(&t, 1);
    CHECK(fake.notified == 1);
    fake.interrupt = 3;
    CHECK(virtio_interrupt_status(&t) == 3);
    CHECK(fake.interrupt == 0);
    CHECK(virtio_interrupt_status(&t) == 0);
}

static void test_config(void)
{
    struct virtio_transport t;
    uint8_t bytes[8];
    setup();
    virtio_probe(&t, 0x1000, VIRTIO_ID_BLOCK);
    fake.changes = 3;
    CHECK(virtio_config_read(&t, 4, bytes, sizeof bytes) == 0);
    for (unsigned i = 0; i < sizeof bytes; i++)
        CHECK(bytes[i] == 3); /* all from the last generation */
    CHECK(fake.changes == 0);
    fake.changes = 1000000;
    CHECK(virtio_config_read(&t, 4, bytes, sizeof bytes) == -EIO);
}

int main(void)
{
    test_probe();
    test_features();
    test_queue();
    test_config();
    return check_summary();
}
