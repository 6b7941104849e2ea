/* The naive name table: strings, recursion, and every prefix of the URI tried from the longest
 * down; slow, but short enough to be believed. */
#include "name_model.h"
#include "abi/errno.h"
#include "nsd/nametable.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT     256
#define URI_SIZE 200
#define HANDLES  4096

enum { KIND_NONE, KIND_HANDLE, KIND_ALIAS, KIND_SHOW, KIND_HIDE };

struct item {
    int kind; /* KIND_NONE: free */
    char written[TEXT], stem[TEXT], target[TEXT];
    int64_t handle;
    int view;
    uint32_t owner;
};

struct model_view {
    bool open, alive, read_only, restricted;
    int parent;
    struct item rules[NAME_RULES];
};

static struct {
    struct item entries[NAME_ENTRIES];
    struct model_view views[NAME_VIEWS];
    bool held[HANDLES]; /* what the model says */
} model;
static bool table_held[HANDLES]; /* what the table says */

static bool separator(char c)
{
    return c == ':' || c == '/';
}

static int parse(const char *text, char *stem)
{
    size_t len = strlen(text);
    if (len > NAME_MAX_LEN)
        return -ENAMETOOLONG;
    strcpy(stem, text);
    while (len > 0 && separator(stem[len - 1]))
        stem[--len] = 0;
    for (const char *p = text; *p; p++)
        if ((*p > 0 && *p < 32) || *p == 127)
            return -EINVAL;
    return len ? 0 : -EINVAL;
}

/* longest: the item whose stem is the longest whole-segment prefix of uri. */
static struct item *longest(struct item *items, size_t count, const char *uri)
{
    for (size_t cut = strlen(uri) + 1; cut-- > 0;) {
        if (uri[cut] != 0 && !separator(uri[cut]))
            continue;
        for (size_t i = 0; i < count; i++)
            if (items[i].kind != KIND_NONE && strlen(items[i].stem) == cut &&
                strncmp(items[i].stem, uri, cut) == 0)
                return &items[i];
    }
    return NULL;
}

static int substitute(char *uri, const struct item *item)
{
    char target_stem[TEXT], out[2 * TEXT];
    parse(item->target, target_stem);
    const char *rest = uri + strlen(item->stem);
    if (*rest)
        rest++;
    while (*rest == '/')
        rest++;
    if (*rest == 0) {
        snprintf(out, sizeof out, "%s", target_stem);
    } else {
        char joint = item->target[strlen(target_stem)];
        for (const char *p = target_stem + strlen(target_stem); joint == 0 && p > target_stem; p--)
            if (separator(p[-1]))
                joint = p[-1];
        snprintf(out, sizeof out, "%s%c%s", target_stem, joint ? joint : ':', rest);
    }
    if (strlen(out) > URI_SIZE)
        return -ENAMETOOLONG;
    strcpy(uri, out);
    return 0;
}

static int resolve(int view, char *uri, int *aliases, struct item **found);

/* step: one pass from view down to the entries; 1 = an alias was replaced, start again. */
static int step(int view, char *uri, int *aliases, struct item **found)
{
    if (view == 0) {
        struct item *entry = longest(model.entries, NAME_ENTRIES, uri);
        if (entry == NULL)
            return -ENOENT;
        *found = entry;
        if (entry->kind == KIND_HANDLE)
            return 0;
        if (++*aliases > NAME_ALIAS_DEPTH)
            return -ELOOP;
        int error = substitute(uri, entry);
        return error ? error : 1;
    }
    struct model_view *v = &model.views[view];
    struct item *rule = longest(v->rules, NAME_RULES, uri);
    if (rule == NULL ? v->restricted : rule->kind == KIND_HIDE)
        return -ENOENT;
    if (rule == NULL || rule->kind == KIND_SHOW)
        return step(v->parent, uri, aliases, found);
    if (rule->kind == KIND_HANDLE) {
        *found = rule;
        return 0;
    }
    int error = substitute(uri, rule);
    return error ? error : resolve(v->parent, uri, aliases, found);
}

