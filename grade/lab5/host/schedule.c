/* Plays the device and the clients around one disk's scheduler. Each line of input is a step; each
 * step prints what the scheduler did, and then a line with a dot.
 *
 *     medium HEX                what is on the disk
 *     room N                    commands that the device's queue holds
 *     start N r|w|f MODE POSITION LENGTH [HEX]   a request of client N; MODE: 0 through its window,
 *                               1 DMA to its memory, 2 bytes within the message
 *     spoil N ERROR             moving data between the window of N and the driver fails
 *     refuse N ERROR            the device's queue refuses commands of N with this error
 *     done PLACE OK             the device ends the command at this place of its queue (modulo)
 *     pump
 *     dump                      prints the medium, and what is left over in the scheduler
 *
 * A request is freed the moment it is finished, so that the address sanitizer sees who still uses
 * it. */
#include "blkd/disk.h"

#include "abi/errno.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS   4096
#define QUEUE_MAX 256
#define BOUNCE    0x40000000ul
#define DIRECT    0x80000000ul
#define WINDOW    (256 * 1024ul) /* bytes of each client's memory, in device addresses */

struct client {
    struct io *io;
    uint8_t *memory;
    size_t length;
    int copy_error, submit_error;
    unsigned finished;
};

struct command {
    struct io *io;
    enum disk_command command;
    uint64_t sector;
    uint32_t count;
    uint8_t *data;
};

static struct client clients[CLIENTS];
static struct command queue[QUEUE_MAX];
static unsigned queued, room;
static uint8_t *medium, *bounces;
static size_t medium_size;
static struct disk disk;

static unsigned number(const struct io *io)
{
    return (unsigned)((struct client *)io->owner - clients);
}

static void print_hex(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
}

static uint8_t *memory_at(uint64_t physical, size_t length)
{
    if (physical >= DIRECT) {
        uint64_t n = (physical - DIRECT) / WINDOW, offset = (physical - DIRECT) % WINDOW;
        if (n < CLIENTS && clients[n].memory && offset + length <= clients[n].length)
            return clients[n].memory + offset;
    } else if (physical >= BOUNCE && physical - BOUNCE + length <= DISK_BOUNCES * CHUNK_BYTES_MAX) {
        return bounces + (physical - BOUNCE);
    }
    return NULL;
}

static int submit(struct disk *d, struct io *io, enum disk_command command, uint64_t sector,
                  uint32_t count, uint64_t physical)
{
    static const char *const names[] = {"read", "write", "flush"};
    unsigned n = number(io);
    (void)d;
    if (clients[n].submit_error)
        return clients[n].submit_error;
    if (queued == room)
        return -ENOSPC;
    uint8_t *data = command == DISK_FLUSH ? NULL : memory_at(physical, count * 512ul);
    bool bad = command != DISK_FLUSH && (!data || sector + count > medium_size / 512);
    printf("submit %u %s %lu %u %s%s\n", n, names[command], (unsigned long)sector, count,
           physical >= DIRECT ? "direct" : "bounce", bad ? " out-of-range" : "");
    if (bad)
        return -EIO;
    queue[queued++] = (struct command){io, command, sector, count, data};
    return 0;
}

static void kick(struct disk *d)
{
    (void)d;
    printf("kick\n");
}

static int copy_in(struct io *io, uint64_t offset, void *buffer, size_t length)
{
    struct client *c = io->owner;
    if (c->copy_error || offset + length > c->length)
        return c->copy_error ? c->copy_error : -EFAULT;
    memcpy(buffer, c->memory + offset, length);
    return 0;
}

static int copy_out(struct io *io, uint64_t offset, const void *buffer, size_t length)
{
    struct client *c = io->owner;
    if (c->copy_error || offset + length > c->length)
        return c->copy_error ? c->copy_error : -EFAULT;
    memcpy(c->memory + offset, buffer, length);
    return 0;
}

static void finish(struct disk *d, struct io *io, int64_t result)
{
    struct client *c = io->owner;
    (void)d;
    printf("finish %u %ld ", number(io), (long)result);
    if (io->command == DISK_READ && result > 0)
        print_hex(c->memory, (size_t)result <= c->length ? (size_t)result : c->length);
    printf("\n");
    c->io = NULL;
    free(io);
}

