/* The name table: prefixes, aliases and views, as a pure data structure. nsd puts messages
 * around it; the host tests it with integers for handles.
 *
 * A URI is cut into segments that end behind ':' or '/'. A prefix matches a URI if its segments
 * are the URI's first ones ("fs:root" matches "fs:root:etc" and "fs:root", but not
 * "fs:rootkit:x"); a trailing separator of the prefix does not matter. Of several, the longest
 * wins. An alias replaces the prefix by its target and the match starts again, at most 8 times
 * (ELOOP). All memory is the caller's table; nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LEN 96 /* bytes of a prefix */
#define NAME_ENTRIES 256
#define NAME_VIEWS 64
#define NAME_RULES 8 /* restrictions, bindings and hidden names of one view */

struct name_table; /* sizeof by name_table_size() */

size_t name_table_size(void);
void name_table_init(struct name_table *table);

/* View 0 is the root view: everything, writable. name_view_create: ENFILE. A view derived from
 * another sees at most what that one sees, and goes on working when that one is gone. */
int name_view_create(struct name_table *table, int parent, bool empty, bool read_only);
/* name_view_drop: frees the view and the entries registered through it. released is called
 * once for each handle value that the table gave up. */
void name_view_drop(struct name_table *table, int view, void (*released)(int64_t handle, void *),
                    void *context);

int name_register(struct name_table *table, int view, const char *prefix, size_t len,
                  int64_t handle, uint32_t owner); /* EEXIST EINVAL ENAMETOOLONG ENFILE EROFS */
/* The handle that it had, for the caller to close; ENOENT, EPERM if another owner's. */
int64_t name_unregister(struct name_table *table, int view, const char *prefix, size_t len,
                        uint32_t owner);
int name_alias(struct name_table *table, int view, const char *name, size_t len,
               const char *target, size_t target_len, uint32_t owner);
int name_restrict(struct name_table *table, int view, const char *prefix, size_t len);
int name_bind(struct name_table *table, int view, const char *prefix, size_t len, int64_t handle);
int name_rebind(struct name_table *table, int view, const char *name, size_t len,
                const char *target, size_t target_len);
int name_hide(struct name_table *table, int view, const char *prefix, size_t len);

/* name_resolve: the handle, and in resolved (size bytes) the URI after aliasing, *matched bytes
 * of which (with a separator that follows) belong to the prefix. ENOENT ELOOP ENAMETOOLONG. */
int64_t name_resolve(struct name_table *table, int view, const char *uri, size_t len,
                     char *resolved, size_t size, size_t *resolved_len, size_t *matched);

struct name_entry_info {
    const char *name, *target; /* target: aliases only, else NULL */
    size_t len, target_len;
    uint32_t owner;
};
/* The index-th name visible in a view, in byte order; ENOENT behind the last. */
int name_list(struct name_table *table, int view, size_t index, struct name_entry_info *info);
