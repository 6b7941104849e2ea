/* The model: plain and slow. */
#include "model.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct model_node *model_new(int type)
{
    struct model_node *node = calloc(1, sizeof *node);
    node->type = type;
    return node;
}

static void node_free(struct model_node *node)
{
    free(node->data);
    free(node->entries);
    free(node);
}

static void node_unlinked(struct model_node *node)
{
    if (node->links == 0 && node->holds == 0)
        node_free(node);
}

void model_free(struct model_node *root)
{
    for (size_t i = 0; i < root->count; i++) {
        struct model_node *node = root->entries[i].node;
        if (node->type == MODEL_DIRECTORY) {
            model_free(node);
        } else {
            node->links--;
            node_unlinked(node);
        }
    }
    node_free(root);
}

void model_drop(struct model_node *node)
{
    node->holds--;
    node_unlinked(node);
}

struct model_entry *model_find(struct model_node *directory, const char *name)
{
    for (size_t i = 0; i < directory->count; i++)
        if (!strcmp(directory->entries[i].name, name))
            return &directory->entries[i];
    return NULL;
}

static void entry_add(struct model_node *directory, const char *name, struct model_node *node)
{
    directory->entries =
        realloc(directory->entries, (directory->count + 1) * sizeof *directory->entries);
    struct model_entry *entry = &directory->entries[directory->count++];
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->node = node;
}

static void entry_remove(struct model_node *directory, struct model_entry *entry)
{
    *entry = directory->entries[--directory->count];
}

int model_create(struct model_node *directory, const char *name, int type, struct model_node **node)
{
    if (model_find(directory, name))
        return -EEXIST;
    *node = model_new(type);
    (*node)->links = type == MODEL_DIRECTORY ? 2 : 1;
    if (type == MODEL_DIRECTORY) {
        (*node)->parent = directory;
        directory->links++;
    }
    entry_add(directory, name, *node);
    return 0;
}

int model_link(struct model_node *node, struct model_node *directory, const char *name)
{
    if (node->type == MODEL_DIRECTORY)
        return -EPERM;
    if (node->links == 0)
        return -ENOENT;
    if (model_find(directory, name))
        return -EEXIST;
    node->links++;
    entry_add(directory, name, node);
    return 0;
}

int model_unlink(struct model_node *directory, const char *name)
{
    struct model_entry *entry = model_find(directory, name);
    if (!entry)
        return -ENOENT;
    struct model_node *node = entry->node;
    if (node->type == MODEL_DIRECTORY)
        return -EISDIR;
    entry_remove(directory, entry);
    node->links--;
    node_unlinked(node);
    return 0;
}

int model_rmdir(struct model_node *directory, const char *name)
{
    struct model_entry *entry = model_find(directory, name);
    if (!entry)
        return -ENOENT;
    struct model_node *node = entry->node;
    if (node->type != MODEL_DIRECTORY)
        return -ENOTDIR;
    if (node->count)
        return -ENOTEMPTY;
    entry_remove(directory, entry);
    directory->links--;
    node->links = 0;
    node_unlinked(node);
    return 0;
}

int model_rename(struct model_node *from, const char *from_name, struct model_node *to,
                 const char *to_name)
{
    struct model_entry *source = model_find(from, from_name);
    if (!source)
        return -ENOENT;
    struct model_node *node = source->node;
    struct model_entry *target = model_find(to, to_name);
    if (target && target->node == node)
        return 0;
    for (struct model_node *at = to; node->type == MODEL_DIRECTORY && at; at = at->parent)
        if (at == node)
            return -EINVAL;
    if (target) {
        bool is_directory = target->node->type == MODEL_DIRECTORY;
        if (node->type == MODEL_DIRECTORY && !is_directory)
            return -ENOTDIR;
        if (node->type != MODEL_DIRECTORY && is_directory)
            return -EISDIR;
        int error = is_directory ? model_rmdir(to, to_name) : model_unlink(to, to_name);
        if (error)
            return error;
    }
    entry_remove(from, model_find(from, from_name));
    entry_add(to, to_name, node);
    if (node->type == MODEL_DIRECTORY) {
        from->links--;
        to->links++;
        node->parent = to;
    }
    return 0;
}

