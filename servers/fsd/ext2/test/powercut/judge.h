/* What is found on a disk after a power cut, and whether it may be so. */
#pragma once

#include "history.h"
#include "tape.h"
#include "tree.h"

/* One run: what was done, and what had been promised up to the last cut that was judged. */
struct judge {
    struct history *history;
    const struct tape *tape;
    struct moment promised;  /* the oldest moment that may be found */
    size_t returned;         /* operations that had */
    const char *what;        /* the run, for messages */
    unsigned states, mended; /* disks judged; those also replayed by e2fsck */
};

/* judge_begin: first is the moment at which the history begins. */
void judge_begin(struct judge *judge, struct history *history, const struct tape *tape,
                 const struct moment *first, const char *what);
void judge_end(struct judge *judge);

/* judge_state: mounts the disk that a cut has left, which replays its journal; compares what is
 * there with the history; unmounts, and has e2fsck look at the result. mend: e2fsck replays a copy
 * of the disk, too, and both must find the same. Cuts come in the order of their ends. */
void judge_state(struct judge *judge, const struct cut *cut, struct image *image, bool mend);
