/* What the parts of nsd share: the table, the views behind badges, and the two protocols.
 *
 * Badges, by their top byte: none = the root view, CLASS_VIEW = a view, CLASS_FACE = ns: as a view
 * shows it, CLASS_OPEN = an opened file of ns:. Below: generation << 8 | slot. Generations start
 * from the clock, so that a handle of an nsd that died never names something of its successor. */
#pragma once

#include "cairn/server.h"
#include "nsd/nametable.h"
#include "proto/ns.h"

enum { CLASS_ROOT = 0, CLASS_VIEW = 1, CLASS_FACE = 2, CLASS_OPEN = 3 };
#define BADGE_CLASS(badge) ((badge) >> 56)
#define BADGE_SLOT(badge)  ((unsigned)((badge)&0xff))
#define BADGE_REST(badge)  ((badge)&0xffffffffffffff)

#define NAMES_A_CLIENT   64
#define VIEWS_A_CLIENT   16
#define WAITERS_MAX      128
#define WAITERS_A_CLIENT 8

#define CLIENT_RIGHTS (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)

#define PLACES     768 /* for handles: every entry and every binding of a view may have one */
#define PLACE_FACE 1   /* ns: itself, which is made, not kept */

extern struct name_table *name_table;
extern uint64_t badge_generation; /* of the last badge */
extern handle_t service; /* the channel that nsd serves; views are minted from it */

/* badge_new: the rest of a badge that was never used before, for a slot. */
uint64_t badge_new(unsigned class, unsigned slot);

/* views.c. view_of_badge: the view of a class VIEW or FACE badge (0: the root view), or -EBADF.
 * view_face: the handle of ns: that shows this view. view_new: the view and its first handle. */
int view_of_badge(uint64_t badge);
handle_t view_face(int view);
int64_t view_new(int parent, unsigned flags, uint32_t client, handle_t *handle);
bool view_is_of(int view, uint32_t client);
uint64_t view_owner(unsigned view, uint32_t *client); /* its badge, and who made it */
void view_adopt(unsigned view, uint64_t badge, uint32_t client);
void view_closed(uint64_t badge);

/* names.c: the operations of proto/ns.h on a view, and what listens to them. */
int64_t namespace_request(struct request *request, int view);
/* namespace_resolve: answers for uri into *reply, with a handle of its own. Result or -errno. */
int64_t namespace_resolve(int view, const char *uri, size_t len, struct message *reply);

/* waiters.c. waiters_add: keeps the request until uri resolves; SERVER_DEFERRED, or -EAGAIN.
 * waiters_wake: something changed. waiters_drop: the view is gone. */
int64_t waiters_add(struct request *request, int view, const char *uri, size_t len);
void waiters_wake(void);
void waiters_drop(int view);

/* An opened file of ns:, as far as it survives nsd: what it says is made again. The offset is
 * kept for the case that the call comes again that moved it: it begins again where it began. */
#define LISTINGS_MAX 64
struct kept_listing {
    uint64_t badge; /* 0: free */
    uint64_t face;  /* the badge of ns: that it was opened through; its view may be gone since */
    uint64_t offset;
    uint32_t client;
    uint8_t directory, dead; /* dead: closed by FS_CLOSE, but handles to it are still about */
    char path[NAME_MAX_LEN + 2]; /* a longer one is none of the names */
};
struct kept_calls;
struct kept_listing *keep_listings(struct kept_calls **calls); /* value: the offset before */

/* keep.c: what survives nsd. keep_start: true if there was something. keep_changes: from here on the
 * table's changes are valid; they are due to the call with this token (0: none). keep_is_done: the
 * changes of this call were made by an nsd before. */
bool keep_start(void);
void keep_changes(uint64_t token);
bool keep_is_done(uint64_t token);

/* Places stand for handles in the table. place_take: a place for a handle, which belongs to it from
 * then on, or -errno (and it does not). place_handle: the handle, still the place's own. place_leave:
 * the place is empty as soon as the changes are valid. */
int64_t place_take(handle_t handle);
handle_t place_handle(int64_t place);
void place_leave(int64_t place);
bool places_leave(void); /* some do */

/* listing.c: the file protocol on ns: (a class FACE or OPEN badge). */
int64_t listing_request(struct request *request);
void listing_closed(uint64_t badge);
void listing_start(void); /* after keep_start */
