/* The running transaction and its commit. Invariant: what it has joined is not on its way home
 * (cache.running_list, not the dirty list); what it has freed is still taken in the bitmaps; it
 * never takes more than journal.limit blocks of the log, and so many are available. */
#include "../alloc.h"
#include "../fs.h"
#include "journal.h"
#include <string.h>

/* ---- Room ------------------------------------------------------------------------------- */

static uint32_t tags_per_block(const struct ext2 *fs)
{
    const struct journal *journal = &fs->journal;
    return (fs->block_size - (uint32_t)sizeof(struct journal_header) - JOURNAL_UUID_SIZE -
            journal_tail_size(journal)) /
           journal_tag_size(journal);
}

static uint32_t revokes_per_block(const struct ext2 *fs)
{
    const struct journal *journal = &fs->journal;
    return (fs->block_size - (uint32_t)sizeof(struct journal_revoke) - journal_tail_size(journal)) /
           (journal->wide ? 8 : 4);
}

static uint32_t divide_up(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

/* Blocks of the log: the copies, their descriptors, revoke blocks, the commit block. */
static uint32_t size_of(const struct ext2 *fs, uint32_t copies, uint32_t revoked)
{
    return copies + divide_up(copies, tags_per_block(fs)) +
           divide_up(revoked, revokes_per_block(fs)) + 1;
}

bool journal_room(const struct ext2 *fs, uint32_t blocks)
{
    const struct journal *journal = &fs->journal;
    const uint32_t copies = fs->cache.running + blocks;
    return size_of(fs, copies, journal->revoked + blocks) <= journal->limit &&
           copies <= fs->cache.count / 2 && /* the others can be replaced */
           journal->freed_count + blocks <= JOURNAL_FREED_MAX;
}

/* An operation that finds the disk full could not wait for the freed blocks: it has begun. So
 * they are made free before it begins when there might not be enough others. */
bool journal_holds_blocks(const struct ext2 *fs)
{
    return fs->journal.freed_blocks && blocks_available(fs) < TRANSACTION_BLOCKS;
}

int journal_reserve(struct ext2 *fs)
{
    if (journal_room(fs, TRANSACTION_BLOCKS) && !journal_holds_blocks(fs))
        return 0;
    return journal_commit(fs);
}

/* ---- Freeing ---------------------------------------------------------------------------- */

void journal_free(struct ext2 *fs, uint32_t block, bool metadata)
{
    struct journal *journal = &fs->journal;
    struct freed *last = journal->freed_count ? &journal->freed[journal->freed_count - 1] : NULL;
    journal->freed_blocks++;
    journal->revoked += metadata;
    if (last && last->metadata == metadata && block == last->block + last->count) {
        last->count++;
    } else if (last && last->metadata == metadata && block + 1 == last->block) {
        last->block--; /* files are freed from the back */
        last->count++;
    } else {
        journal->freed[journal->freed_count++] = (struct freed){block, 1, metadata};
    }
}

void journal_mark(const struct ext2 *fs, struct journal_mark *mark)
{
    const struct journal *journal = &fs->journal;
    const uint32_t count = journal->freed_count;
    *mark = (struct journal_mark){
        .count = count, .blocks = journal->freed_blocks, .revoked = journal->revoked};
    if (count)
        mark->last = journal->freed[count - 1];
}

void journal_undo(struct ext2 *fs, const struct journal_mark *mark)
{
    struct journal *journal = &fs->journal;
    journal->freed_count = mark->count;
    journal->freed_blocks = mark->blocks;
    journal->revoked = mark->revoked;
    if (mark->count)
        journal->freed[mark->count - 1] = mark->last;
}

/* The bitmaps and descriptors have joined the transaction when the blocks were freed. */
static int free_all(struct ext2 *fs)
{
    const struct journal *journal = &fs->journal;
    for (uint32_t i = 0; i < journal->freed_count; i++) {
        const struct freed *freed = &journal->freed[i];
        for (uint32_t block = freed->block; block - freed->block < freed->count; block++) {
            int error = block_release(fs, block);
            if (error)
                return error;
        }
    }
    return 0;
}

/* ---- Writing the log --------------------------------------------------------------------- */

int log_write(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    const uint32_t count = journal->gathered;
    journal->gathered = 0;
    journal->blocks_logged += count;
    return count ? device_write(fs, journal->gathered_at, fs->cache.bounce, count) : 0;
}

uint8_t *log_append(struct ext2 *fs, const void *block)
{
    struct journal *journal = &fs->journal;
    const uint32_t to = journal->map[journal->at];
    if (journal->gathered && (journal->gathered == CACHE_RUN_BYTES >> fs->block_bits ||
                              to != journal->gathered_at + journal->gathered)) {
        if (log_write(fs))
            return NULL;
    }
    if (!journal->gathered)
        journal->gathered_at = to;
    uint8_t *copy = fs->cache.bounce + ((size_t)journal->gathered++ << fs->block_bits);
    memcpy(copy, block, fs->block_size);
    journal->at = log_next(journal, journal->at);
    return copy;
}

/* A block of the journal's own, empty but for its header, in `scratch`. */
static void *own_block(struct ext2 *fs, enum journal_block_type type)
{
    struct journal *journal = &fs->journal;
    memset(journal->scratch, 0, fs->block_size);
    *(struct journal_header *)journal->scratch = (struct journal_header){
        .magic = to_be(JOURNAL_MAGIC), .type = to_be(type), .sequence = to_be(journal->sequence)};
    return journal->scratch;
}

static int append_with_tail(struct ext2 *fs)
{
    const struct journal *journal = &fs->journal;
    if (journal->checksums) {
        const size_t offset = fs->block_size - JOURNAL_TAIL_SIZE;
        uint32_t checksum = to_be(journal_checksum(fs, journal->scratch, offset));
        memcpy(journal->scratch + offset, &checksum, sizeof checksum);
    }
    return log_append(fs, journal->scratch) ? 0 : -EIO;
}

static bool must_escape(const struct buffer *buffer)
{
    return *(const uint32_t *)buffer->data == to_be(JOURNAL_MAGIC);
}

static void escape(uint8_t *copy) { memset(copy, 0, sizeof(uint32_t)); }

/* The checksum of a block as it will be in the log. */
static uint32_t logged_checksum(struct ext2 *fs, struct buffer *buffer)
{
    if (!must_escape(buffer))
        return journal_data_checksum(fs, fs->journal.sequence, buffer->data);
    uint32_t first = *(uint32_t *)buffer->data;
    escape(buffer->data);
    uint32_t crc = journal_data_checksum(fs, fs->journal.sequence, buffer->data);
    *(uint32_t *)buffer->data = first;
    return crc;
}

static void tag_put(struct ext2 *fs, uint8_t *at, struct buffer *buffer, uint32_t flags)
{
    const struct journal *journal = &fs->journal;
    if (must_escape(buffer))
        flags |= JOURNAL_TAG_ESCAPED;
    if (journal->checksums) {
        *(struct journal_tag_3 *)at =
            (struct journal_tag_3){.block = to_be(buffer->block),
                                   .flags = to_be(flags),
                                   .checksum = to_be(logged_checksum(fs, buffer))};
    } else { /* the block's upper half, if there is one, is 0 already */
        struct journal_tag *tag = (struct journal_tag *)at;
        tag->block = to_be(buffer->block);
        tag->flags = __builtin_bswap16((uint16_t)flags);
    }
}

/* One descriptor for `count` buffers from `first` on, and behind it the buffers. Only the first
 * tag carries the UUID. Result: the first buffer that is left. */
/* exercise 6.10 */
static struct buffer *log_buffers(struct ext2 *fs, struct buffer *first, uint32_t count)
{
    const struct journal *journal = &fs->journal;
    uint8_t *at = (uint8_t *)own_block(fs, JOURNAL_DESCRIPTOR) + sizeof(struct journal_header);
    struct buffer *buffer = first;
    for (uint32_t i = 0; i < count; i++, buffer = buffer->dirty_next) {
        tag_put(fs, at, buffer,
                (i > 0 ? JOURNAL_TAG_SAME_UUID : 0) | (i + 1 == count ? JOURNAL_TAG_LAST : 0));
        at += journal_tag_size(journal);
        if (i == 0) {
            memcpy(at, journal->super->uuid, JOURNAL_UUID_SIZE);
            at += JOURNAL_UUID_SIZE;
        }
    }
    if (append_with_tail(fs))
        return NULL;
    buffer = first;
    for (uint32_t i = 0; i < count; i++, buffer = buffer->dirty_next) {
        uint8_t *copy = log_append(fs, buffer->data);
        if (!copy)
            return NULL;
        if (must_escape(buffer))
            escape(copy);
    }
    return buffer;
}
/* end 6.10 */

int log_all_buffers(struct ext2 *fs)
{
    struct buffer *next = fs->cache.running_list.dirty_next;
    for (uint32_t left = fs->cache.running; left > 0;) {
        const uint32_t most = tags_per_block(fs), count = left < most ? left : most;
        next = log_buffers(fs, next, count);
        if (!next)
            return -EIO;
        left -= count;
    }
    return 0;
}

static int revoke_block_append(struct ext2 *fs, uint32_t bytes)
{
    ((struct journal_revoke *)fs->journal.scratch)->bytes = to_be(bytes);
    return append_with_tail(fs);
}

/* All of the transaction's, of which there is at least one. */
/* exercise 6.13 */
static int log_revocations(struct ext2 *fs)
{
    const struct journal *journal = &fs->journal;
    const uint32_t size = journal->wide ? 8 : 4;
    const uint32_t full = (uint32_t)sizeof(struct journal_revoke) + revokes_per_block(fs) * size;
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < journal->freed_count; i++) {
        const struct freed *freed = &journal->freed[i];
        for (uint32_t n = 0; freed->metadata && n < freed->count; n++) {
            if (bytes == full && revoke_block_append(fs, bytes))
                return -EIO;
            if (bytes == 0 || bytes == full) {
                own_block(fs, JOURNAL_REVOKE);
                bytes = sizeof(struct journal_revoke);
            }
            uint32_t block = to_be(freed->block + n);
            memcpy(journal->scratch + bytes + size - sizeof block, &block, sizeof block);
            bytes += size;
        }
    }
    return revoke_block_append(fs, bytes);
}
/* end 6.13 */

