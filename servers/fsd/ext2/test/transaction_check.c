/* Stands in for transaction.c: the same, and it checks that a journal could do its work.
 *
 * - A metadata block is added before it is modified, and only blocks that were added change.
 * - What a commit leaves behind is a consistent file system: e2fsck finds nothing to ask in the
 *   disk with the dirty blocks laid over it, at every restart in the middle of an operation and
 *   at every few commits.
 * - A freed metadata block is revoked, and no block is revoked that was data. */
#include "../alloc.h"
#include "../fs.h"
#include "../transaction.h"
#include "check.h"
#include "image.h"
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX       16384u
#define COMMITS_PER_FSCK 397u

/* What was known of each block when the last transaction ended; 0: nothing. */
static struct known {
    uint64_t sum;
    enum { UNKNOWN, METADATA, DATA } kind;
} known[BLOCKS_MAX];
static const struct ext2 *known_of;
static unsigned commits, restarts;

static uint64_t sum_of(const struct ext2 *fs, const struct buffer *buffer)
{
    uint64_t sum = 14695981039346656037u;
    for (uint32_t i = 0; i < fs->block_size; i += 8) {
        uint64_t word;
        memcpy(&word, buffer->data + i, 8);
        sum = (sum ^ word) * 1099511628211u;
    }
    return sum | 1;
}

/* At the end of a transaction: whoever changed without being added is found here. */
static void look_at_all(struct ext2 *fs)
{
    for (uint32_t i = 0; i < fs->cache.count; i++) {
        const struct buffer *buffer = &fs->cache.buffers[i];
        if (!(buffer->flags & BUFFER_MAPPED) || buffer->block >= BLOCKS_MAX)
            continue;
        struct known *was = &known[buffer->block];
        bool added = buffer->transaction == fs->transaction.id;
        uint64_t sum = sum_of(fs, buffer);
        CHECK(added || was->kind != METADATA || was->sum == sum, "block %u changed, not added",
              buffer->block);
        if (added)
            was->kind = METADATA;
        was->sum = sum;
    }
}

static void judge(struct ext2 *fs)
{
    const struct image *image = (const struct image *)fs->device;
    struct image snapshot = *image;
    char output[8192];
    snapshot.bytes = malloc(image->size);
    memcpy(snapshot.bytes, image->bytes, image->size);
    for (uint32_t i = 0; i < fs->cache.count; i++) {
        const struct buffer *buffer = &fs->cache.buffers[i];
        if (buffer->flags & BUFFER_DIRTY)
            memcpy(snapshot.bytes + ((size_t)buffer->block << fs->block_bits), buffer->data,
                   fs->block_size);
    }
    image_save(&snapshot, "commit.img");
    int status = run("e2fsck -fy commit.img", output, sizeof output);
    CHECK(status <= 1 && !strstr(output, "? yes"), "commit %u: e2fsck exits with %d:\n%s", commits,
          status, output);
    free(snapshot.bytes);
}

int transaction_begin(struct ext2 *fs)
{
    CHECK(!fs->transaction.active, "transactions do not nest");
    if (fs->read_only)
        return -EROFS;
    if (known_of != fs || fs->transaction.id == 0)
        memset(known, 0, sizeof known);
    known_of = fs;
    fs->transaction.active = true;
    fs->transaction.id++;
    fs->transaction.used = 0;
    return 0;
}

void transaction_add(struct ext2 *fs, struct buffer *buffer)
{
    struct transaction *transaction = &fs->transaction;
    CHECK(transaction->active, "block %u outside a transaction", buffer->block);
    CHECK(buffer->pins > 0, "block %u is not pinned", buffer->block);
    if (buffer->transaction != transaction->id) {
        buffer->transaction = transaction->id;
        transaction->used++;
        if (buffer->block < BLOCKS_MAX && known[buffer->block].kind == METADATA)
            CHECK(known[buffer->block].sum == sum_of(fs, buffer), "block %u: changed, then added",
                  buffer->block);
    }
    if (transaction->used > transaction->worst)
        transaction->worst = transaction->used;
    CHECK(transaction->used <= TRANSACTION_BLOCKS, "%u blocks", transaction->used);
    buffer->flags |= BUFFER_METADATA;
    cache_dirty(fs, buffer);
}

void transaction_order(struct ext2 *fs, struct buffer *buffer)
{
    CHECK(fs->transaction.active, "block %u outside a transaction", buffer->block);
    CHECK(buffer->transaction != fs->transaction.id, "block %u is both", buffer->block);
    if (buffer->block < BLOCKS_MAX) {
        CHECK(known[buffer->block].kind != METADATA, "block %u was metadata", buffer->block);
        known[buffer->block].kind = DATA;
    }
    buffer->flags &= (uint16_t)~BUFFER_METADATA;
    cache_dirty(fs, buffer);
}

int transaction_free(struct ext2 *fs, uint32_t block, bool metadata)
{
    CHECK(fs->transaction.active, "block %u outside a transaction", block);
    if (metadata && block < BLOCKS_MAX) {
        CHECK(known[block].kind != DATA, "block %u was data", block);
        known[block].kind = UNKNOWN;
    }
    return block_release(fs, block);
}

bool transaction_room(const struct ext2 *fs, uint32_t blocks)
{
    return fs->transaction.used + blocks <= TRANSACTION_BLOCKS;
}

int transaction_restart(struct ext2 *fs)
{
    int error = transaction_commit(fs);
    if (restarts++ % 5 == 0)
        judge(fs);
    return error ? error : transaction_begin(fs);
}

int transaction_commit(struct ext2 *fs)
{
    CHECK(fs->transaction.active, "no transaction");
    fs->transaction.active = false;
    look_at_all(fs);
    if (commits++ % COMMITS_PER_FSCK == 0)
        judge(fs);
    return fs->errors ? -EIO : 0;
}

/* What an operation did before it failed stays, so it must be as good as a commit. */
void transaction_abort(struct ext2 *fs)
{
    CHECK(fs->transaction.active, "no transaction");
    fs->transaction.active = false;
    look_at_all(fs);
    if (!fs->errors && commits++ % 29 == 0)
        judge(fs);
}
