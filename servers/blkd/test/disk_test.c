/* Host test of blkd's scheduling: a device that finishes commands in any order, with a small
 * queue, and clients whose bytes must all arrive. */
#include "disk.h"

#include "abi/errno.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

enum { SECTORS = 512, SIZE = SECTORS * 512, QUEUE = 4, CLIENTS = 40 };

struct command {
    struct io *io;
    enum disk_command command;
    uint64_t sector;
    uint32_t count;
    uint8_t *data;
};

struct client {
    struct io io;
    uint8_t window[200000];
    int64_t result;
    unsigned finished;
    int copy_error;
};

static uint8_t medium[SIZE], bounces[DISK_BOUNCES * CHUNK_BYTES_MAX];
static uint8_t attached[CHUNK_BYTES_MAX];
static struct command queue[QUEUE];
static unsigned queued, queue_size, kicks, flushes, commands, most_queued;
static bool device_fails;
static struct disk disk;
static struct client clients[CLIENTS];

/* "Physical" addresses are offsets: bounce buffers from 0x100000, attached memory from 0x900000. */
static uint8_t *memory_at(uint64_t physical, uint32_t length)
{
    if (physical >= 0x900000) {
        CHECK(physical - 0x900000 + length <= sizeof attached);
        return attached + (physical - 0x900000);
    }
    CHECK(physical >= 0x100000 && physical - 0x100000 + length <= sizeof bounces);
    return bounces + (physical - 0x100000);
}

static int submit(struct disk *d, struct io *io, enum disk_command command, uint64_t sector,
                  uint32_t count, uint64_t physical)
{
    CHECK(d == &disk);
    if (queued == queue_size)
        return -ENOSPC;
    CHECK(sector <= SECTORS && count <= SECTORS - sector);
    uint8_t *data = command == DISK_FLUSH ? NULL : memory_at(physical, count * 512);
    queue[queued++] = (struct command){io, command, sector, count, data};
    most_queued = queued > most_queued ? queued : most_queued;
    commands++;
    return 0;
}

static void kick(struct disk *d)
{
    (void)d;
    kicks++;
}

static int copy_in(struct io *io, uint64_t offset, void *buffer, size_t length)
{
    struct client *c = io->owner;
    CHECK(offset + length <= sizeof c->window);
    memcpy(buffer, c->window + offset, length);
    return c->copy_error;
}

static int copy_out(struct io *io, uint64_t offset, const void *buffer, size_t length)
{
    struct client *c = io->owner;
    CHECK(offset + length <= sizeof c->window);
    memcpy(c->window + offset, buffer, length);
    return c->copy_error;
}

static void finish(struct disk *d, struct io *io, int64_t result)
{
    struct client *c = io->owner;
    (void)d;
    c->result = result;
    c->finished++;
}

static const struct disk_backend backend = {submit, kick, copy_in, copy_out, finish};

static void setup(void)
{
    memset(clients, 0, sizeof clients);
    disk = (struct disk){.backend = &backend,
                         .sectors = SECTORS,
                         .bounce_memory = bounces,
                         .bounce_physical = 0x100000};
    queued = kicks = flushes = commands = most_queued = 0;
    queue_size = QUEUE;
    device_fails = false;
    for (unsigned i = 0; i < SIZE; i++)
        medium[i] = (uint8_t)(i * 7 + i / 512);
}

/* The device finishes the n-th command that it has. */
static void device_finish(unsigned n)
{
    struct command c = queue[n];
    queue[n] = queue[--queued];
    uint8_t *at = medium + c.sector * 512;
    if (!device_fails && c.command == DISK_READ)
        memcpy(c.data, at, c.count * 512);
    else if (!device_fails && c.command == DISK_WRITE)
        memcpy(at, c.data, c.count * 512);
    else if (c.command == DISK_FLUSH)
        flushes++;
    disk_complete(&disk, c.io, !device_fails);
}