static int resolve(int view, char *uri, int *aliases, struct item **found)
{
    int result;
    do
        result = step(view, uri, aliases, found);
    while (result == 1);
    return result;
}

static bool passes(int view, int bottom, const char *name)
{
    if (view == bottom)
        return true;
    struct item *rule = longest(model.views[view].rules, NAME_RULES, name);
    if (rule ? rule->kind != KIND_SHOW : model.views[view].restricted)
        return false;
    return passes(model.views[view].parent, bottom, name);
}

static bool is_open(int view)
{
    return view >= 0 && view < NAME_VIEWS && model.views[view].open;
}

static int change_allowed(int view, const char *name, char *stem)
{
    if (!is_open(view))
        return -EBADF;
    for (int v = view; v != 0; v = model.views[v].parent)
        if (model.views[v].read_only)
            return -EROFS;
    int error = parse(name, stem);
    return error ? error : passes(view, 0, name) ? 0 : -EPERM;
}

static struct item *same_name(struct item *items, size_t count, const char *stem)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].kind != KIND_NONE && strcmp(items[i].stem, stem) == 0)
            return &items[i];
    return NULL;
}

static struct item *free_item(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].kind == KIND_NONE)
            return &items[i];
    return NULL;
}

static int add(struct item *items, size_t count, int kind, const char *name, const char *target,
               int64_t handle, int view, uint32_t owner)
{
    char stem[TEXT], ignored[TEXT];
    int error = parse(name, stem);
    if (error == 0 && kind == KIND_ALIAS)
        error = parse(target, ignored);
    if (error)
        return error;
    struct item *same = same_name(items, count, stem);
    if (same)
        return same->kind == kind && (kind == KIND_SHOW || kind == KIND_HIDE) ? 1 : -EEXIST;
    struct item *item = free_item(items, count);
    if (item == NULL)
        return -ENFILE;
    *item = (struct item){.kind = kind, .handle = handle, .view = view, .owner = owner};
    strcpy(item->written, name);
    strcpy(item->stem, stem);
    strcpy(item->target, target);
    if (kind == KIND_HANDLE)
        model.held[handle] = true;
    return 0;
}

static int model_rule(int view, int kind, const char *name, const char *target, int64_t handle)
{
    char stem[TEXT];
    if (kind == KIND_ALIAS && parse(target, stem))
        return parse(target, stem);
    if (!is_open(view))
        return -EBADF;
    if (view == 0)
        return -EPERM;
    if (model.views[view].read_only && kind != KIND_SHOW && kind != KIND_HIDE)
        return -EROFS;
    int error = add(model.views[view].rules, NAME_RULES, kind, name, target, handle, view, 0);
    if (error == 0 && kind == KIND_SHOW)
        model.views[view].restricted = true;
    return error == 1 ? 0 : error;
}

static int model_create(int parent, bool empty, bool read_only)
{
    if (!is_open(parent))
        return -EBADF;
    for (int i = 1; i < NAME_VIEWS; i++)
        if (!model.views[i].alive) {
            memset(&model.views[i], 0, sizeof model.views[i]);
            model.views[i].open = model.views[i].alive = true;
            model.views[i].restricted = empty;
            model.views[i].read_only = read_only;
            model.views[i].parent = parent;
            return i;
        }
    return -ENFILE;
}

