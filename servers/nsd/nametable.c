/* The name table: registering names, finding them by longest prefix, listing them. (The rules of
 * views are in nameview.c.) Invariant: no two entries have the same stem. */
#include "abi/errno.h"
#include "nsd/nametable_parts.h"
#include <stdlib.h>
#include <string.h>

size_t name_table_size(void)
{
    return sizeof(struct name_table);
}

void name_table_init(struct name_table *table)
{
    memset(table, 0, sizeof *table);
    table->views[0].used = table->views[0].open = true;
    table->listed_view = -1;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
    return c == ':' || c == '/';
}

/* exercise 4.1 */
int name_parse(struct name *name, const char *text, size_t len)
{
    if (len > NAME_MAX_LEN)
        return -ENAMETOOLONG;
    size_t stem = len;
    while (stem > 0 && is_separator(text[stem - 1]))
        stem--;
    if (stem == 0)
        return -EINVAL;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return -EINVAL;
    memset(name, 0, sizeof *name);
    name->len = (uint8_t)len;
    name->stem = (uint8_t)stem;
    memcpy(name->text, text, len);
    return 0;
}
/* end 4.1 */

bool name_equal(const struct name *a, const struct name *b)
{
    return a->stem == b->stem && memcmp(a->text, b->text, a->stem) == 0;
}

/* exercise 4.2 */
bool name_covers(const struct name *name, const char *uri, size_t len)
{
    return len >= name->stem && memcmp(uri, name->text, name->stem) == 0 &&
           (len == name->stem || is_separator(uri[name->stem]));
}
/* end 4.2 */

static bool name_under(const struct name *name, const struct name *prefix)
{
    return name->stem > prefix->stem && name_covers(prefix, name->text, name->len);
}

/* A URI on its way through the layers, in the caller's buffer. */
struct uri {
    char *text;
    size_t len, size;
};

/* uri_replace: puts target in the place of the prefix name, which covers uri. */
static int uri_replace(struct uri *uri, const struct name *name, const struct name *target)
{
    size_t from = name->stem;
    if (from < uri->len)
        from++;
    while (from < uri->len && uri->text[from] == '/')
        from++; /* "home:/docs" is "home:docs" */
    size_t rest = uri->len - from;
    char separator = ':';
    for (size_t i = 0; i < target->len && i <= target->stem; i++)
        if (is_separator(target->text[i]))
            separator = target->text[i];
    size_t to = rest > 0 ? target->stem + 1u : target->stem;
    if (to + rest > uri->size)
        return -ENAMETOOLONG;
    memmove(uri->text + to, uri->text + from, rest);
    memcpy(uri->text, target->text, target->stem);
    if (rest > 0)
        uri->text[target->stem] = separator;
    uri->len = to + rest;
    return 0;
}

/* ---- Entries -------------------------------------------------------------------------------- */

/* exercise 4.3 */
struct entry *name_entry_match(struct name_table *table, const char *uri, size_t len)
{
    struct entry *best = NULL;
    for (size_t i = 0; i < table->entry_count; i++) {
        struct entry *entry = &table->entries[i];
        if (name_covers(&entry->name, uri, len) &&
            (best == NULL || entry->name.stem > best->name.stem))
            best = entry;
    }
    return best;
}
/* end 4.3 */

static struct entry *entry_find(struct name_table *table, const struct name *name)
{
    for (size_t i = 0; i < table->entry_count; i++)
        if (name_equal(&table->entries[i].name, name))
            return &table->entries[i];
    return NULL;
}

void name_entry_remove(struct name_table *table, struct entry *entry)
{
    *entry = table->entries[--table->entry_count];
    table->listed_view = -1;
}

size_t name_table_owned(const struct name_table *table, uint32_t owner)
{
    size_t count = 0;
    for (size_t i = 0; i < table->entry_count; i++)
        count += table->entries[i].owner == owner;
    return count;
}

/* ---- Changing the entries ------------------------------------------------------------------- */

