/* What the files of libcairn share among themselves, and with libc, but do not offer to others. */
#pragma once

#include "cairn/ipc.h"
#include <stdbool.h>

/* As channel_reply_recv, but reply and *m may be different structs. */
int64_t ipc_reply_recv(uint64_t token, const struct message *reply, struct message *m,
                       handle_t channel, uint64_t deadline);

/* The resolver behind cairn/names.h, under names of its own: a program may define functions
 * called name_resolve and the like (nsd does) without changing what its libraries call. */

/* uri -> handle (kept by the cache) and, in rest (NS_URI_MAX bytes), what to ask it for. wait:
 * until somebody registers the name, at most to the deadline. */
handle_t names_lookup(const char *uri, char *rest, bool wait, uint64_t deadline);

/* The same for a uri of any length, with size bytes of room for the rest. */
handle_t names_lookup_long(const char *uri, char *rest, size_t size, bool wait, uint64_t deadline);

/* The handle that the cache gives for uri is from now on never closed by the cache. */
void names_pin(const char *uri);

/* Drops what the cache knows of uri. */
void names_forget(const char *uri);

/* Registers all names of this process once more. Only in programs that use name_register. */
__attribute__((weak)) void names_register_again(void);

/* A request whose text is two names: 0 or -errno. */
int names_pair(handle_t namespace, uint32_t operation, const char *name, const char *target);

/* One request to a namespace with a text and at most one handle (0 = none): word 0 of the
 * reply; the rest of the reply is in *m. */
int64_t names_request(handle_t namespace, uint32_t operation, uint32_t flags, const char *text,
                      size_t len, handle_t handle, struct message *m);
