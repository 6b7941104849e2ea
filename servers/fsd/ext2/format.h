/* ext2 on disk: "The Second Extended File System", the structures as mke2fs writes them.
 *
 * All numbers are little-endian, as are all machines that this is built for (checked below), and
 * every structure is naturally aligned inside its block, so a cached block is read in place.
 * Nothing in here is to be trusted: who reads a number checks it against struct ext2's geometry. */
#pragma once

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structures are read in place");

#define EXT2_MAGIC        0xEF53u
#define EXT2_SUPER_OFFSET 1024u
#define EXT2_SUPER_SIZE   1024u

enum { EXT2_STATE_VALID = 1, EXT2_STATE_ERROR = 2 };
enum { EXT2_REVISION_OLD = 0, EXT2_REVISION_DYNAMIC = 1 };
enum { EXT2_OLD_FIRST_INODE = 11, EXT2_OLD_INODE_SIZE = 128 };

enum { EXT2_COMPAT_HAS_JOURNAL = 0x4, EXT2_COMPAT_DIR_INDEX = 0x20 };
enum { EXT2_INCOMPAT_FILETYPE = 0x2, EXT2_INCOMPAT_RECOVER = 0x4 };
enum {
    EXT2_RO_COMPAT_SPARSE_SUPER = 0x1,
    EXT2_RO_COMPAT_LARGE_FILE = 0x2,
    EXT2_RO_COMPAT_METADATA_CSUM = 0x400,
};

struct superblock {
    uint32_t inodes_count;
    uint32_t blocks_count;
    uint32_t reserved_blocks_count;
    uint32_t free_blocks_count;
    uint32_t free_inodes_count;
    uint32_t first_data_block; /* 1 with 1 KiB blocks, else 0 */
    uint32_t log_block_size;   /* block size = 1024 << this */
    uint32_t log_fragment_size;
    uint32_t blocks_per_group;
    uint32_t fragments_per_group;
    uint32_t inodes_per_group;
    uint32_t mount_time;
    uint32_t write_time;
    uint16_t mount_count;
    uint16_t max_mount_count;
    uint16_t magic;
    uint16_t state;
    uint16_t error_behaviour;
    uint16_t minor_revision;
    uint32_t last_check;
    uint32_t check_interval;
    uint32_t creator_os;
    uint32_t revision;
    uint16_t reserved_uid;
    uint16_t reserved_gid;
    /* revision 1 from here */
    uint32_t first_inode;
    uint16_t inode_size;
    uint16_t block_group;
    uint32_t feature_compat;
    uint32_t feature_incompat;
    uint32_t feature_ro_compat;
    uint8_t uuid[16];
    char volume_name[16];
    char last_mounted[64];
    uint32_t algorithm_bitmap;
    uint8_t prealloc_blocks;
    uint8_t prealloc_directory_blocks;
    uint16_t reserved_descriptor_blocks;
    uint8_t journal_uuid[16];
    uint32_t journal_inode;
    uint32_t journal_device;
    uint32_t last_orphan; /* head of the list of inodes to free; linked through i_dtime */
    uint32_t hash_seed[4];
    uint8_t hash_version;
    uint8_t journal_backup_type;
    uint16_t descriptor_size;
    uint32_t default_mount_options;
    uint32_t first_meta_group;
    uint32_t made_time;
    uint32_t journal_blocks[17];
    uint32_t unused[171];
    uint32_t checksum; /* of what is before, with feature METADATA_CSUM */
};
_Static_assert(sizeof(struct superblock) == EXT2_SUPER_SIZE, "superblock");
_Static_assert(__builtin_offsetof(struct superblock, magic) == 56, "superblock");
_Static_assert(__builtin_offsetof(struct superblock, first_inode) == 84, "superblock");
_Static_assert(__builtin_offsetof(struct superblock, last_orphan) == 232, "superblock");
_Static_assert(__builtin_offsetof(struct superblock, made_time) == 264, "superblock");

struct group_descriptor {
    uint32_t block_bitmap;
    uint32_t inode_bitmap;
    uint32_t inode_table;
    uint16_t free_blocks;
    uint16_t free_inodes;
    uint16_t directories;
    uint16_t pad;
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct group_descriptor) == 32, "group descriptor");

enum { EXT2_DIRECT = 12, EXT2_SINGLE = 12, EXT2_DOUBLE = 13, EXT2_TRIPLE = 14, EXT2_SLOTS = 15 };
#define EXT2_FAST_SYMLINK_MAX 59u /* bytes of a link's text that fit into the block slots */

enum {
    EXT2_FLAG_INDEX = 0x1000,      /* a directory with a hash index */
    EXT2_FLAG_EXTENTS = 0x80000,   /* both belong to features that refuse the mount: */
    EXT2_FLAG_INLINE = 0x10000000, /* in an inode they are damage */
};

struct disk_inode {
    uint16_t mode;
    uint16_t uid;
    uint32_t size;
    uint32_t atime;
    uint32_t ctime;
    uint32_t mtime;
    uint32_t dtime; /* when it was freed, or the next inode of the orphan list */
    uint16_t gid;
    uint16_t links;
    uint32_t sectors; /* of 512 bytes, indirect and attribute blocks counted too */
    uint32_t flags;
    uint32_t version;
    uint32_t block[EXT2_SLOTS];
    uint32_t generation;
    uint32_t attribute_block;
    uint32_t size_high; /* regular files only */
    uint32_t fragment;
    uint8_t fragment_number;
    uint8_t fragment_size;
    uint16_t pad;
    uint16_t uid_high;
    uint16_t gid_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct disk_inode) == 128, "inode");
_Static_assert(__builtin_offsetof(struct disk_inode, block) == 40, "inode");
_Static_assert(__builtin_offsetof(struct disk_inode, generation) == 100, "inode");

#define EXT2_LINK_MAX 32000u

enum {
    MODE_TYPE = 0170000,
    MODE_FIFO = 0010000,
    MODE_CHARACTER = 0020000,
    MODE_DIRECTORY = 0040000,
    MODE_BLOCK = 0060000,
    MODE_REGULAR = 0100000,
    MODE_SYMLINK = 0120000,
    MODE_SOCKET = 0140000,
    MODE_PERMISSIONS = 07777,
};

/* A directory block is a chain of these; record_len leads to the next, the last one ends with
 * the block. inode 0 is an unused record. */
struct disk_dirent {
    uint32_t inode;
    uint16_t record_len;
    uint8_t name_len;
    uint8_t type; /* feature FILETYPE, else the upper half of name_len, 0 */
    char name[];
};
_Static_assert(sizeof(struct disk_dirent) == 8, "directory entry");
#define DIRENT_SIZE(name_len) ((8u + (uint32_t)(name_len) + 3u) & ~3u)

enum {
    DIRENT_UNKNOWN = 0,
    DIRENT_REGULAR = 1,
    DIRENT_DIRECTORY = 2,
    DIRENT_CHARACTER = 3,
    DIRENT_BLOCK = 4,
    DIRENT_FIFO = 5,
    DIRENT_SOCKET = 6,
    DIRENT_SYMLINK = 7,
};

/* The head of an extended attribute block; inodes with equal attributes share one. */
struct attribute_header {
    uint32_t magic;
    uint32_t references;
    uint32_t blocks;
    uint32_t hash;
    uint32_t reserved[4];
};
#define EXT2_ATTRIBUTE_MAGIC 0xEA020000u
