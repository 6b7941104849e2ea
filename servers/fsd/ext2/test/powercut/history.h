/* What a program did to a file system, and what of it may be found after a power cut.
 *
 * The history is a list of operations, in the order in which they were done, each with its place
 * on the tape (tape.h). A cut behind entry `end` finds the operations that had returned by then,
 * and one that may have been under way. The rules:
 *
 * Names. A moment is the state of all names and file sizes between two operations. The names and
 * sizes that are found are those of one moment: operations are not done by half (rename is
 * atomic), and none is missing that is older than one that is there. The only thing in between is
 * a file that a write has made longer, as far as the write has come.
 *
 * Acknowledged. That moment is not older than what an fsync or sync that had returned has
 * promised: all operations before a sync; before an fsync those that concerned the file (what it
 * holds, its names, and, if it is a directory, the names in it).
 *
 * Bytes. A file's bytes were acknowledged when it was last synced. Each byte is the one that was
 * there then, or one that was written to this place later, even by an operation that the moment
 * does not include: data may reach the disk early, but not late. And where the moment includes an
 * operation that has given the place a block (an append, a filled hole), what was there before
 * that is gone: the new block has the file's own bytes (data is ordered before metadata), not
 * what it held before. Nothing of another file ever appears, for no byte that is written to a
 * file is the same as that of another operation at this place, most of the time. */
#pragma once

#include "../../ext2.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_BYTES  64u
#define OBJECTS_MAX 4096u
#define ROOT_OBJECT 0u

enum object_type { OBJECT_FILE, OBJECT_DIRECTORY, OBJECT_LINK };

/* A name, and what it is a name of: indices of objects. */
struct name {
    uint32_t directory, object;
    char text[NAME_BYTES];
};

enum operation_kind {
    OPERATION_OTHER, /* changed nothing that is looked at */
    OPERATION_NAMES,
    OPERATION_WRITE,
    OPERATION_TRUNCATE,
    OPERATION_FSYNC,
    OPERATION_SYNC,
};

struct operation {
    enum operation_kind kind;
    size_t begin, end;       /* entries on the tape when it began and when it returned */
    uint32_t object;         /* WRITE, TRUNCATE, FSYNC */
    uint64_t offset, length; /* WRITE: the bytes; TRUNCATE: length is the new size */
    size_t promises;         /* FSYNC, SYNC: so many operations are on the medium */
    uint32_t removes;        /* NAMES: all of this at once */
    bool adds;
    struct name remove[2], add;
};

/* Bytes, and which blocks of the file are none (holes). */
struct contents {
    uint8_t *bytes;
    bool *blocks;
    uint64_t size, room;
};

/* A file, directory or symbolic link, from its creation to its end; an inode number may belong to
 * several, one after the other. */
struct object {
    enum object_type type;
    uint32_t inode;
    size_t touched;  /* so many operations, the last one of which concerned it */
    size_t *changes; /* of a file: the operations that have changed its contents */
    size_t change_count;
    struct contents acknowledged; /* of a file; of a link: its text */
    size_t synced;                /* so many operations are in `acknowledged`, */
    size_t changes_synced;        /* and so many of the changes */
};

struct history {
    uint32_t block_size;
    struct operation *operations;
    size_t count, room;
    struct object *objects;
    uint32_t object_count;
};

/* All names, by directory and text, and all sizes, when `operations` have been done. */
struct moment {
    size_t operations;
    struct name *names;
    size_t count, room;
    uint64_t *sizes; /* of each object */
};

/* history_begin: one object, the root. */
void history_begin(struct history *history, uint32_t block_size);
void history_end(struct history *history);
uint32_t history_object(struct history *history, enum object_type type, uint32_t inode);
void history_add(struct history *history, const struct operation *operation);

/* history_acknowledge: all that operation number `index` promises is so from now on. */
void history_acknowledge(struct history *history, size_t index);

void moment_begin(struct moment *moment);
void moment_end(struct moment *moment);
void moment_copy(struct moment *to, const struct moment *from);
/* moment_add: a name that is there from the beginning. moment_step: one operation more. */
void moment_add(const struct history *history, struct moment *moment, const struct name *name);
void moment_step(const struct history *history, struct moment *moment);
const struct name *moment_find(const struct history *history, const struct moment *moment,
                               uint32_t directory, const char *text);

/* The byte that operation number `index` writes at `offset` of its file. Never 0. */
static inline uint8_t history_byte(size_t index, uint64_t offset)
{
    uint32_t mixed = ((uint32_t)index + 1) * 2654435761u + (uint32_t)(offset / 4) * 2246822519u;
    return (uint8_t)((mixed ^ mixed >> 15) >> 8 * (offset % 4)) | 1;
}

/* contents_legal: may a file hold these bytes after a cut, if the moment found is `operations`
 * operations old, `partial` of the next one was found, and `begun` operations had begun?
 * *wrong: the first byte that may not be there. */
bool contents_legal(const struct history *history, const struct object *object,
                    const struct contents *found, size_t operations, bool partial, size_t begun,
                    uint64_t *wrong);
void contents_resize(struct contents *contents, uint64_t size, uint32_t block_size);
void contents_free(struct contents *contents);
