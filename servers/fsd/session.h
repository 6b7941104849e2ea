/* Open files: what a badge stands for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSIONS_MAX 1024
#define SESSIONS_PER_CLIENT 256

struct session {
    bool used, dead; /* used: set last, when all the rest is there; dead: closed with FS_CLOSE */
    uint32_t generation;
    uint32_t inode;
    uint32_t mode;   /* the inode's, at open */
    uint32_t flags;  /* FS_O_* */
    uint32_t client; /* pid that opened it */
    uint64_t offset; /* shared by all holders of the handle */
    uint64_t ahead;  /* the file has been read ahead up to here */
};

/* session_table: where the SESSIONS_MAX entries are; before anything else. session_at: by index. */
void session_table(struct session *table);
const struct session *session_at(size_t index);

/* session_open: a free entry, or NULL and *error: EMFILE, the client has its share; ENFILE, the table
 * is full. The caller sets `used`; until then the entry is nobody's. */
struct session *session_open(uint32_t client, int *error);
void session_close(struct session *session);

/* Badges: generation << 32 | index + 1, so that none is 0 and none comes again soon. */
uint64_t session_badge(const struct session *session);
struct session *session_find(uint64_t badge);
