/* The tape: a block device over an image in memory, and the disks that can be made from it. */
#include "tape.h"
#include "../random.h"
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

/* ---- Recording -------------------------------------------------------------------------- */

static struct tape_entry *entry_add(struct tape *tape)
{
    if (tape->count == tape->room) {
        tape->room = tape->room ? tape->room * 2 : 1024;
        tape->entries = realloc(tape->entries, tape->room * sizeof *tape->entries);
    }
    tape->entries[tape->count] = (struct tape_entry){.at = tape->used};
    return &tape->entries[tape->count++];
}

static int tape_write(struct block_device *device, uint64_t offset, const void *buffer,
                      uint32_t length)
{
    struct tape *tape = (struct tape *)device;
    if (tape->off)
        return 0;
    struct tape_entry *entry = entry_add(tape);
    entry->offset = offset;
    entry->length = length;
    if (tape->used + length > tape->size) {
        tape->size = 2 * (tape->used + length);
        tape->bytes = realloc(tape->bytes, tape->size);
    }
    memcpy(tape->bytes + tape->used, buffer, length);
    tape->used += length;
    return tape->write(device, offset, buffer, length);
}

static int tape_flush(struct block_device *device)
{
    struct tape *tape = (struct tape *)device;
    if (!tape->off)
        entry_add(tape);
    return 0;
}

void tape_begin(struct tape *tape, const struct image *image)
{
    *tape = (struct tape){.image = *image, .write = image->device.write};
    tape->image.bytes = malloc(image->size);
    tape->start = malloc(image->size);
    memcpy(tape->image.bytes, image->bytes, image->size);
    memcpy(tape->start, image->bytes, image->size);
    tape->image.device.write = tape_write;
    tape->image.device.flush = tape_flush;
}

void tape_end(struct tape *tape)
{
    image_free(&tape->image);
    free(tape->start);
    free(tape->entries);
    free(tape->bytes);
}

/* ---- Playing ---------------------------------------------------------------------------- */

void player_begin(struct player *player, const struct tape *tape)
{
    *player = (struct player){.tape = tape, .medium = malloc(tape->image.size)};
    memcpy(player->medium, tape->start, tape->image.size);
}

void player_end(struct player *player) { free(player->medium); }

static void put(const struct tape *tape, const struct tape_entry *entry, uint8_t *bytes)
{
    memcpy(bytes + entry->offset, tape->bytes + entry->at, entry->length);
}

static bool happens(uint64_t *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

/* A write of which some sectors have not reached the medium. */
static void put_torn(const struct tape *tape, const struct tape_entry *entry, uint8_t *bytes,
                     uint64_t *random)
{
    const uint32_t percent = random_below(random, 100);
    for (uint32_t at = 0; at < entry->length; at += SECTOR)
        if (happens(random, percent))
            memcpy(bytes + entry->offset + at, tape->bytes + entry->at + at, SECTOR);
}

/* What has not been flushed, in any order. How much of it arrives, and how much in parts, is
 * drawn for each state: nearly all, half or hardly any. */
static void put_some(const struct tape *tape, const struct tape_entry *entries, size_t count,
                     uint8_t *bytes, uint64_t seed)
{
    static const uint32_t percents[] = {3, 50, 97};
    uint64_t random = seed;
    const uint32_t arrives = percents[random_below(&random, 3)];
    const uint32_t torn = percents[random_below(&random, 2)];
    size_t *order = malloc((count + 1) * sizeof *order);
    for (size_t i = 0; i < count; i++) {
        size_t other = random_below(&random, (uint32_t)i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < count; i++) {
        const struct tape_entry *entry = &entries[order[i]];
        if (!happens(&random, arrives))
            continue;
        if (happens(&random, torn))
            put_torn(tape, entry, bytes, &random);
        else
            put(tape, entry, bytes);
    }
    free(order);
}

void player_show(struct player *player, const struct cut *cut, uint8_t *bytes)
{
    const struct tape *tape = player->tape;
    size_t flush = cut->end;
    while (flush > player->position && tape->entries[flush - 1].length)
        flush--;
    for (; player->position < flush; player->position++)
        put(tape, &tape->entries[player->position], player->medium);
    memcpy(bytes, player->medium, tape->image.size);
    if (cut->seed)
        put_some(tape, tape->entries + flush, cut->end - flush, bytes, cut->seed);
    else
        for (size_t i = flush; i < cut->end; i++)
            put(tape, &tape->entries[i], bytes);
}
