/* The file system that the core should be: a tree in memory, without blocks, caches or errors
 * other than POSIX's. The model test does everything twice, here and there. */
#pragma once

#include "../ext2.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_FILE, MODEL_DIRECTORY, MODEL_LINK };

struct model_node;
struct model_entry {
    char name[EXT2_NAME_MAX + 1];
    struct model_node *node;
};

struct model_node {
    int type;
    unsigned links, holds;
    uint32_t inode; /* the core's number, known while it is held */
    uint8_t *data;  /* a file's contents, or a link's text */
    size_t size;
    struct model_node *parent; /* of a directory */
    struct model_entry *entries;
    size_t count;
};

struct model_node *model_new(int type);   /* links 0 (a directory: 2, once it has a parent) */
void model_free(struct model_node *root); /* the whole tree */
struct model_entry *model_find(struct model_node *directory, const char *name);

/* What POSIX wants; results 0 or -errno. All take a directory and a name. */
int model_create(struct model_node *directory, const char *name, int type,
                 struct model_node **node);
int model_link(struct model_node *node, struct model_node *directory, const char *name);
int model_unlink(struct model_node *directory, const char *name);
int model_rmdir(struct model_node *directory, const char *name);
int model_rename(struct model_node *from, const char *from_name, struct model_node *to,
                 const char *to_name);
void model_write(struct model_node *node, size_t offset, const uint8_t *data, size_t length);
void model_resize(struct model_node *node, size_t size);
void model_drop(struct model_node *node); /* one hold less */

/* Compares the whole tree below `inode` with the core: names, types, links, sizes, contents. */
void model_compare(struct ext2 *fs, uint32_t inode, struct model_node *node, const char *path);