static int log_commit_block(struct ext2 *fs)
{
    struct journal_commit *commit = own_block(fs, JOURNAL_COMMIT);
    commit->seconds = to_be(fs->now);
    if (fs->journal.checksums)
        commit->checksum[0] = to_be(journal_checksum(
            fs, fs->journal.scratch, __builtin_offsetof(struct journal_commit, checksum)));
    return log_append(fs, commit) ? log_write(fs) : -EIO;
}

/* ---- Committing ------------------------------------------------------------------------- */

/* The transaction is on disk: the next one begins. May be done twice, if the first time was cut
 * short by the end of the process. */
static void advance(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    cache_settle(fs);
    journal->freed_count = journal->freed_blocks = journal->revoked = 0;
    journal->head = journal->next_head;
    journal->available = journal->next_available;
    journal->sequence = journal->next_sequence;
    store_barrier();
    journal->phase = JOURNAL_IDLE;
    journal->commits++;
}

/* From here on whoever adopts the memory finishes the commit. */
static void committed(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    journal->next_head = journal->at;
    journal->next_available = journal->available - journal->commit_size;
    journal->next_sequence = journal->sequence + 1;
    store_barrier();
    journal->phase = JOURNAL_COMMITTED;
    store_barrier();
    advance(fs);
}

/* Takes back a commit that was begun by a process that has ended. Perhaps the commit block is on
 * the disk; nobody was told so, and as the transaction will be written there again, with more in
 * it, a crash must not find the old commit block behind new copies. */
