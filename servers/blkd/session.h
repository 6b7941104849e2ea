/* Sessions: what a badge stands for. The badges of a blkd that died before are never given out
 * again, so a handle to one of its sessions gets ESTALE instead of somebody else's. */
#pragma once

#include "abi/handle.h"
#include <stdbool.h>
#include <stdint.h>

#define SESSIONS_MAX         256
#define SESSIONS_PER_CLIENT  64
#define SESSION_REQUESTS_MAX 32 /* in flight */

enum session_kind { SESSION_BLOCK = 1, SESSION_FILE, SESSION_DIRECTORY };

struct session {
    uint64_t badge; /* 0 = free */
    enum session_kind kind;
    unsigned disk;
    uint32_t flags;  /* FS_O_* */
    uint32_t client; /* pid that opened it */
    uint64_t offset; /* files and directories: where FS_OFFSET_CURRENT is */
    unsigned in_flight;
    bool closed;     /* no handle is left; it goes when nothing is in flight */
    handle_t object; /* attached memory, 0 = none; held so that DMA into it stays safe */
    uint64_t object_size, object_physical;
    bool object_writable; /* by the device: the client was allowed to write it */
};

/* sessions_init: unique must differ each time that the server is started. */
void sessions_init(uint64_t unique);

/* session_new: -ENFILE (all in use) or -EMFILE (the client has its share) through *error. */
struct session *session_new(enum session_kind kind, uint32_t client, int *error);

/* session_find: NULL if the badge is not one of ours, or closed. */
struct session *session_find(uint64_t badge);

/* session_close: the last handle is gone. session_done: one request less in flight. */
void session_close(uint64_t badge);
void session_done(struct session *session);

/* session_drop_object: forgets the attached memory. */
void session_drop_object(struct session *session);
