/* Names: URIs resolved through this process's namespace (see proto/ns.h). */
#pragma once

#include "cairn/ipc.h"

/* name_resolve: finds who serves uri. On success returns a handle that stays in the library's
 * cache (do not close it) and sets rest to what the server is to be asked for; rest has room for
 * NS_URI_MAX bytes. -errno. */
handle_t name_resolve(const char *uri, char *rest);

/* name_wait: the same, waiting until somebody registers, at most until deadline (0 = for ever). */
handle_t name_wait(const char *uri, char *rest, uint64_t deadline);

/* name_register: lets prefix lead to channel (a send handle; it is copied). 0 or -errno. */
int name_register(const char *prefix, handle_t channel);
int name_unregister(const char *prefix);
int name_alias(const char *name, const char *target);

/* ipc_send: resolve and call in one step. */
int ipc_send(const char *uri, struct message *m);

/* assign_set, assign_get: the registry under its other spelling; a name without ':' gets one.
 * The handle of assign_get belongs to the cache. */
int assign_set(const char *name, handle_t channel);
int assign_get(const char *name, handle_t *channel);

/* The views (proto/ns.h). Each returns a new handle or 0, or -errno. */
handle_t namespace_view(handle_t namespace, unsigned flags);
int namespace_bind(handle_t namespace, const char *prefix, handle_t channel);
int namespace_rebind(handle_t namespace, const char *name, const char *target);
int namespace_restrict(handle_t namespace, const char *prefix);
int namespace_hide(handle_t namespace, const char *prefix);

/* namespace_set: this process resolves through this view from now on. Forgets the cache. */
void namespace_set(handle_t namespace);
handle_t namespace_get(void);
