/* The journal's file and its superblock: found, checked, written. Invariant: every number in
 * struct journal was checked, and map[] holds blocks that may belong to a file. */
#include "journal.h"
#include "../fs.h"
#include "../map.h"
#include "crc32c.h"
#include <string.h>

#define KNOWN_INCOMPAT                                                                             \
    (JOURNAL_INCOMPAT_REVOKE | JOURNAL_INCOMPAT_64BIT | JOURNAL_INCOMPAT_CHECKSUM_3)
#define LENGTH_MIN 512u /* mke2fs makes 1,024 blocks and more */
#define LOG_MIN    256u
#define SHARE      4u /* one transaction takes at most this part of the log */

/* ---- Checksums -------------------------------------------------------------------------- */

uint32_t journal_checksum(const struct ext2 *fs, const uint8_t *block, size_t offset)
{
    static const uint8_t none[4];
    uint32_t crc = crc32c(fs->journal.seed, block, offset);
    crc = crc32c(crc, none, sizeof none);
    offset += sizeof none;
    return crc32c(crc, block + offset, fs->block_size - offset);
}

uint32_t journal_data_checksum(const struct ext2 *fs, uint32_t sequence, const uint8_t *block)
{
    sequence = to_be(sequence);
    return crc32c(crc32c(fs->journal.seed, &sequence, sizeof sequence), block, fs->block_size);
}

/* Other than that of the blocks behind it, it does not begin with the UUID. */
static uint32_t super_checksum(struct journal_super *super)
{
    const uint32_t stored = super->checksum;
    super->checksum = 0;
    uint32_t crc = crc32c(CRC32C_START, super, sizeof *super);
    super->checksum = stored;
    return crc;
}

/* ---- Opening ---------------------------------------------------------------------------- */

/* Does the file system itself live in this block? A journal there would overwrite it. */
static bool is_fixed(const struct ext2 *fs, uint32_t block)
{
    const struct group *group = &fs->groups[(block - fs->first_block) / fs->blocks_per_group];
    return block == group->block_bitmap || block == group->inode_bitmap ||
           block - group->inode_table < fs->inode_table_blocks;
}

static int map_fill(struct ext2 *fs, struct inode *inode)
{
    struct journal *journal = &fs->journal;
    for (uint32_t i = 0; i < journal->length; i++) {
        int error = map_lookup(fs, inode, i, &journal->map[i]);
        if (error)
            return error;
        if (!fs_block_valid(fs, journal->map[i]) || is_fixed(fs, journal->map[i]))
            return -EIO;
    }
    return 0;
}

static int open_file(struct ext2 *fs, const struct ext2_options *options)
{
    struct journal *journal = &fs->journal;
    struct inode inode;
    int error = inode_get(fs, fs->super->journal_inode, &inode);
    if (error)
        return -EIO;
    const uint64_t blocks = inode_size(&inode) >> fs->block_bits;
    if (inode_type(&inode) != MODE_REGULAR || !inode.disk->links || blocks < LENGTH_MIN ||
        blocks > fs->blocks) {
        error = -EIO;
        goto out;
    }
    journal->length = (uint32_t)blocks;
    journal->map = options->allocate(journal->length * sizeof *journal->map);
    journal->super = options->allocate(fs->block_size);
    journal->scratch = options->allocate(fs->block_size);
    journal->freed = options->allocate(JOURNAL_FREED_MAX * sizeof *journal->freed);
    if (!journal->map || !journal->super || !journal->scratch || !journal->freed)
        error = -ENOMEM;
    else
        error = map_fill(fs, &inode);
out:
    inode_put(&inode);
    return error;
}

static int check_features(struct journal *journal)
{
    const struct journal_super *super = journal->super;
    if (super->header.type == to_be(JOURNAL_SUPER_1))
        return 0;
    const uint32_t incompat = from_be(super->feature_incompat);
    if (incompat & ~(uint32_t)KNOWN_INCOMPAT)
        return -EOPNOTSUPP;
    journal->wide = incompat & JOURNAL_INCOMPAT_64BIT;
    journal->checksums = incompat & JOURNAL_INCOMPAT_CHECKSUM_3;
    if (!journal->checksums)
        return 0;
    if (super->checksum_type != JOURNAL_CHECKSUM_CRC32C)
        return -EOPNOTSUPP;
    return super->checksum == to_be(super_checksum(journal->super)) ? 0 : -EIO;
}

static int check_super(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    const struct journal_super *super = journal->super;
    const uint32_t type = from_be(super->header.type);
    if (super->header.magic != to_be(JOURNAL_MAGIC) ||
        (type != JOURNAL_SUPER_1 && type != JOURNAL_SUPER_2))
        return -EIO;
    int error = check_features(journal);
    if (error)
        return error;
    const uint32_t length = from_be(super->length), start = from_be(super->start);
    journal->first = from_be(super->first);
    if (from_be(super->block_size) != fs->block_size || length < LENGTH_MIN ||
        length > journal->length || journal->first == 0 || journal->first > length - LOG_MIN ||
        start >= length || (start && start < journal->first))
        return -EIO;
    journal->length = length;
    journal->seed = crc32c(CRC32C_START, super->uuid, sizeof super->uuid);
    journal->sequence = from_be(super->sequence);
    return 0;
}

int journal_open(struct ext2 *fs, const struct ext2_options *options)
{
    if (!fs->super->journal_inode)
        return -EOPNOTSUPP; /* a device of its own */
    int error = open_file(fs, options);
    if (error)
        return error;
    const uint64_t offset = (uint64_t)fs->journal.map[0] << fs->block_bits;
    if (fs->device->read(fs->device, offset, fs->journal.super, fs->block_size))
        return -EIO;
    return check_super(fs);
}

void journal_close(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    void *parts[] = {journal->freed, journal->scratch, journal->super, journal->map};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i])
            fs->release(parts[i]);
    *journal = (struct journal){0};
}

/* ---- From mount to unmount --------------------------------------------------------------- */

static int super_write(struct ext2 *fs)
{
    struct journal_super *super = fs->journal.super;
    if (fs->journal.checksums)
        super->checksum = to_be(super_checksum(super));
    return device_write(fs, fs->journal.map[0], (const uint8_t *)super, 1);
}

int journal_tail_write(struct ext2 *fs, uint32_t start)
{
    fs->journal.super->start = to_be(start);
    fs->journal.super->sequence = to_be(fs->journal.sequence);
    return super_write(fs);
}

int journal_start(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    struct journal_super *super = journal->super;
    if (super->header.type == to_be(JOURNAL_SUPER_1) || super->feature_ro_compat)
        return -EROFS; /* no revocations, or something that only readers may not know */
    super->feature_compat &= ~to_be(JOURNAL_COMPAT_CHECKSUM);
    super->feature_incompat |= to_be(JOURNAL_INCOMPAT_REVOKE);
    super->error = 0;
    journal->head = journal->first;
    journal->available = journal->length - journal->first;
    journal->limit = journal->available / SHARE;
    journal->freed_count = journal->freed_blocks = journal->revoked = 0;
    return 0;
}

int journal_stop(struct ext2 *fs)
{
    int error = journal_commit(fs);
    if (!error)
        error = journal_checkpoint(fs);
    if (!error)
        error = journal_tail_write(fs, 0);
    if (!error)
        error = device_flush(fs);
    if (!error)
        fs->journal.active = false;
    return error;
}

void journal_abort(struct ext2 *fs)
{
    fs->journal.super->error = to_be((uint32_t)-EIO);
    super_write(fs); /* with the tail that it has: the log is still needed */
    device_flush(fs);
}
