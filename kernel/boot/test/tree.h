/* Builds flattened device trees for the tests (Devicetree Specification 0.4, chapter 5). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TREE_MAX 65536

/* Where things are in a finished blob; a test spoils them there. */
enum {
    TREE_MAGIC = 0,
    TREE_TOTAL_SIZE = 4,
    TREE_STRUCTURE = 8,
    TREE_STRINGS = 12,
    TREE_STRINGS_SIZE = 32,
    TREE_STRUCTURE_SIZE = 36,
    TREE_HEADER = 40,
};

struct tree {
    uint8_t structure[TREE_MAX];
    char strings[TREE_MAX];
    size_t structure_len, strings_len;
};

uint32_t tree_get(const uint8_t *at);
void tree_put(uint8_t *at, uint32_t value);

void tree_begin(struct tree *tree, const char *name);
void tree_end(struct tree *tree);
void tree_token(struct tree *tree, uint32_t token);
void tree_property(struct tree *tree, const char *name, const void *value, size_t len);
void tree_string(struct tree *tree, const char *name, const char *text); /* with its NUL */
void tree_cells(struct tree *tree, const char *name, size_t count, const uint32_t *cells);
#define TREE_CELLS(tree, name, ...)                                          \
    tree_cells(tree, name, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
               (uint32_t[]){__VA_ARGS__})

/* tree_finish: appends the end token; the blob (malloc) and its length. */
uint8_t *tree_finish(struct tree *tree, size_t *len);
