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

extern struct name_table *name_table;
extern handle_t service; /* the channel that nsd serves; views are minted from it */

/* badge_new: the rest of a badge that was never used before, for a slot. */
uint64_t badge_new(unsigned class, unsigned slot);

/* views.c. view_of_badge: the view of a class VIEW or FACE badge (0: the root view), or -EBADF.
 * view_face: the handle of ns: that shows this view. view_new: the view and its first handle. */
int view_of_badge(uint64_t badge);
handle_t view_face(int view);
int64_t view_new(int parent, unsigned flags, uint32_t client, handle_t *handle);
bool view_is_of(int view, uint32_t client);
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

/* listing.c: the file protocol on ns: (a class FACE or OPEN badge). */
int64_t listing_request(struct request *request);
void listing_closed(uint64_t badge);
