/* Puts a device tree together: header, an empty reservation block, structure, strings. */
#include "tree.h"
#include <stdlib.h>
#include <string.h>

uint32_t tree_get(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void tree_put(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void append(struct tree *tree, const void *bytes, size_t len)
{
    if (len)
        memcpy(tree->structure + tree->structure_len, bytes, len);
    tree->structure_len += len;
    while (tree->structure_len % 4)
        tree->structure[tree->structure_len++] = 0;
}

void tree_token(struct tree *tree, uint32_t token)
{
    tree_put(tree->structure + tree->structure_len, token);
    tree->structure_len += 4;
}

void tree_begin(struct tree *tree, const char *name)
{
    tree_token(tree, 1);
    append(tree, name, strlen(name) + 1);
}

void tree_end(struct tree *tree)
{
    tree_token(tree, 2);
}

void tree_property(struct tree *tree, const char *name, const void *value, size_t len)
{
    tree_token(tree, 3);
    tree_token(tree, (uint32_t)len);
    tree_token(tree, (uint32_t)tree->strings_len);
    append(tree, value, len);
    memcpy(tree->strings + tree->strings_len, name, strlen(name) + 1);
    tree->strings_len += strlen(name) + 1;
}

void tree_string(struct tree *tree, const char *name, const char *text)
{
    tree_property(tree, name, text, strlen(text) + 1);
}

void tree_cells(struct tree *tree, const char *name, size_t count, const uint32_t *cells)
{
    uint8_t bytes[256];
    for (size_t i = 0; i < count; i++)
        tree_put(bytes + 4 * i, cells[i]);
    tree_property(tree, name, bytes, 4 * count);
}

uint8_t *tree_finish(struct tree *tree, size_t *len)
{
    const size_t structure = TREE_HEADER + 16; /* behind the end of an empty reservation block */
    tree_token(tree, 9);
    *len = structure + tree->structure_len + tree->strings_len;
    uint8_t *blob = calloc(1, *len);
    if (!blob)
        abort();
    tree_put(blob + TREE_MAGIC, 0xd00dfeed);
    tree_put(blob + TREE_TOTAL_SIZE, (uint32_t)*len);
    tree_put(blob + TREE_STRUCTURE, (uint32_t)structure);
    tree_put(blob + TREE_STRINGS, (uint32_t)(structure + tree->structure_len));
    tree_put(blob + 16, TREE_HEADER); /* the reservation block */
    tree_put(blob + 20, 17);          /* version, and the oldest it is compatible with */
    tree_put(blob + 24, 16);
    tree_put(blob + TREE_STRINGS_SIZE, (uint32_t)tree->strings_len);
    tree_put(blob + TREE_STRUCTURE_SIZE, (uint32_t)tree->structure_len);
    memcpy(blob + structure, tree->structure, tree->structure_len);
    if (tree->strings_len)
        memcpy(blob + structure + tree->structure_len, tree->strings, tree->strings_len);
    return blob;
}