static void model_drop(int view)
{
    if (view == 0 || !is_open(view))
        return;
    model.views[view].open = false;
    for (size_t i = 0; i < NAME_ENTRIES; i++)
        if (model.entries[i].kind != KIND_NONE && model.entries[i].view == view) {
            if (model.entries[i].kind == KIND_HANDLE)
                model.held[model.entries[i].handle] = false;
            model.entries[i].kind = KIND_NONE;
        }
    bool again = true;
    while (again) {
        again = false;
        for (int v = 1; v < NAME_VIEWS; v++) {
            bool needed = model.views[v].open || !model.views[v].alive;
            for (int child = 1; child < NAME_VIEWS; child++)
                needed |= model.views[child].alive && model.views[child].parent == v;
            if (needed)
                continue;
            model.views[v].alive = false;
            again = true;
            for (size_t i = 0; i < NAME_RULES; i++)
                if (model.views[v].rules[i].kind == KIND_HANDLE)
                    model.held[model.views[v].rules[i].handle] = false;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t model_list(int view, const char **names)
{
    size_t count = 0;
    for (size_t i = 0; i < NAME_ENTRIES; i++)
        if (model.entries[i].kind != KIND_NONE && passes(view, 0, model.entries[i].written))
            names[count++] = model.entries[i].written;
    for (int v = view; v != 0; v = model.views[v].parent)
        for (size_t i = 0; i < NAME_RULES; i++) {
            struct item *rule = &model.views[v].rules[i];
            if ((rule->kind == KIND_HANDLE || rule->kind == KIND_ALIAS) &&
                passes(view, v, rule->written))
                names[count++] = rule->written;
        }
    qsort(names, count, sizeof names[0], by_name);
    return count;
}

/* ---- The driver ----------------------------------------------------------------------------- */

struct input {
    const uint8_t *bytes;
    size_t count, at;
};

static unsigned next(struct input *in)
{
    return in->at < in->count ? in->bytes[in->at++] : 0;
}

static void next_name(struct input *in, char *out, unsigned segments_max)
{
    static const char *const parts[] = {"a", "ab", "b", "a", "abc", "b", "", "long-segment-name"};
    unsigned shape = next(in);
    unsigned segments = 1 + shape % segments_max;
    size_t len = 0;
    for (unsigned i = 0; i < segments; i++) {
        unsigned byte = next(in);
        len += (size_t)sprintf(out + len, "%s", parts[byte % 8]);
        if (i + 1 < segments || (shape & 0x80))
            out[len++] = byte & 0x40 ? '/' : ':';
    }
    if (shape == 0x7f)
        out[len++] = '\t';
    out[len] = 0;
}

static void on_release(int64_t handle, void *context)
{
    bool *twice = context;
    *twice |= !table_held[handle];
    table_held[handle] = false;
}

static bool compare_lists(struct name_table *table, int view)
{
    const char *names[NAME_ENTRIES + NAME_VIEWS * NAME_RULES];
    struct name_entry_info info;
    if (!is_open(view))
        return name_table_list(table, view, 0, &info) == -EBADF;
    size_t count = model_list(view, names);
    for (size_t i = 0; i < count; i++)
        if (name_table_list(table, view, i, &info) != 0 || strlen(names[i]) != info.len ||
            memcmp(names[i], info.name, info.len) != 0)
            return false;
    return name_table_list(table, view, count, &info) == -ENOENT;
}

static bool compare_resolve(struct name_table *table, int view, const char *uri)
{
    char text[2 * TEXT], resolved[URI_SIZE];
    struct name_match match;
    struct item *found = NULL;
    int aliases = 0;
    snprintf(text, sizeof text, "%s", uri);
    int64_t expected = is_open(view) ? resolve(view, text, &aliases, &found) : -EBADF;
    int64_t got =
        name_table_resolve(table, view, uri, strlen(uri), resolved, sizeof resolved, &match);
    if (expected < 0)
        return got == expected;
    size_t stem = strlen(found->stem);
    return got == found->handle && match.len == strlen(text) &&
           memcmp(resolved, text, match.len) == 0 && match.matched == stem + (match.len > stem);
}

/* rule_or_entry: operations 0..5, which add something. */
static bool rule_or_entry(struct name_table *table, struct input *in, unsigned op, int view,
                          int64_t *handles)
{
    char name[TEXT], target[TEXT] = "", stem[TEXT];
    next_name(in, name, 4);
    uint32_t owner = next(in) % 3;
    int64_t handle = op == 0 || op == 2 ? ++*handles : 0;
    size_t len = strlen(name);
    int got = 0, expected = 0;
    if (op == 1 || op == 3)
        next_name(in, target, 6);
    if (op <= 1) {
        expected = change_allowed(view, name, stem);
        if (expected == 0)
            expected = add(model.entries, NAME_ENTRIES, op == 0 ? KIND_HANDLE : KIND_ALIAS, name,
                           target, handle, view, owner);
        got = op == 0 ? name_table_register(table, view, name, len, handle, owner)
                      : name_table_alias(table, view, name, len, target, strlen(target), owner);
    } else {
        static const int kinds[] = {KIND_HANDLE, KIND_ALIAS, KIND_SHOW, KIND_HIDE};
        expected = model_rule(view, kinds[op - 2], name, target, handle);
        got = op == 2   ? name_view_bind(table, view, name, len, handle)
              : op == 3 ? name_view_rebind(table, view, name, len, target, strlen(target))
              : op == 4 ? name_view_restrict(table, view, name, len)
                        : name_view_hide(table, view, name, len);
    }
    if (got == 0 && handle)
        table_held[handle] = true;
    if (got != expected)
        fprintf(stderr, "op %u view %d '%s' '%s': %d, expected %d\n", op, view, name, target, got,
                expected);
    return got == expected;
}

static bool unregister(struct name_table *table, struct input *in, int view)
{
    char name[TEXT], stem[TEXT];
    next_name(in, name, 4);
    uint32_t owner = next(in) % 3;
    int64_t expected = change_allowed(view, name, stem);
    struct item *entry = expected ? NULL : same_name(model.entries, NAME_ENTRIES, stem);
    if (expected == -EPERM || (expected == 0 && entry == NULL))
        expected = -ENOENT;
    else if (expected == 0 && entry->owner != owner)
        expected = -EPERM;
    if (expected == 0) {
        expected = entry->handle;
        model.held[expected] = false;
        entry->kind = KIND_NONE;
    }
    int64_t got = name_table_unregister(table, view, name, strlen(name), owner);
    if (got > 0)
        table_held[got] = false;
    return got == expected;
}

static bool one_step(struct name_table *table, struct input *in, int64_t *handles)
{
    unsigned op = next(in) % 12;
    int view = (int)(next(in) % 12) - (op == 11); /* few views, so that they meet often */
    char uri[TEXT];
    bool twice = false;
    switch (op) {
    case 0 ... 5:
        return rule_or_entry(table, in, op, view, handles);
    case 6:
        return unregister(table, in, view);
    case 7: {
        unsigned flags = next(in);
        return name_view_create(table, view, (flags & 7) == 1, (flags & 24) == 8) ==
               model_create(view, (flags & 7) == 1, (flags & 24) == 8);
    }
    case 8:
        if (next(in) & 1)
            return true; /* dropped less often than made */
        model_drop(view);
        name_view_drop(table, view, on_release, &twice);
        return !twice;
    case 9:
        return compare_lists(table, view);
    default:
        next_name(in, uri, 8);
        return compare_resolve(table, view, uri);
    }
}

int name_model_run(const uint8_t *bytes, size_t count, size_t *steps)
{
    struct input in = {.bytes = bytes, .count = count};
    struct name_table *table = malloc(name_table_size());
    int64_t handles = 0;
    bool agree = true;
    name_table_init(table);
    memset(&model, 0, sizeof model);
    memset(table_held, 0, sizeof table_held);
    model.views[0].open = model.views[0].alive = true;
    while (agree && in.at < count && handles < HANDLES - 1) {
        size_t from = in.at;
        agree = one_step(table, &in, &handles) &&
                memcmp(model.held, table_held, sizeof table_held) == 0;
        ++*steps;
        if (!agree)
            fprintf(stderr, "disagree at byte %zu: operation %u view %u\n", from, bytes[from] % 12,
                    from + 1 < count ? bytes[from + 1] % 12 : 0);
    }
    free(table);
    return agree;
}