void model_resize(struct model_node *node, size_t size)
{
    node->data = realloc(node->data, size + 1);
    if (size > node->size)
        memset(node->data + node->size, 0, size - node->size);
    node->size = size;
}

void model_write(struct model_node *node, size_t offset, const uint8_t *data, size_t length)
{
    if (length && offset + length > node->size)
        model_resize(node, offset + length);
    if (length)
        memcpy(node->data + offset, data, length);
}

/* ---- Comparing -------------------------------------------------------------------------- */

static void compare_contents(struct ext2 *fs, uint32_t inode, struct model_node *node,
                             const char *path)
{
    uint8_t *data = malloc(node->size + 1);
    int64_t length = node->type == MODEL_FILE
                         ? ext2_read(fs, inode, 0, data, node->size + 1)
                         : ext2_readlink(fs, inode, (char *)data, node->size + 1);
    CHECK(length == (int64_t)node->size, "%s: %lld bytes, not %zu", path, (long long)length,
          node->size);
    CHECK(length < 0 || !memcmp(data, node->data ? node->data : data, node->size),
          "%s: other contents", path);
    free(data);
}

static void compare_directory(struct ext2 *fs, uint32_t inode, struct model_node *node,
                              const char *path)
{
    struct ext2_dirent entry;
    uint64_t cookie = 0;
    size_t found = 0;
    char below[1024];
    int result;
    while ((result = ext2_readdir(fs, inode, cookie, &entry, &cookie)) == 1) {
        if (!strcmp(entry.name, "."))
            CHECK(entry.inode == inode, "%s/.", path);
        if (!strcmp(entry.name, ".") || !strcmp(entry.name, "..") ||
            !strcmp(entry.name, "lost+found"))
            continue;
        struct model_entry *expected = model_find(node, entry.name);
        CHECK(expected, "%s: \"%s\" should not be there", path, entry.name);
        if (!expected)
            continue;
        found++;
        snprintf(below, sizeof below, "%.700s/%.250s", path, entry.name);
        static const uint8_t types[] = {010, 4, 012};
        CHECK(entry.type == types[expected->node->type] || entry.type == 0, "%s", below);
        uint32_t number = 0;
        CHECK(!ext2_lookup(fs, inode, entry.name, entry.name_len, &number) && number == entry.inode,
              "%s", below);
        model_compare(fs, entry.inode, expected->node, below);
    }
    CHECK(result == 0, "%s: readdir gives %d", path, result);
    CHECK(found == node->count, "%s: %zu names, not %zu", path, found, node->count);
}

void model_compare(struct ext2 *fs, uint32_t inode, struct model_node *node, const char *path)
{
    struct ext2_stat stat;
    int error = ext2_stat(fs, inode, &stat);
    CHECK(!error, "%s: stat gives %d", path, error);
    if (error)
        return;
    static const uint32_t types[] = {0100000, 0040000, 0120000};
    uint32_t links = stat.links - (inode == EXT2_ROOT_INODE); /* lost+found */
    CHECK((stat.mode & 0170000) == types[node->type], "%s: mode %o", path, stat.mode);
    CHECK(links == node->links, "%s: %u links, not %u", path, links, node->links);
    CHECK(!node->inode || node->inode == inode, "%s: inode %u", path, inode);
    if (node->type == MODEL_DIRECTORY) {
        compare_directory(fs, inode, node, path);
        return;
    }
    CHECK(stat.size == node->size, "%s: size %llu, not %zu", path, (unsigned long long)stat.size,
          node->size);
    compare_contents(fs, inode, node, path);
}
