/* What is in a file system: every name below the root with what it leads to, read through the
 * core. (lost+found and the dots are left out.) */
#pragma once

#include "history.h"

struct found {
    uint32_t directory, inode; /* inode numbers */
    enum object_type type;
    char text[NAME_BYTES];
    struct contents contents; /* of a file, or a link's text */
};

struct tree {
    struct found *found; /* by directory and text */
    size_t count, room;
};

/* tree_read: 0, or the core's error, or EILSEQ for a name that no test has made. */
int tree_read(struct tree *tree, struct ext2 *fs, uint32_t block_size);
void tree_free(struct tree *tree);

/* tree_differs: the first entry in which two trees differ, in words; false if they do not. */
bool tree_differs(const struct tree *a, const struct tree *b, char *text, size_t size);

/* tree_matches: does it have the names and sizes of this moment? *partial: it does, but for one
 * file that the next operation is making longer. */
bool tree_matches(const struct tree *tree, const struct history *history,
                  const struct moment *moment, bool *partial);
/* tree_difference: why it does not, in words. */
void tree_difference(const struct tree *tree, const struct history *history,
                     const struct moment *moment, char *text, size_t size);

/* tree_adopt: what is found becomes the beginning of a new history. */
void tree_adopt(const struct tree *tree, struct history *history, struct moment *moment);
