/* What the two halves of the name table share: its structures, and names. */
#pragma once

#include "nsd/nametable.h"

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

/* name_parse: checks a prefix; 0, EINVAL or ENAMETOOLONG. */
int name_parse(struct name *name, const char *text, size_t len);
bool name_equal(const struct name *a, const struct name *b);
/* name_covers: whether the segments of name are the first ones of uri. */
bool name_covers(const struct name *name, const char *uri, size_t len);

/* name_entry_match: the longest entry that covers uri, or NULL. */
struct entry *name_entry_match(struct name_table *table, const char *uri, size_t len);
void name_entry_remove(struct name_table *table, struct entry *entry);

bool name_view_is_open(const struct name_table *table, int view);
/* name_rule_match: the longest rule of one layer that covers uri, or NULL. */
struct rule *name_rule_match(struct view *layer, const char *uri, size_t len);
/* name_layers_pass: takes uri down from *view, layer by layer. Returns the rule that binds or
 * rebinds it, with *view below that rule's layer; NULL with *view 0 when it arrived at the entries;
 * or NULL with *error -ENOENT. */
const struct rule *name_layers_pass(struct name_table *table, int *view, const char *uri,
                                    size_t len, int *error);
/* name_view_passes: whether a name seen in view is the one of the same spelling in bottom, a
 * layer below it. */
bool name_view_passes(struct name_table *table, int view, int bottom, const struct name *name);
