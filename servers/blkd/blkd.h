/* What the parts of blkd share: the disks, and the requests that are under way. */
#pragma once

#include "cairn/server.h"
#include "session.h"
#include "virtio_blk.h"

#define DISKS_MAX 8 /* slots for devices on the machine */

extern struct virtio_blk *disks[DISKS_MAX];
extern unsigned disk_count;

/* io_new: a request of this session for its reply to come, zeroed; the caller fills in the rest and
 * starts it. NULL: too many are in flight (-EAGAIN). */
struct io *io_new(struct request *request, struct session *session, enum disk_command command);

/* io_finish: the disks' finish callback: answers, and frees the io. */
void io_finish(struct disk *disk, struct io *io, int64_t result);

/* io_flush: starts a flush and defers the reply; 0 at once where there is nothing to flush. */
int64_t io_flush(struct request *request, struct session *session);

/* window_size: bytes of lent window 0 if it allows this access (WINDOW_READ or WINDOW_WRITE). */
uint64_t window_size(const struct request *request, uint64_t access);

/* The protocols; each takes any message that arrived on such a handle. session is NULL for the
 * root, which is a directory. */
int64_t block_request(struct request *request, struct session *session);
int64_t file_request(struct request *request, struct session *session);
int64_t directory_request(struct request *request, struct session *session);

/* session_reply: makes a handle for a new session the reply's handle 0. 0 or -errno, and then the
 * session is gone. */
int session_reply(struct request *request, struct session *session);
