/* The journal on disk, JBD2 as Linux and e2fsck read it ("Journal (jbd2)" in the kernel's ext4
 * documentation, filesystems/ext4/journal.rst).
 *
 * The journal is a file, by custom inode 8. Its block 0 is its superblock; the blocks from `first`
 * on are a ring, the log. A transaction in the log is
 *
 *     descriptor, blocks that it names, descriptor, blocks, ..., revoke blocks, commit
 *
 * with one sequence number in all the headers. What has no commit block does not count. All
 * numbers are big-endian: the accessors from_be and to_be convert. */
#pragma once

#include <stdint.h>

#define JOURNAL_MAGIC 0xC03B3998u

static inline uint32_t from_be(uint32_t value) { return __builtin_bswap32(value); }

static inline uint32_t to_be(uint32_t value) { return __builtin_bswap32(value); }

enum journal_block_type {
    JOURNAL_DESCRIPTOR = 1,
    JOURNAL_COMMIT = 2,
    JOURNAL_SUPER_1 = 3, /* without feature words */
    JOURNAL_SUPER_2 = 4,
    JOURNAL_REVOKE = 5,
};

/* The head of every block of the journal but the logged ones. */
struct journal_header {
    uint32_t magic;
    uint32_t type;
    uint32_t sequence;
};
_Static_assert(sizeof(struct journal_header) == 12, "journal header");

enum { JOURNAL_COMPAT_CHECKSUM = 0x1 }; /* of commit blocks; may be absent in each, so ignored */
enum {
    JOURNAL_INCOMPAT_REVOKE = 0x1,
    JOURNAL_INCOMPAT_64BIT = 0x2,
    JOURNAL_INCOMPAT_CHECKSUM_3 = 0x10,
};

struct journal_super {
    struct journal_header header;
    uint32_t block_size;
    uint32_t length;   /* blocks of the journal, this one too */
    uint32_t first;    /* of the log */
    uint32_t sequence; /* of the first transaction in the log, or the next one */
    uint32_t start;    /* where that is; 0: the log is empty */
    uint32_t error;    /* why the journal was given up, -errno; 0: it was not */
    uint32_t feature_compat;
    uint32_t feature_incompat;
    uint32_t feature_ro_compat;
    uint8_t uuid[16];
    uint32_t users;
    uint32_t copy;
    uint32_t transaction_max, transaction_data_max;
    uint8_t checksum_type; /* 4 = CRC-32C, with feature CHECKSUM_3 */
    uint8_t pad[3];
    uint32_t fast_commit_blocks;
    uint32_t head;
    uint32_t unused[40];
    uint32_t checksum; /* of this structure with 0 in here */
    uint8_t user_ids[16 * 48];
};
_Static_assert(sizeof(struct journal_super) == 1024, "journal superblock");
_Static_assert(__builtin_offsetof(struct journal_super, uuid) == 48, "journal superblock");
_Static_assert(__builtin_offsetof(struct journal_super, checksum) == 252, "journal superblock");
#define JOURNAL_CHECKSUM_CRC32C 4u

/* Behind a descriptor's header: one tag for each block that follows in the log. Three sizes: 8
 * bytes; 12 with feature 64BIT (block_high); 16 with CHECKSUM_3 (struct journal_tag_3). A tag
 * without SAME_UUID is followed by 16 bytes of UUID. */
struct journal_tag {
    uint32_t block;
    uint16_t checksum; /* of feature CHECKSUM_2, which is not supported */
    uint16_t flags;    /* big-endian too */
    uint32_t block_high;
};
struct journal_tag_3 {
    uint32_t block;
    uint32_t flags;
    uint32_t block_high;
    uint32_t checksum; /* of the sequence number and the block as it is in the log */
};
_Static_assert(sizeof(struct journal_tag) == 12, "tag");
_Static_assert(sizeof(struct journal_tag_3) == 16, "tag");
#define JOURNAL_UUID_SIZE 16u

enum {
    JOURNAL_TAG_ESCAPED = 1, /* the block begins with the magic number: 0 stands in the log */
    JOURNAL_TAG_SAME_UUID = 2,
    JOURNAL_TAG_LAST = 8,
};

/* Block numbers, of 4 bytes (8 with 64BIT), whose copies in this and earlier transactions are not
 * to be written home. */
struct journal_revoke {
    struct journal_header header;
    uint32_t bytes; /* used in this block, from its start */
};
_Static_assert(sizeof(struct journal_revoke) == 16, "revoke block");

struct journal_commit {
    struct journal_header header;
    uint8_t checksum_type, checksum_size; /* of JOURNAL_COMPAT_CHECKSUM */
    uint8_t pad[2];
    uint32_t checksum[8]; /* with CHECKSUM_3: [0] is of the whole block with 0 in here */
    uint32_t seconds_high, seconds;
    uint32_t nanoseconds;
};
_Static_assert(sizeof(struct journal_commit) == 60, "commit block");

/* With CHECKSUM_3 descriptors and revoke blocks end with a checksum of themselves, with 0 there. */
#define JOURNAL_TAIL_SIZE 4u