static const struct disk_backend backend = {submit, kick, copy_in, copy_out, finish};

static uint8_t *read_hex(size_t *length)
{
    char *text;
    if (scanf("%ms", &text) != 1)
        exit(2);
    *length = strlen(text) / 2;
    uint8_t *bytes = malloc(*length ? *length : 1);
    for (size_t i = 0; i < *length; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    free(text);
    return bytes;
}

static void step_medium(void)
{
    free(medium);
    free(bounces);
    medium = read_hex(&medium_size);
    bounces = malloc(DISK_BOUNCES * CHUNK_BYTES_MAX);
    memset(bounces, 0xb0, DISK_BOUNCES * CHUNK_BYTES_MAX);
    disk = (struct disk){.backend = &backend,
                         .sectors = medium_size / 512,
                         .has_flush = true,
                         .bounce_memory = bounces,
                         .bounce_physical = BOUNCE};
    queued = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        free(clients[i].memory);
        free(clients[i].io);
    }
    memset(clients, 0, sizeof clients);
}

static void step_start(void)
{
    unsigned n, mode;
    char kind;
    unsigned long position, length;
    if (scanf("%u %c %u %lu %lu", &n, &kind, &mode, &position, &length) != 5 || n >= CLIENTS)
        exit(2);
    struct client *c = &clients[n];
    free(c->memory);
    c->memory = NULL;
    if (kind == 'w') {
        c->memory = read_hex(&c->length);
    } else {
        c->memory = calloc(length ? length : 1, 1);
        c->length = length;
    }
    struct io *io = calloc(1, sizeof *io);
    io->command = kind == 'w' ? DISK_WRITE : kind == 'r' ? DISK_READ : DISK_FLUSH;
    io->direct = mode == 1;
    io->physical = mode == 1 ? DIRECT + n * WINDOW : 0xdead0000ul;
    io->position = position;
    io->remaining = length;
    io->owner = c;
    if (mode == 2) {
        io->inline_length = (uint16_t)length;
        memcpy(io->inline_data, c->memory, length);
        memset(c->memory, 0xcc, length);
    }
    c->io = io;
    disk_start(&disk, io);
}

static void step_done(void)
{
    unsigned place, ok;
    if (scanf("%u %u", &place, &ok) != 2)
        exit(2);
    if (queued == 0)
        return;
    place %= queued;
    struct command c = queue[place];
    queue[place] = queue[--queued];
    uint8_t *at = medium + c.sector * 512;
    printf("done %u\n", number(c.io));
    if (ok && c.command == DISK_READ)
        memcpy(c.data, at, c.count * 512ul);
    else if (ok && c.command == DISK_WRITE)
        memcpy(at, c.data, c.count * 512ul);
    disk_complete(&disk, c.io, ok);
}

static void step_error(bool copy)
{
    unsigned n;
    int error;
    if (scanf("%u %d", &n, &error) != 2 || n >= CLIENTS)
        exit(2);
    *(copy ? &clients[n].copy_error : &clients[n].submit_error) = error;
}

static void step_dump(void)
{
    printf("medium ");
    print_hex(medium, medium_size);
    printf("\nleft %s%s%s %u %u\n", disk.waiting.first ? "waiting" : "",
           disk.active.first ? "active" : "",
           disk.waiting.first || disk.active.first ? "" : "nothing", disk.bounces_used,
           disk.updates);
}

int main(void)
{
    char word[16];
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    while (scanf("%15s", word) == 1) {
        if (strcmp(word, "medium") == 0)
            step_medium();
        else if (strcmp(word, "start") == 0)
            step_start();
        else if (strcmp(word, "done") == 0)
            step_done();
        else if (strcmp(word, "pump") == 0)
            disk_pump(&disk);
        else if (strcmp(word, "dump") == 0)
            step_dump();
        else if (strcmp(word, "spoil") == 0 || strcmp(word, "refuse") == 0)
            step_error(word[0] == 's');
        else if (strcmp(word, "room") != 0 || scanf("%u", &room) != 1)
            return 2;
        printf(".\n");
    }
    return 0;
}
