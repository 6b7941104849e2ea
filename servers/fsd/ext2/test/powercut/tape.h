/* A disk that remembers every write and flush, and shows itself as a power cut at any of them
 * could have left it.
 *
 * What was written before the last flush is on the medium. What was written after it is in the
 * disk's own memory, from where any part may have reached the medium, in any order: whole writes
 * are missing, later ones are there without earlier ones, and of a long one some sectors are new
 * and some old. A sector (512 bytes) is old or new, never a mixture. */
#pragma once

#include "../image.h"
#include <stdbool.h>

struct tape_entry {
    uint64_t offset;
    uint32_t length; /* 0: a flush */
    size_t at;       /* where its bytes are in `bytes` */
};

struct tape {
    struct image image; /* first: a device is its tape; always as if nothing were ever lost */
    uint8_t *start;     /* the disk at tape_begin */
    struct tape_entry *entries;
    size_t count, room;
    uint8_t *bytes;
    size_t used, size;
    bool off; /* the power is off: what is written from now on is lost */
    int (*write)(struct block_device *device, uint64_t offset, const void *buffer, uint32_t length);
};

/* tape_begin: takes a copy of the image. tape_end frees everything. */
void tape_begin(struct tape *tape, const struct image *image);
void tape_end(struct tape *tape);

/* A cut: behind this many entries. seed 0: all of them have reached the medium; else what has
 * not been flushed is lost, mixed up and torn as the seed says. */
struct cut {
    size_t end;
    uint64_t seed;
};

/* Shows the disk after cuts, which must come in the order of their ends. */
struct player {
    const struct tape *tape;
    uint8_t *medium; /* everything up to the last flush before `position` */
    size_t position; /* the first entry behind that flush */
};

void player_begin(struct player *player, const struct tape *tape);
void player_end(struct player *player);
void player_show(struct player *player, const struct cut *cut, uint8_t *bytes);
