/* The name table: entries found by longest prefix, seen through views that are layers of rules.
 * Invariant: a layer lives while it is open or another one is derived from it, and an entry
 * belongs to an open view, so every handle in the table is given up exactly once. */
#include "nsd/nametable.h"
#include "abi/errno.h"
#include <stdlib.h>
#include <string.h>

struct name {
    uint8_t len;  /* as written */
    uint8_t stem; /* without trailing separators: what is compared */
    char text[NAME_MAX_LEN];
};

struct entry {
    struct name name, target; /* target.len > 0: an alias */
    int64_t handle;
    int view; /* registered through it */
    uint32_t owner;
};

enum rule_kind { RULE_SHOW, RULE_BIND, RULE_REBIND, RULE_HIDE };

struct rule {
    enum rule_kind kind;
    struct name name, target; /* target: RULE_REBIND */
    int64_t handle;           /* RULE_BIND */
};

struct view {
    bool used; /* open, or a layer under others */
    bool open;
    bool read_only;
    bool restricted; /* what no rule covers is not found */
    int parent;
    unsigned children; /* layers directly above this one */
    unsigned rule_count;
    struct rule rules[NAME_RULES];
};

#define LISTING_MAX (NAME_ENTRIES + (NAME_VIEWS - 1) * NAME_RULES)

struct name_table {
    size_t entry_count;
    struct entry entries[NAME_ENTRIES]; /* in no order */
    struct view views[NAME_VIEWS];      /* 0 is the root view */
    int listed_view;                    /* whose names listing holds; -1: it is out of date */
    size_t listing_count;
    struct name_entry_info listing[LISTING_MAX];
};

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

static int name_parse(struct name *name, const char *text, size_t len)
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

static bool name_equal(const struct name *a, const struct name *b)
{
    return a->stem == b->stem && memcmp(a->text, b->text, a->stem) == 0;
}

/* name_covers: whether the segments of name are the first ones of uri. */
static bool name_covers(const struct name *name, const char *uri, size_t len)
{
    return len >= name->stem && memcmp(uri, name->text, name->stem) == 0 &&
           (len == name->stem || is_separator(uri[name->stem]));
}

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

static struct entry *entry_match(struct name_table *table, const char *uri, size_t len)
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

static struct entry *entry_find(struct name_table *table, const struct name *name)
{
    for (size_t i = 0; i < table->entry_count; i++)
        if (name_equal(&table->entries[i].name, name))
            return &table->entries[i];
    return NULL;
}

static void entry_remove(struct name_table *table, struct entry *entry)
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

/* ---- Views ---------------------------------------------------------------------------------- */

static struct view *view_get(struct name_table *table, int view)
{
    if (view < 0 || view >= NAME_VIEWS || !table->views[view].open)
        return NULL;
    return &table->views[view];
}

int name_view_create(struct name_table *table, int parent, bool empty, bool read_only)
{
    if (view_get(table, parent) == NULL)
        return -EBADF;
    for (int i = 1; i < NAME_VIEWS; i++) {
        struct view *view = &table->views[i];
        if (view->used)
            continue;
        *view = (struct view){
            .used = true,
            .open = true,
            .read_only = read_only,
            .restricted = empty,
            .parent = parent,
        };
        table->views[parent].children++;
        return i;
    }
    return -ENFILE;
}

void name_view_drop(struct name_table *table, int view, void (*released)(int64_t handle, void *),
                    void *context)
{
    if (view == 0 || view_get(table, view) == NULL)
        return;
    table->listed_view = -1;
    table->views[view].open = false;
    for (size_t i = table->entry_count; i-- > 0;) {
        struct entry entry = table->entries[i];
        if (entry.view != view)
            continue;
        entry_remove(table, &table->entries[i]);
        if (entry.target.len == 0)
            released(entry.handle, context);
    }
    /* A layer goes when nothing stands on it any more; that may free the one below, too. */
    struct view *layer = &table->views[view];
    while (!layer->open && layer->children == 0) {
        for (unsigned i = 0; i < layer->rule_count; i++)
            if (layer->rules[i].kind == RULE_BIND)
                released(layer->rules[i].handle, context);
        layer->used = false;
        layer = &table->views[layer->parent];
        layer->children--;
    }
}

