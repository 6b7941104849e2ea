/* What unlink, rmdir and a rename onto an existing name have in common: an inode loses a name. */
#pragma once

#include "inode.h"

/* removal_check: may it? ENOTEMPTY, EIO. */
int removal_check(struct ext2 *fs, struct inode *inode);

/* removal_apply: in the transaction that takes the record away: link counts, orphan list. The
 * parent loses the link that a directory's ".." was. */
void removal_apply(struct ext2 *fs, struct inode *inode, struct inode *parent);

/* removal_finish: behind that transaction: frees it if it is dead and nobody holds it. */
int removal_finish(struct ext2 *fs, uint32_t number, bool dead);