/* entry_check: whether the view may change the entry of this name; parses the name. */
static int entry_check(struct name_table *table, int view, const char *text, size_t len,
                       struct name *name)
{
    if (!name_view_is_open(table, view))
        return -EBADF;
    for (int layer = view; layer != 0; layer = table->views[layer].parent)
        if (table->views[layer].read_only)
            return -EROFS;
    int error = name_parse(name, text, len);
    if (error)
        return error;
    return name_view_passes(table, view, 0, name) ? 0 : -EPERM;
}

static int entry_add(struct name_table *table, const struct entry *entry)
{
    if (entry_find(table, &entry->name) != NULL)
        return -EEXIST;
    if (table->entry_count == NAME_ENTRIES)
        return -ENFILE;
    table->entries[table->entry_count++] = *entry;
    table->listed_view = -1;
    return 0;
}

int name_table_register(struct name_table *table, int view, const char *prefix, size_t len,
                        int64_t handle, uint32_t owner)
{
    struct entry entry = {.handle = handle, .view = view, .owner = owner};
    if (handle < 0)
        return -EINVAL;
    int error = entry_check(table, view, prefix, len, &entry.name);
    return error ? error : entry_add(table, &entry);
}

int name_table_alias(struct name_table *table, int view, const char *name, size_t len,
                     const char *target, size_t target_len, uint32_t owner)
{
    struct entry entry = {.view = view, .owner = owner};
    int error = entry_check(table, view, name, len, &entry.name);
    if (error == 0)
        error = name_parse(&entry.target, target, target_len);
    return error ? error : entry_add(table, &entry);
}

/* The entry of this name, if the view shows it and may change it; or NULL with *error. */
static struct entry *entry_visible(struct name_table *table, int view, const char *text, size_t len,
                                   int *error)
{
    struct name name;
    *error = entry_check(table, view, text, len, &name);
    if (*error == -EPERM)
        *error = -ENOENT; /* not visible is not there */
    if (*error)
        return NULL;
    struct entry *entry = entry_find(table, &name);
    *error = entry == NULL ? -ENOENT : 0;
    return entry;
}

int64_t name_table_find(struct name_table *table, int view, const char *prefix, size_t len,
                        uint32_t *owner)
{
    int error;
    struct entry *entry = entry_visible(table, view, prefix, len, &error);
    if (entry == NULL)
        return error;
    *owner = entry->owner;
    return entry->target.len > 0 ? -ENOENT : entry->handle;
}

int64_t name_table_unregister(struct name_table *table, int view, const char *prefix, size_t len,
                              uint32_t owner)
{
    int error;
    struct entry *entry = entry_visible(table, view, prefix, len, &error);
    if (entry == NULL)
        return error;
    if (entry->owner != owner)
        return -EPERM;
    int64_t handle = entry->handle; /* 0 in an alias */
    name_entry_remove(table, entry);
    return handle;
}

/* ---- Resolving ------------------------------------------------------------------------------ */

static bool name_has_deeper(const struct name_table *table, int view, const struct name *prefix)
{
    for (size_t i = 0; i < table->entry_count; i++)
        if (name_under(&table->entries[i].name, prefix))
            return true;
    for (; view != 0; view = table->views[view].parent)
        for (unsigned i = 0; i < table->views[view].rule_count; i++)
            if (name_under(&table->views[view].rules[i].name, prefix))
                return true;
    return false;
}

/* exercise 4.4 */
const struct rule *name_layers_pass(struct name_table *table, int *view, const char *uri,
                                    size_t len, int *error)
{
    *error = 0;
    while (*view != 0) {
        struct view *layer = &table->views[*view];
        const struct rule *rule = name_rule_match(layer, uri, len);
        if (rule != NULL ? rule->kind == RULE_HIDE : layer->restricted) {
            *error = -ENOENT;
            return NULL;
        }
        *view = layer->parent;
        if (rule != NULL && rule->kind != RULE_SHOW)
            return rule;
    }
    return NULL;
}
/* end 4.4 */

