/* The views of the name table: layers of rules, one over the other. Invariant: a layer lives while
 * it is open or another one is derived from it, and an entry belongs to an open view, so every
 * handle in the table is given up exactly once. */
#include "abi/errno.h"
#include "nsd/nametable_parts.h"
#include <string.h>

bool name_view_is_open(const struct name_table *table, int view)
{
    return view >= 0 && view < NAME_VIEWS && table->views[view].open;
}

int name_view_create(struct name_table *table, int parent, bool empty, bool read_only)
{
    if (!name_view_is_open(table, parent))
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

/* exercise 4.6 */
void name_view_drop(struct name_table *table, int view, void (*released)(int64_t handle, void *),
                    void *context)
{
    if (view == 0 || !name_view_is_open(table, view))
        return;
    table->listed_view = -1;
    table->views[view].open = false;
    for (size_t i = table->entry_count; i-- > 0;) {
        struct entry entry = table->entries[i];
        if (entry.view != view)
            continue;
        name_entry_remove(table, &table->entries[i]);
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
/* end 4.6 */

struct rule *name_rule_match(struct view *layer, const char *uri, size_t len)
{
    struct rule *best = NULL;
    for (unsigned i = 0; i < layer->rule_count; i++) {
        struct rule *rule = &layer->rules[i];
        if (name_covers(&rule->name, uri, len) &&
            (best == NULL || rule->name.stem > best->name.stem))
            best = rule;
    }
    return best;
}

static bool layer_passes(struct view *layer, const struct name *name)
{
    const struct rule *rule = name_rule_match(layer, name->text, name->len);
    return rule != NULL ? rule->kind == RULE_SHOW : !layer->restricted;
}

bool name_view_passes(struct name_table *table, int view, int bottom, const struct name *name)
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
    if (!name_view_is_open(table, view))
        return -EBADF;
    if (view == 0)
        return -EPERM;
    struct view *v = &table->views[view];
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