static struct rule *rule_match(struct view *view, const char *uri, size_t len)
{
    struct rule *best = NULL;
    for (unsigned i = 0; i < view->rule_count; i++) {
        struct rule *rule = &view->rules[i];
        if (name_covers(&rule->name, uri, len) &&
            (best == NULL || rule->name.stem > best->name.stem))
            best = rule;
    }
    return best;
}

static bool layer_passes(struct view *layer, const struct name *name)
{
    const struct rule *rule = rule_match(layer, name->text, name->len);
    return rule != NULL ? rule->kind == RULE_SHOW : !layer->restricted;
}

/* view_passes: whether a name seen in view is the one of the same spelling in the layer bottom. */
static bool view_passes(struct name_table *table, int view, int bottom, const struct name *name)
{
    for (; view != bottom; view = table->views[view].parent)
        if (!layer_passes(&table->views[view], name))
            return false;
    return true;
}

/* rule_add: a new rule in view, for the caller to complete; one of the same kind for the same
 * name changes nothing if it has no value that could differ. */
static int rule_add(struct name_table *table, int view, enum rule_kind kind, const char *prefix,
                    size_t len, struct rule **added)
{
    struct view *v = view_get(table, view);
    if (v == NULL)
        return -EBADF;
    if (view == 0)
        return -EPERM;
    bool has_value = kind == RULE_BIND || kind == RULE_REBIND;
    if (v->read_only && has_value)
        return -EROFS;
    struct name name;
    int error = name_parse(&name, prefix, len);
    if (error)
        return error;
    *added = NULL;
    for (unsigned i = 0; i < v->rule_count; i++)
        if (name_equal(&v->rules[i].name, &name))
            return v->rules[i].kind == kind && !has_value ? 0 : -EEXIST;
    if (v->rule_count == NAME_RULES)
        return -ENFILE;
    *added = &v->rules[v->rule_count++];
    **added = (struct rule){.kind = kind, .name = name};
    table->listed_view = -1;
    return 0;
}

int name_view_restrict(struct name_table *table, int view, const char *prefix, size_t len)
{
    struct rule *rule;
    int error = rule_add(table, view, RULE_SHOW, prefix, len, &rule);
    if (error == 0 && rule != NULL)
        table->views[view].restricted = true;
    return error;
}

int name_view_hide(struct name_table *table, int view, const char *prefix, size_t len)
{
    struct rule *rule;
    return rule_add(table, view, RULE_HIDE, prefix, len, &rule);
}

int name_view_bind(struct name_table *table, int view, const char *prefix, size_t len,
                   int64_t handle)
{
    struct rule *rule;
    if (handle < 0)
        return -EINVAL;
    int error = rule_add(table, view, RULE_BIND, prefix, len, &rule);
    if (error == 0)
        rule->handle = handle;
    return error;
}

int name_view_rebind(struct name_table *table, int view, const char *name, size_t len,
                     const char *target, size_t target_len)
{
    struct rule *rule;
    struct name parsed;
    int error = name_parse(&parsed, target, target_len);
    if (error == 0)
        error = rule_add(table, view, RULE_REBIND, name, len, &rule);
    if (error == 0)
        rule->target = parsed;
    return error;
}

/* ---- Changing the entries ------------------------------------------------------------------- */

