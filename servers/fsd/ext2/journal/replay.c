/* Replay: what a crash has left in the log goes home.
 *
 * Three passes over the log. The first finds where it ends: at the first transaction without a
 * commit block. The second, over whole transactions only, collects the revocations, and checks
 * all that the third will rely on, so that a log that makes no sense changes nothing. The third
 * copies the blocks, older ones first, into the cache; a crash in between is met by doing it all
 * again.
 *
 * Sequence numbers wrap around; `later` compares them. */
#include "../fs.h"
#include "crc32c.h"
#include "journal.h"
#include <string.h>

struct revocation {
    uint32_t block, sequence; /* the latest transaction that revokes it */
};

struct replay {
    uint32_t position; /* in the log */
    uint32_t sequence; /* of the transaction there */
    uint32_t end;      /* that of the first one that is not whole; known behind the first pass */
    uint32_t steps;    /* blocks that the first pass may still look at: then it has seen them all */
    uint32_t low, high; /* the journal lies in these disk blocks, perhaps with gaps */
    struct revocation *revocations;
    uint32_t count, room;
};

/* What a pass does with the blocks of a transaction; -errno ends it. */
struct pass {
    int (*descriptor)(struct ext2 *fs, struct replay *replay, const uint8_t *block);
    int (*revoke)(struct ext2 *fs, struct replay *replay, const uint8_t *block);
};