static void run_all(void)
{
    while (queued > 0) {
        device_finish((unsigned)rand() % queued);
        if (rand() % 3 == 0)
            disk_pump(&disk);
        if (queued == 0)
            disk_pump(&disk);
    }
    CHECK(!disk.waiting.first && !disk.active.first);
    CHECK(disk.bounces_used == 0 && disk.updates == 0);
}

static struct client *start(unsigned n, enum disk_command command, uint64_t position,
                            uint64_t length)
{
    struct client *c = &clients[n];
    c->finished = 0;
    c->result = -1;
    memset(&c->io, 0, offsetof(struct io, inline_data));
    c->io.command = command;
    c->io.position = position;
    c->io.remaining = length;
    c->io.owner = c;
    disk_start(&disk, &c->io);
    return c;
}

static void test_read(void)
{
    setup();
    struct client *c = start(0, DISK_READ, 1234, 150000);
    run_all();
    CHECK(c->finished == 1 && c->result == 150000);
    CHECK(memcmp(c->window, medium + 1234, 150000) == 0);
    CHECK(commands == 3); /* 64 KiB at most each */
}

static void test_write(void)
{
    static uint8_t expected[SIZE];
    setup();
    memcpy(expected, medium, SIZE);
    struct client *c = &clients[0];
    for (unsigned i = 0; i < sizeof c->window; i++)
        c->window[i] = (uint8_t)rand();
    memcpy(expected + 1000, c->window, 70001);
    start(0, DISK_WRITE, 1000, 70001);
    run_all();
    CHECK(c->finished == 1 && c->result == 70001);
    CHECK(memcmp(expected, medium, SIZE) == 0);
}

static void test_inline(void)
{
    setup();
    struct client *c = &clients[0];
    c->io = (struct io){
        .command = DISK_WRITE, .position = 510, .remaining = 4, .inline_length = 4, .owner = c};
    memcpy(c->io.inline_data, "abcd", 4);
    disk_start(&disk, &c->io);
    run_all();
    CHECK(c->result == 4 && memcmp(medium + 510, "abcd", 4) == 0);
    CHECK(medium[509] == (uint8_t)(509 * 7) && medium[514] == (uint8_t)(514 * 7 + 1));
}

static void test_direct(void)
{
    setup();
    struct client *c = &clients[0];
    c->io = (struct io){.command = DISK_READ,
                        .direct = true,
                        .physical = 0x900000 + 1024,
                        .position = 5 * 512,
                        .remaining = 2 * 512,
                        .owner = c};
    disk_start(&disk, &c->io);
    CHECK(disk.bounces_used == 0);
    run_all();
    CHECK(c->result == 1024 && memcmp(attached + 1024, medium + 5 * 512, 1024) == 0);
    memset(attached, 0x5a, sizeof attached);
    c->io = (struct io){.command = DISK_WRITE,
                        .direct = true,
                        .physical = 0x900000,
                        .position = 0,
                        .remaining = 65536,
                        .owner = c};
    disk_start(&disk, &c->io);
    run_all();
    CHECK(c->result == 65536 && memcmp(attached, medium, 65536) == 0);
}

static void test_flush(void)
{
    setup();
    struct client *c = start(0, DISK_FLUSH, 0, 0);
    CHECK(queued == 1 && kicks == 1);
    run_all();
    CHECK(c->finished == 1 && c->result == 0 && flushes == 1);
}

/* Clients own single bytes, interleaved, of the same few sectors; some others write whole sectors
 * beside them. No byte may be lost to another's read-modify-write. */
static void test_updates(void)
{
    enum { WRITERS = 32, ROUNDS = 300 };
    static uint8_t expected[SIZE];
    setup();
    memcpy(expected, medium, SIZE);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < WRITERS; i++) {
            unsigned at = 512 + i * 37 % 1536; /* three sectors; ranges never overlap: 37 > 36 */
            unsigned length = 1 + (unsigned)rand() % 36;
            if (i == WRITERS - 1) {
                at = 0; /* one whole sector and a piece of none */
                length = 512;
            }
            for (unsigned b = 0; b < length; b++)
                expected[at + b] = clients[i].window[b] = (uint8_t)rand();
            start(i, DISK_WRITE, at, length);
            if (rand() % 2 && queued)
                device_finish((unsigned)rand() % queued);
        }
        run_all();
        for (unsigned i = 0; i < WRITERS; i++)
            CHECK(clients[i].finished == 1 && clients[i].result > 0);
    }
    CHECK(memcmp(expected, medium, SIZE) == 0);
    CHECK(most_queued > 1);
}