/* entry_check: whether the view may change the entry of this name; parses the name. */
static int entry_check(struct name_table *table, int view, const char *text, size_t len,
                       struct name *name)
{
    if (view_get(table, view) == NULL)
        return -EBADF;
    for (int layer = view; layer != 0; layer = table->views[layer].parent)
        if (table->views[layer].read_only)
            return -EROFS;
    int error = name_parse(name, text, len);
    if (error)
        return error;
    return view_passes(table, view, 0, name) ? 0 : -EPERM;
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

int64_t name_table_unregister(struct name_table *table, int view, const char *prefix, size_t len,
                              uint32_t owner)
{
    struct name name;
    int error = entry_check(table, view, prefix, len, &name);
    if (error)
        return error == -EPERM ? -ENOENT : error; /* not visible is not there */
    struct entry *entry = entry_find(table, &name);
    if (entry == NULL)
        return -ENOENT;
    if (entry->owner != owner)
        return -EPERM;
    int64_t handle = entry->handle; /* 0 in an alias */
    entry_remove(table, entry);
    return handle;
}

/* ---- Resolving ------------------------------------------------------------------------------ */

/* layers_pass: takes uri down through the layers from *base to the entries. Returns 1 when it
 * arrived there, 0 with *found when a binding took it, or -errno. A rebound name moves *base
 * below its layer: the target is a name of the view below. */
static int layers_pass(struct name_table *table, int *base, struct uri *uri, struct rule **found)
{
    for (int view = *base; view != 0;) {
        struct view *layer = &table->views[view];
        struct rule *rule = rule_match(layer, uri->text, uri->len);
        view = layer->parent;
        if (rule == NULL) {
            if (layer->restricted)
                return -ENOENT;
        } else if (rule->kind == RULE_BIND) {
            *found = rule;
            return 0;
        } else if (rule->kind == RULE_HIDE) {
            return -ENOENT;
        } else if (rule->kind == RULE_REBIND) {
            int error = uri_replace(uri, &rule->name, &rule->target);
            if (error)
                return error;
            *base = view;
        }
    }
    return 1;
}

int64_t name_table_resolve(struct name_table *table, int view, const char *text, size_t len,
                           char *resolved, size_t size, size_t *resolved_len, size_t *matched)
{
    if (view_get(table, view) == NULL)
        return -EBADF;
    if (len > size)
        return -ENAMETOOLONG;
    if (memchr(text, 0, len) != NULL)
        return -EINVAL;
    struct uri uri = {.text = resolved, .len = len, .size = size};
    memmove(resolved, text, len);
    const struct name *prefix;
    int64_t handle;
    for (unsigned aliases = 0;; aliases++) {
        struct rule *rule;
        int passed = layers_pass(table, &view, &uri, &rule);
        if (passed < 0)
            return passed;
        if (passed == 0) {
            prefix = &rule->name;
            handle = rule->handle;
            break;
        }
        struct entry *entry = entry_match(table, uri.text, uri.len);
        if (entry == NULL)
            return -ENOENT;
        if (entry->target.len == 0) {
            prefix = &entry->name;
            handle = entry->handle;
            break;
        }
        if (aliases == NAME_ALIAS_DEPTH)
            return -ELOOP;
        int error = uri_replace(&uri, &entry->name, &entry->target);
        if (error)
            return error;
    }
    *resolved_len = uri.len;
    *matched = prefix->stem + (uri.len > prefix->stem);
    return handle;
}

bool name_table_deeper(const struct name_table *table, int view, const char *text, size_t len)
{
    struct name prefix;
    if (name_parse(&prefix, text, len) < 0)
        return false;
    for (size_t i = 0; i < table->entry_count; i++)
        if (name_under(&table->entries[i].name, &prefix))
            return true;
    for (; view != 0; view = table->views[view].parent)
        for (unsigned i = 0; i < table->views[view].rule_count; i++)
            if (name_under(&table->views[view].rules[i].name, &prefix))
                return true;
    return false;
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
                view_passes(table, view, layer, &rule->name))
                listing_add(table, &rule->name, &rule->target, 0);
        }
    for (size_t i = 0; i < table->entry_count; i++) {
        const struct entry *entry = &table->entries[i];
        if (view_passes(table, view, 0, &entry->name))
            listing_add(table, &entry->name, &entry->target, entry->owner);
    }
    qsort(table->listing, table->listing_count, sizeof table->listing[0], info_compare);
    table->listed_view = view;
}

int name_table_list(struct name_table *table, int view, size_t index, struct name_entry_info *info)
{
    if (view_get(table, view) == NULL)
        return -EBADF;
    if (table->listed_view != view)
        listing_collect(table, view);
    if (index >= table->listing_count)
        return -ENOENT;
    *info = table->listing[index];
    return 0;
}