/* A search on its way: the URI as it is now, seen from the view base. */
struct search {
    struct uri uri;
    int base;
    unsigned aliases;          /* replaced so far */
    const struct name *prefix; /* what the last step found */
    int64_t handle;
};

/* One step: 1 when the prefix was replaced, 0 when it leads to the handle, or -errno. A rebound
 * name moves base below its layer, for the target is a name of the view there. */
/* exercise 4.5 */
static int search_step(struct name_table *table, struct search *search)
{
    const struct name *target = NULL;
    int error, view = search->base;
    const struct rule *rule =
        name_layers_pass(table, &view, search->uri.text, search->uri.len, &error);
    if (error)
        return error;
    if (rule != NULL) {
        search->prefix = &rule->name;
        search->handle = rule->handle;
        if (rule->kind == RULE_REBIND) {
            target = &rule->target;
            search->base = view;
        }
    } else {
        const struct entry *entry = name_entry_match(table, search->uri.text, search->uri.len);
        if (entry == NULL)
            return -ENOENT;
        search->prefix = &entry->name;
        search->handle = entry->handle;
        if (entry->target.len > 0) {
            target = &entry->target;
            if (++search->aliases > NAME_ALIAS_DEPTH)
                return -ELOOP;
        }
    }
    if (target == NULL)
        return 0;
    error = uri_replace(&search->uri, search->prefix, target);
    return error ? error : 1;
}
/* end 4.5 */

int64_t name_table_resolve(struct name_table *table, int view, const char *text, size_t len,
                           char *resolved, size_t size, struct name_match *match)
{
    if (!name_view_is_open(table, view))
        return -EBADF;
    if (len > size)
        return -ENAMETOOLONG;
    if (memchr(text, 0, len) != NULL)
        return -EINVAL;
    struct search search = {.uri = {resolved, len, size}, .base = view};
    memmove(resolved, text, len);
    match->deeper = false;
    int step;
    do {
        step = search_step(table, &search);
        if (step < 0)
            return step;
        match->deeper |= name_has_deeper(table, view, search.prefix);
    } while (step > 0);
    match->len = search.uri.len;
    match->matched = search.prefix->stem + (search.uri.len > search.prefix->stem);
    return search.handle;
}

/* ---- Listing -------------------------------------------------------------------------------- */

static int info_compare(const void *a, const void *b)
{
    const struct name_entry_info *x = a, *y = b;
    int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
    return order ? order : (int)x->len - (int)y->len;
}

static void listing_add(struct name_table *table, const struct name *name,
                        const struct name *target, uint32_t owner)
{
    table->listing[table->listing_count++] = (struct name_entry_info){
        .name = name->text,
        .len = name->len,
        .target = target->len ? target->text : NULL,
        .target_len = target->len,
        .owner = owner,
    };
}

static void listing_collect(struct name_table *table, int view)
{
    table->listing_count = 0;
    for (int layer = view; layer != 0; layer = table->views[layer].parent)
        for (unsigned i = 0; i < table->views[layer].rule_count; i++) {
            const struct rule *rule = &table->views[layer].rules[i];
            if ((rule->kind == RULE_BIND || rule->kind == RULE_REBIND) &&
                name_view_passes(table, view, layer, &rule->name))
                listing_add(table, &rule->name, &rule->target, 0);
        }
    for (size_t i = 0; i < table->entry_count; i++) {
        const struct entry *entry = &table->entries[i];
        if (name_view_passes(table, view, 0, &entry->name))
            listing_add(table, &entry->name, &entry->target, entry->owner);
    }
    qsort(table->listing, table->listing_count, sizeof table->listing[0], info_compare);
    table->listed_view = view;
}

int name_table_list(struct name_table *table, int view, size_t index, struct name_entry_info *info)
{
    if (!name_view_is_open(table, view))
        return -EBADF;
    if (table->listed_view != view)
        listing_collect(table, view);
    if (index >= table->listing_count)
        return -ENOENT;
    *info = table->listing[index];
    return 0;
}