static int uncommit(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    uint32_t last = journal->head;
    for (uint32_t i = 1; i < journal->commit_size; i++)
        last = log_next(journal, last);
    int error = device_write(fs, journal->map[last], fs->zeros, 1);
    if (!error)
        error = device_flush(fs);
    for (uint32_t i = 0; i < journal->freed_count && !error; i++)
        for (uint32_t n = 0; n < journal->freed[i].count && !error; n++)
            error = block_retake(fs, journal->freed[i].block + n);
    if (!error)
        journal->phase = JOURNAL_IDLE;
    return error;
}

int journal_adopt(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    int error = 0;
    journal->gathered = 0;
    if (journal->phase == JOURNAL_COMMITTED)
        advance(fs);
    else if (journal->phase == JOURNAL_COMMITTING)
        error = uncommit(fs);
    if (!error && journal->available < journal->limit)
        error = journal_checkpoint(fs); /* which was to follow the commit */
    return error;
}

/* From here on whoever adopts the memory takes the commit back. */
static void commit_begins(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    journal->commit_size = size_of(fs, fs->cache.running, journal->revoked);
    store_barrier();
    journal->phase = JOURNAL_COMMITTING;
    store_barrier();
}

/* Steps 1 to 6 of journal.h. */
/* exercise 6.11 */
static int commit_steps(struct ext2 *fs)
{
    fs->journal.at = fs->journal.head;
    int error = free_all(fs);
    if (!error)
        error = cache_write_data(fs);
    if (!error && !fs->cache.running)
        return device_flush(fs); /* nothing but data */
    if (!error)
        error = log_all_buffers(fs);
    if (!error && fs->journal.revoked)
        error = log_revocations(fs);
    if (!error)
        error = log_write(fs);
    if (!error)
        error = device_flush(fs);
    if (!error)
        error = log_commit_block(fs);
    return error ? error : device_flush(fs);
}
/* end 6.11 */

int journal_commit(struct ext2 *fs)
{
    const bool metadata = fs->cache.running > 0;
    if (fs->errors)
        return -EIO;
    if (metadata)
        commit_begins(fs);
    int error = commit_steps(fs);
    if (error || !metadata)
        return error;
    committed(fs);
    return fs->journal.available < fs->journal.limit ? journal_checkpoint(fs) : 0;
}
