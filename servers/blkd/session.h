/* Sessions: what a badge stands for. They outlive blkd. The badges of one that died before are never
 * given out again, so a handle to a session that is lost gets ESTALE instead of somebody else's. */
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
    bool made;       /* it has its handle */
    bool closed;     /* no handle is left; it goes when nothing is in flight */
    handle_t object; /* attached memory, 0 = none; held so that DMA into it stays safe */
    uint64_t object_size, object_physical; /* size 0 = none */
    bool object_writable; /* by the device: the client was allowed to write it */
};

/* sessions_init: unique must differ each time that the server is started. False: no memory. */
bool sessions_init(uint64_t unique);

/* session_begin: a request that may move the session's offset begins; one that comes again finds
 * the offset that it found the first time. */
struct request;
void session_begin(struct session *session, const struct request *request);

/* session_new: -ENFILE (all in use) or -EMFILE (the client has its share) through *error. */
struct session *session_new(enum session_kind kind, uint32_t client, int *error);

/* session_find: NULL if the badge is not one of ours, or closed. */
struct session *session_find(uint64_t badge);

/* session_close: the last handle is gone. session_done: one request less in flight. */
void session_close(uint64_t badge);
void session_done(struct session *session);

/* session_take_object: attaches memory; the handle is the session's on success. 0 or -errno.
 * session_drop_object: forgets the attached memory. */
int session_take_object(struct session *session, handle_t object, uint64_t size, uint64_t physical,
                        bool writable);
void session_drop_object(struct session *session);
