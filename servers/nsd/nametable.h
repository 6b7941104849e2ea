/* The name table: prefixes, aliases and views, as a pure data structure. nsd puts messages
 * around it; the host tests it with integers for handles.
 *
 * A URI is cut into segments that end behind ':' or '/'. A prefix matches a URI if its segments
 * are the URI's first ones ("fs:root" matches "fs:root:etc" and "fs:root", but not
 * "fs:rootkit:x"); trailing separators of the prefix do not matter. Of several, the longest
 * wins. An alias replaces the prefix by its target and the match starts again, at most 8 times
 * (ELOOP). All memory is the caller's table; nothing is allocated.
 *
 * A view is a layer over the view that it was derived from. In each layer the longest rule that
 * covers the URI decides: a binding leads to its handle, a hidden name is ENOENT, a rebound name
 * is replaced and goes on *below* this layer (so "fs:root" may be rebound to
 * "fs:root:home/alice/"), a restriction lets it pass. A URI that no rule covers passes, unless
 * the view is restricted (or empty, which is restricted to nothing yet). What passes all layers
 * is looked up among the entries. A name found by alias passes the layers again: an alias shows
 * nobody what his view does not.
 *
 * A view decides which handles can be reached, not what may be asked of them: to confine somebody
 * to a directory, bind the handle of the opened directory; to hide a path below a server's
 * prefix only changes what is found by that spelling. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LEN     96 /* bytes of a prefix */
#define NAME_ENTRIES     256
#define NAME_VIEWS       64
#define NAME_RULES       8 /* restrictions, bindings and hidden names of one view */
#define NAME_ALIAS_DEPTH 8

struct name_table; /* sizeof by name_table_size() */

size_t name_table_size(void);
void name_table_init(struct name_table *table);

/* Everything below: EBADF for a view that is not. A prefix is 1..NAME_MAX_LEN bytes with
 * something besides separators in it and no control characters (EINVAL, ENAMETOOLONG). */

/* View 0 is the root view: everything, writable, never dropped, without rules (EPERM).
 * name_view_create: ENFILE. A view derived from another sees at most what that one sees (and
 * what is bound in itself), and goes on working when that one is gone. Neither it nor any view
 * derived from it can change the entries when it is read-only. */
int name_view_create(struct name_table *table, int parent, bool empty, bool read_only);
/* name_view_drop: frees the view and the entries registered through it. released is called
 * once for each handle value that the table gave up (those bound in a view that others are
 * derived from stay until the last of them is dropped). */
void name_view_drop(struct name_table *table, int view, void (*released)(int64_t handle, void *),
                    void *context);

/* The entries. Only a name that the view lets pass unchanged can be registered through it, or
 * an alias made (EPERM); handles are not negative. */
int name_table_register(struct name_table *table, int view, const char *prefix, size_t len,
                        int64_t handle, uint32_t owner); /* EEXIST EINVAL ENFILE EROFS EPERM */
/* The handle that it had, for the caller to close (0: an alias); ENOENT, EROFS, EPERM if
 * another owner's. */
int64_t name_table_unregister(struct name_table *table, int view, const char *prefix, size_t len,
                              uint32_t owner);
/* Joined to the rest by the separator that ends target, or else the last one in it. */
int name_table_alias(struct name_table *table, int view, const char *name, size_t len,
                     const char *target, size_t target_len, uint32_t owner);
/* name_table_find: the handle that is registered under this very name, and by whom. Errors as
 * unregister; ENOENT also for an alias. */
int64_t name_table_find(struct name_table *table, int view, const char *prefix, size_t len,
                        uint32_t *owner);
/* name_table_owned: how many entries an owner has. */
size_t name_table_owned(const struct name_table *table, uint32_t owner);

/* The rules of one view; they say nothing about the views that it was derived from. ENFILE;
 * EEXIST if the view has another rule for this name; bind and rebind: EROFS. */
int name_view_restrict(struct name_table *table, int view, const char *prefix, size_t len);
int name_view_bind(struct name_table *table, int view, const char *prefix, size_t len,
                   int64_t handle);
int name_view_rebind(struct name_table *table, int view, const char *name, size_t len,
                     const char *target, size_t target_len);
int name_view_hide(struct name_table *table, int view, const char *prefix, size_t len);

/* name_table_resolve: the handle, and in resolved (size bytes, not terminated) the URI after
 * aliasing. ENOENT ELOOP ENAMETOOLONG EINVAL. */
struct name_match {
    size_t len;     /* bytes in resolved */
    size_t matched; /* how many of them are the prefix, with a separator that follows */
    bool deeper;    /* under a name on the way are longer ones, or rules for such: this answer
                       is not the one for everything that the prefix covers */
};
int64_t name_table_resolve(struct name_table *table, int view, const char *uri, size_t len,
                           char *resolved, size_t size, struct name_match *match);

struct name_entry_info {
    const char *name, *target; /* target: aliases and rebound names only, else NULL */
    size_t len, target_len;
    uint32_t owner; /* 0 for what a view itself binds */
};
/* The index-th name visible in a view, in byte order; ENOENT behind the last. The strings are
 * valid until the table changes. */
int name_table_list(struct name_table *table, int view, size_t index, struct name_entry_info *info);
