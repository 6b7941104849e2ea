/* A log of writes and flushes. It ends with the process: nothing is kept back in a buffer. */
#include "record.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECTOR 512u
#define MAGIC  0x6a736677736872u

enum { FLUSH = 1 };

static int file = -1;
static uint64_t length;

static void put(const void *bytes, size_t size)
{
    if (write(file, bytes, size) != (ssize_t)size) {
        perror("the log of writes");
        exit(5);
    }
    length += size;
}

void record_begin(const char *path)
{
    const union {
        struct {
            uint64_t magic, version, entries;
            uint32_t sector;
        } fields;
        uint8_t bytes[SECTOR];
    } super = {{MAGIC, 1, 0, SECTOR}};
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    length = 0;
    put(&super, sizeof super);
}

static void entry(uint64_t sector, uint64_t count, uint64_t flags)
{
    const uint64_t fields[SECTOR / sizeof(uint64_t)] = {sector, count, flags};
    put(fields, sizeof fields);
}

void record_write(uint64_t offset, const void *buffer, uint32_t bytes)
{
    if (file < 0)
        return;
    entry(offset / SECTOR, bytes / SECTOR, 0);
    put(buffer, bytes);
}

void record_flush(void)
{
    if (file >= 0)
        entry(0, 0, FLUSH);
}

uint64_t record_length(void) { return length; }