static bool later(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

static int log_get(struct ext2 *fs, uint32_t position, struct buffer **buffer)
{
    const struct journal *journal = &fs->journal;
    const uint32_t block = journal->map[position];
    uint32_t ahead = CACHE_RUN_BYTES >> fs->block_bits;
    *buffer = cache_find(fs, block);
    if (*buffer)
        return 0;
    if (ahead > journal->length - position)
        ahead = journal->length - position;
    cache_read_ahead(fs, block, ahead);
    return cache_get(fs, block, buffer);
}

static void skip(const struct journal *journal, struct replay *replay, uint32_t blocks)
{
    const uint32_t size = journal->length - journal->first;
    replay->position = journal->first + (replay->position - journal->first + blocks) % size;
}

/* ---- Blocks of the log -------------------------------------------------------------------- */

struct tag {
    uint32_t block, block_high, flags, checksum;
};

/* Reads the tag at *offset and moves behind it; false: there is none. */
static bool tag_next(const struct ext2 *fs, const uint8_t *block, uint32_t *offset, struct tag *tag)
{
    const struct journal *journal = &fs->journal;
    const uint32_t end = fs->block_size - journal_tail_size(journal);
    const uint32_t size = journal_tag_size(journal);
    if (*offset + size > end)
        return false;
    if (journal->checksums) {
        const struct journal_tag_3 *disk = (const struct journal_tag_3 *)(block + *offset);
        *tag = (struct tag){from_be(disk->block), from_be(disk->block_high), from_be(disk->flags),
                            from_be(disk->checksum)};
    } else {
        const struct journal_tag *disk = (const struct journal_tag *)(block + *offset);
        *tag = (struct tag){.block = from_be(disk->block),
                            .block_high = journal->wide ? from_be(disk->block_high) : 0,
                            .flags = __builtin_bswap16(disk->flags)};
    }
    *offset += size + (tag->flags & JOURNAL_TAG_SAME_UUID ? 0 : JOURNAL_UUID_SIZE);
    if (tag->flags & JOURNAL_TAG_LAST)
        *offset = end;
    return true;
}

/* How many blocks of the log follow this descriptor. */
static uint32_t tag_count(const struct ext2 *fs, const uint8_t *block)
{
    uint32_t count = 0, offset = sizeof(struct journal_header);
    struct tag tag;
    while (tag_next(fs, block, &offset, &tag))
        count++;
    return count;
}

static bool checksum_right(const struct ext2 *fs, const uint8_t *block, size_t offset)
{
    uint32_t stored;
    if (!fs->journal.checksums)
        return true;
    memcpy(&stored, block + offset, sizeof stored);
    return from_be(stored) == journal_checksum(fs, block, offset);
}

/* The type of this block if it belongs to the transaction, else 0. */
static uint32_t type_of(const struct ext2 *fs, const uint8_t *block, uint32_t sequence)
{
    const struct journal_header *header = (const struct journal_header *)block;
    if (header->magic != to_be(JOURNAL_MAGIC) || header->sequence != to_be(sequence))
        return 0;
    const uint32_t type = from_be(header->type);
    const size_t checksum = type == JOURNAL_COMMIT
                                ? __builtin_offsetof(struct journal_commit, checksum)
                                : fs->block_size - JOURNAL_TAIL_SIZE;
    return checksum_right(fs, block, checksum) ? type : 0;
}

/* ---- Walking ---------------------------------------------------------------------------- */

static void pass_begin(struct ext2 *fs, struct replay *replay)
{
    replay->position = from_be(fs->journal.super->start);
    replay->sequence = fs->journal.sequence;
}

/* exercise 6.12 */
/* One block of the log that is not a copy. 1: go on, 0: the log ends here. */
static int step(struct ext2 *fs, struct replay *replay, const struct pass *pass)
{
    struct buffer *buffer;
    uint32_t blocks = 1;
    int error = log_get(fs, replay->position, &buffer);
    if (error)
        return error;
    const uint32_t type = type_of(fs, buffer->data, replay->sequence);
    if (type == JOURNAL_DESCRIPTOR) {
        blocks += tag_count(fs, buffer->data);
        if (pass->descriptor)
            error = pass->descriptor(fs, replay, buffer->data);
    } else if (type == JOURNAL_REVOKE && pass->revoke) {
        error = pass->revoke(fs, replay, buffer->data);
    }
    cache_release(buffer);
    if (error)
        return error;
    if (type != JOURNAL_DESCRIPTOR && type != JOURNAL_REVOKE && type != JOURNAL_COMMIT)
        return 0;
    if (blocks > replay->steps)
        return 0;
    replay->steps -= blocks;
    replay->sequence += type == JOURNAL_COMMIT;
    skip(&fs->journal, replay, blocks);
    return 1;
}

/* First pass: `end` becomes the number of the first transaction that is not whole. */
static int find_end(struct ext2 *fs, struct replay *replay)
{
    static const struct pass pass = {NULL, NULL};
    int result;
    pass_begin(fs, replay);
    replay->steps = fs->journal.length - fs->journal.first;
    do
        result = step(fs, replay, &pass);
    while (result > 0);
    replay->end = replay->sequence;
    return result;
}
/* end 6.12 */

static int walk(struct ext2 *fs, struct replay *replay, const struct pass *pass)
{
    pass_begin(fs, replay);
    replay->steps = fs->journal.length - fs->journal.first;
    while (replay->sequence != replay->end) {
        int result = step(fs, replay, pass);
        if (result <= 0)
            return result ? result : -EIO;
    }
    return 0;
}

/* ---- Revocations ------------------------------------------------------------------------ */

static struct revocation *revocation_find(const struct replay *replay, uint32_t block)
{
    uint32_t mask = replay->room - 1, at = block * 2654435769u;
    for (at ^= at >> 15;; at++) {
        struct revocation *revocation = &replay->revocations[at & mask];
        if (!revocation->block || revocation->block == block)
            return revocation;
    }
}

static bool revoked(const struct replay *replay, uint32_t block)
{
    if (!replay->count)
        return false;
    const struct revocation *revocation = revocation_find(replay, block);
    return revocation->block && !later(replay->sequence, revocation->sequence);
}

/* Calls `act` for each block that a revoke block names. */
static int for_each_revoked(struct ext2 *fs, struct replay *replay, const uint8_t *block,
                            int (*act)(struct ext2 *fs, struct replay *replay, uint32_t number))
{
    const uint32_t size = fs->journal.wide ? 8 : 4;
    const uint32_t bytes = from_be(((const struct journal_revoke *)block)->bytes);
    if (bytes < sizeof(struct journal_revoke) ||
        bytes > fs->block_size - journal_tail_size(&fs->journal))
        return -EIO;
    for (uint32_t at = sizeof(struct journal_revoke); at + size <= bytes; at += size) {
        uint32_t number;
        memcpy(&number, block + at + size - sizeof number, sizeof number);
        int error = act(fs, replay, from_be(number));
        if (error)
            return error;
    }
    return 0;
}

static int count_one(struct ext2 *fs, struct replay *replay, uint32_t block)
{
    replay->count++;
    return !block || block < fs->first_block || block >= fs->blocks ? -EIO : 0;
}

static int note_one(struct ext2 *fs, struct replay *replay, uint32_t block)
{
    (void)fs;
    struct revocation *revocation = revocation_find(replay, block);
    *revocation = (struct revocation){block, replay->sequence};
    return 0;
}

static int count_revocations(struct ext2 *fs, struct replay *replay, const uint8_t *block)
{
    return for_each_revoked(fs, replay, block, count_one);
}

static int note_revocations(struct ext2 *fs, struct replay *replay, const uint8_t *block)
{
    return for_each_revoked(fs, replay, block, note_one);
}

/* ---- Checking and copying ---------------------------------------------------------------- */

/* May a replay write there? Everywhere but outside the file system and into the journal. */
static bool target_valid(const struct ext2 *fs, const struct replay *replay, const struct tag *tag)
{
    const struct journal *journal = &fs->journal;
    if (tag->block_high || tag->block < fs->first_block || tag->block >= fs->blocks)
        return false;
    if (tag->block < replay->low || tag->block > replay->high)
        return true;
    for (uint32_t i = 0; i < journal->length; i++)
        if (journal->map[i] == tag->block)
            return false;
    return true;
}

/* Calls `act` for each block that a descriptor names, with the buffer of its copy in the log. */
static int for_each_copy(struct ext2 *fs, struct replay *replay, const uint8_t *descriptor,
                         int (*act)(struct ext2 *fs, const struct replay *replay,
                                    const struct tag *tag, const uint8_t *copy))
{
    uint32_t offset = sizeof(struct journal_header), position = replay->position;
    struct tag tag;
    while (tag_next(fs, descriptor, &offset, &tag)) {
        struct buffer *copy;
        position = log_next(&fs->journal, position);
        int error = log_get(fs, position, &copy);
        if (error)
            return error;
        error = act(fs, replay, &tag, copy->data);
        cache_release(copy);
        if (error)
            return error;
    }
    return 0;
}

static int check_copy(struct ext2 *fs, const struct replay *replay, const struct tag *tag,
                      const uint8_t *copy)
{
    if (!target_valid(fs, replay, tag))
        return -EIO;
    if (fs->journal.checksums && tag->checksum != journal_data_checksum(fs, replay->sequence, copy))
        return -EIO;
    return 0;
}

static int write_copy(struct ext2 *fs, const struct replay *replay, const struct tag *tag,
                      const uint8_t *copy)
{
    static const uint32_t magic = __builtin_bswap32(JOURNAL_MAGIC);
    struct buffer *home;
    if (revoked(replay, tag->block))
        return 0;
    int error = cache_take(fs, tag->block, &home);
    if (error)
        return error;
    memcpy(home->data, copy, fs->block_size);
    if (tag->flags & JOURNAL_TAG_ESCAPED)
        memcpy(home->data, &magic, sizeof magic);
    cache_dirty(fs, home);
    cache_release(home);
    return 0;
}

static int check_descriptor(struct ext2 *fs, struct replay *replay, const uint8_t *block)
{
    return for_each_copy(fs, replay, block, check_copy);
}

static int write_descriptor(struct ext2 *fs, struct replay *replay, const uint8_t *block)
{
    return for_each_copy(fs, replay, block, write_copy);
}

/* ---- The whole -------------------------------------------------------------------------- */

static int revocations_collect(struct ext2 *fs, struct replay *replay,
                               const struct ext2_options *options)
{
    static const struct pass note = {NULL, note_revocations};
    if (!replay->count)
        return 0;
    replay->room = 64;
    while (replay->room < 2 * replay->count)
        replay->room *= 2;
    replay->revocations = options->allocate(replay->room * sizeof *replay->revocations);
    if (!replay->revocations)
        return -ENOMEM;
    memset(replay->revocations, 0, replay->room * sizeof *replay->revocations);
    return walk(fs, replay, &note);
}

static int replay_all(struct ext2 *fs, struct replay *replay, const struct ext2_options *options)
{
    static const struct pass check = {check_descriptor, count_revocations};
    static const struct pass write = {write_descriptor, NULL};
    int error = find_end(fs, replay);
    if (!error)
        error = walk(fs, replay, &check);
    if (!error)
        error = revocations_collect(fs, replay, options);
    if (!error)
        error = walk(fs, replay, &write);
    return error;
}

int journal_replay(struct ext2 *fs, const struct ext2_options *options)
{
    struct journal *journal = &fs->journal;
    struct replay replay = {.low = UINT32_MAX};
    if (!journal->super->start)
        return 0;
    for (uint32_t i = 0; i < journal->length; i++) {
        replay.low = journal->map[i] < replay.low ? journal->map[i] : replay.low;
        replay.high = journal->map[i] > replay.high ? journal->map[i] : replay.high;
    }
    int error = replay_all(fs, &replay, options);
    if (replay.revocations)
        options->release(replay.revocations);
    if (!error)
        error = cache_flush(fs);
    if (error)
        return error;
    journal->sequence = replay.end + 1; /* what is behind the end must not continue the new log */
    error = journal_tail_write(fs, 0);
    return error ? error : device_flush(fs);
}
