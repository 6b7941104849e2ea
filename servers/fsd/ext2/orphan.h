/* Orphans: inodes whose end is decided but not finished, because somebody holds the file or the
 * work takes several transactions: to be freed (no links) or cut to their size (links). They are
 * linked on disk, from the superblock through dtime, so that after a crash orphans_recover or
 * e2fsck finishes the work. */
#pragma once

#include "inode.h"

/* In a transaction. orphan_remove leaves the new dtime to the caller. */
void orphan_add(struct ext2 *fs, struct inode *inode);
int orphan_remove(struct ext2 *fs, struct inode *inode);

/* inode_trim: in a transaction, which it may restart: frees what lies behind the size of an
 * inode, which is an orphan meanwhile (and stays one if it was: without links). */
int inode_trim(struct ext2 *fs, struct inode *inode);

/* inode_delete: frees an orphan without links and holders (runs its own transactions). */
int inode_delete(struct ext2 *fs, uint32_t number);

/* orphans_recover: at mount. */
int orphans_recover(struct ext2 *fs);

/* orphans_finish: while mounted: the same for those that nobody holds. */
int orphans_finish(struct ext2 *fs);
