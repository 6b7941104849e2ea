/* Checkpoints: the log's contents go home, and its room is free again.
 *
 * The order is all there is to it. The tail may move only when everything behind it is on the
 * medium at its home; and the log may be overwritten only when the moved tail is on the medium.
 * With the old one, a replay would find the old descriptors, and behind them some blocks of the
 * next transaction, which the disk wrote in any order before that one's first flush; and it would
 * copy these home. Hence two flushes. The second matters to the next transaction alone, and only
 * if that needs more of the log than was left: its own flush makes the tail durable, too. */
#include "../fs.h"
#include "journal.h"

int journal_checkpoint(struct ext2 *fs)
{
    struct journal *journal = &fs->journal;
    int error = cache_flush(fs);
    if (!error)
        error = journal_tail_write(fs, journal->head);
    if (!error)
        error = device_flush(fs);
    if (error)
        return error;
    journal->available = journal->length - journal->first;
    journal->checkpoints++;
    return 0;
}
