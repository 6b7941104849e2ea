/* Checkpoints: the log's contents go home, and its room is free again.
 *
 * The order is all there is to it. The tail may move only when everything behind it is on the
 * medium at its home; and the log may be overwritten only when the moved tail is on the medium:
 * with the old one, a replay would begin in the middle of what has been overwritten, find no
 * transaction there, and miss all later ones. Hence two flushes. */
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