/* A write of whole sectors is acknowledged while a read-modify-write of one of its sectors is
 * under way: the update must not bring the old bytes back. */
static void test_update_against_write(void)
{
    setup();
    struct client *update = &clients[0], *whole = &clients[1];
    update->window[0] = 0xaa;
    memset(whole->window, 0xbb, 1024);
    start(0, DISK_WRITE, 600, 1);
    CHECK(queued == 1 && queue[0].command == DISK_READ);
    start(1, DISK_WRITE, 512, 1024);
    CHECK(queued == 1); /* it waits */
    start(2, DISK_WRITE, 4096, 512);
    CHECK(queued == 2); /* others do not */
    run_all();
    CHECK(update->result == 1 && whole->result == 1024);
    for (unsigned i = 512; i < 1536; i++)
        CHECK(medium[i] == 0xbb);

    setup();
    memset(whole->window, 0xbb, 1024);
    start(1, DISK_WRITE, 512, 1024);
    start(0, DISK_WRITE, 600, 1);
    CHECK(queued == 1 && queue[0].command == DISK_WRITE);
    run_all();
    CHECK(medium[599] == 0xbb && medium[600] == 0 && medium[601] == 0xbb);
}

/* More requests than queue entries and bounce buffers: all are served, direct ones pass. */
static void test_pressure(void)
{
    setup();
    for (unsigned i = 0; i < CLIENTS; i++)
        start(i, DISK_READ, i * 512, 100000);
    CHECK(queued == QUEUE);
    run_all();
    for (unsigned i = 0; i < CLIENTS; i++) {
        CHECK(clients[i].finished == 1 && clients[i].result == 100000);
        CHECK(memcmp(clients[i].window, medium + i * 512, 100000) == 0);
    }
}

static void test_errors(void)
{
    setup();
    device_fails = true;
    CHECK(start(0, DISK_READ, 0, 512)->finished == 0);
    start(1, DISK_WRITE, 3, 1);
    start(2, DISK_FLUSH, 0, 0);
    run_all();
    for (unsigned i = 0; i < 3; i++)
        CHECK(clients[i].finished == 1 && clients[i].result == -EIO);
    CHECK(medium[3] == 21);

    setup(); /* an error behind the first chunk: a short read */
    struct client *c = start(0, DISK_READ, 0, 100000);
    device_finish(0);
    disk_pump(&disk);
    device_fails = true;
    run_all();
    CHECK(c->result == 65536);

    setup(); /* the caller's memory is bad, or the caller is gone */
    clients[0].copy_error = -EFAULT;
    clients[1].copy_error = -ESTALE;
    start(0, DISK_WRITE, 0, 512);
    CHECK(clients[0].result == -EFAULT && clients[0].finished == 1);
    start(1, DISK_READ, 0, 512);
    start(0, DISK_WRITE, 5, 5);
    run_all();
    CHECK(clients[1].result == -ESTALE && clients[0].result == -EFAULT);
    CHECK(medium[5] == 35);
}

static void test_fail(void)
{
    setup();
    for (unsigned i = 0; i < CLIENTS; i++)
        start(i, i & 1 ? DISK_READ : DISK_WRITE, i * 100, 300 + i);
    queued = 0; /* the device was reset */
    disk_fail(&disk);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK(clients[i].finished == 1 && clients[i].result == -EIO);
    CHECK(disk.bounces_used == 0 && disk.updates == 0);
    CHECK(!disk.waiting.first && !disk.active.first);
}

int main(void)
{
    srand(3);
    test_read();
    test_write();
    test_inline();
    test_direct();
    test_flush();
    test_updates();
    test_update_against_write();
    test_pressure();
    test_errors();
    test_fail();
    return check_summary();
}
