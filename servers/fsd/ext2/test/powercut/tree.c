/* Reading a whole file system, and comparing it. */
#include "tree.h"
#include "../check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading ---------------------------------------------------------------------------- */

static int contents_read(struct ext2 *fs, struct found *found, uint32_t block_size)
{
    struct ext2_stat stat;
    int error = ext2_stat(fs, found->inode, &stat);
    if (error)
        return error;
    const uint32_t type = stat.mode & 0170000;
    found->type = type == 0040000 ? OBJECT_DIRECTORY : type == 0120000 ? OBJECT_LINK : OBJECT_FILE;
    if (found->type == OBJECT_DIRECTORY)
        return 0;
    contents_resize(&found->contents, stat.size, block_size);
    uint8_t *bytes = found->contents.bytes;
    int64_t length = found->type == OBJECT_LINK
                         ? ext2_readlink(fs, found->inode, (char *)bytes, stat.size)
                         : ext2_read(fs, found->inode, 0, bytes, stat.size);
    return length < 0 ? (int)length : length == (int64_t)stat.size ? 0 : -EIO;
}

static int directory_read(struct tree *tree, struct ext2 *fs, uint32_t directory,
                          uint32_t block_size)
{
    struct ext2_dirent entry;
    uint64_t cookie = 0;
    int result;
    while ((result = ext2_readdir(fs, directory, cookie, &entry, &cookie)) == 1) {
        if (!strcmp(entry.name, ".") || !strcmp(entry.name, "..") ||
            !strcmp(entry.name, "lost+found"))
            continue;
        if (entry.name_len >= NAME_BYTES)
            return -EILSEQ;
        if (tree->count == tree->room) {
            tree->room = tree->room ? tree->room * 2 : 64;
            tree->found = realloc(tree->found, tree->room * sizeof *tree->found);
        }
        struct found *found = &tree->found[tree->count++];
        *found = (struct found){.directory = directory, .inode = entry.inode};
        memcpy(found->text, entry.name, entry.name_len);
        result = contents_read(fs, found, block_size);
        if (!result && found->type == OBJECT_DIRECTORY)
            result = directory_read(tree, fs, entry.inode, block_size);
        if (result)
            return result;
    }
    return result;
}

static int by_name(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    if (a->directory != b->directory)
        return a->directory < b->directory ? -1 : 1;
    return strcmp(a->text, b->text);
}

int tree_read(struct tree *tree, struct ext2 *fs, uint32_t block_size)
{
    *tree = (struct tree){0};
    int error = directory_read(tree, fs, EXT2_ROOT_INODE, block_size);
    if (tree->count)
        qsort(tree->found, tree->count, sizeof *tree->found, by_name);
    return error;
}

void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        contents_free(&tree->found[i].contents);
    free(tree->found);
}

/* ---- Comparing -------------------------------------------------------------------------- */

bool tree_differs(const struct tree *a, const struct tree *b, char *text, size_t size)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct found *x = &a->found[i], *y = &b->found[i];
        if (!by_name(x, y) && x->inode == y->inode && x->type == y->type &&
            x->contents.size == y->contents.size &&
            (!x->contents.size || !memcmp(x->contents.bytes, y->contents.bytes, x->contents.size)))
            continue;
        snprintf(text, size, "%u/%s inode %u, %llu bytes; or %u/%s inode %u, %llu bytes",
                 x->directory, x->text, x->inode, (unsigned long long)x->contents.size,
                 y->directory, y->text, y->inode, (unsigned long long)y->contents.size);
        return true;
    }
    snprintf(text, size, "%zu names or %zu", a->count, b->count);
    return a->count != b->count;
}

/* Is this file longer than at the moment because the next operation is at work on it? */
static bool grows(const struct history *history, const struct moment *moment, uint32_t object,
                  uint64_t size)
{
    if (moment->operations == history->count)
        return false;
    const struct operation *next = &history->operations[moment->operations];
    return next->kind == OPERATION_WRITE && next->object == object &&
           size > moment->sizes[object] && size <= next->offset + next->length;
}

/* The first name that is not as it should be; the number of names if there is none. */
static size_t first_difference(const struct tree *tree, const struct history *history,
                               const struct moment *moment, bool *partial)
{
    *partial = false;
    for (size_t i = 0; i < moment->count; i++) {
        const struct name *name = &moment->names[i];
        const struct object *object = &history->objects[name->object];
        if (i >= tree->count)
            return i;
        const struct found *found = &tree->found[i];
        if (found->directory != history->objects[name->directory].inode ||
            strcmp(found->text, name->text) != 0 || found->inode != object->inode ||
            found->type != object->type)
            return i;
        if (object->type != OBJECT_FILE || found->contents.size == moment->sizes[name->object])
            continue;
        if (!grows(history, moment, name->object, found->contents.size))
            return i;
        *partial = true;
    }
    return moment->count;
}

bool tree_matches(const struct tree *tree, const struct history *history,
                  const struct moment *moment, bool *partial)
{
    return tree->count == moment->count &&
           first_difference(tree, history, moment, partial) == moment->count;
}

void tree_difference(const struct tree *tree, const struct history *history,
                     const struct moment *moment, char *text, size_t size)
{
    bool partial;
    size_t at = first_difference(tree, history, moment, &partial);
    int length = snprintf(text, size, "%zu names, not %zu", tree->count, moment->count);
    if (at < moment->count && length > 0 && (size_t)length < size) {
        const struct name *name = &moment->names[at];
        length += snprintf(
            text + length, size - (size_t)length, "; expected %u/%s, inode %u, %llu bytes",
            history->objects[name->directory].inode, name->text,
            history->objects[name->object].inode, (unsigned long long)moment->sizes[name->object]);
    }
    if (at < tree->count && length > 0 && (size_t)length < size)
        snprintf(text + length, size - (size_t)length, "; found %u/%s, inode %u, %llu bytes",
                 tree->found[at].directory, tree->found[at].text, tree->found[at].inode,
                 (unsigned long long)tree->found[at].contents.size);
}

/* ---- Adopting --------------------------------------------------------------------------- */

static uint32_t object_of(struct history *history, const struct found *found)
{
    for (uint32_t i = 0; i < history->object_count; i++)
        if (history->objects[i].inode == found->inode)
            return i;
    return history_object(history, found->type, found->inode);
}

void tree_adopt(const struct tree *tree, struct history *history, struct moment *moment)
{
    for (size_t i = 0; i < tree->count; i++)
        object_of(history, &tree->found[i]);
    for (size_t i = 0; i < tree->count; i++) {
        const struct found *found = &tree->found[i];
        struct found directory = {.inode = found->directory};
        struct name name = {.directory = object_of(history, &directory),
                            .object = object_of(history, found)};
        memcpy(name.text, found->text, sizeof name.text);
        moment_add(history, moment, &name);
        struct contents *contents = &history->objects[name.object].acknowledged;
        if (found->type == OBJECT_DIRECTORY || contents->size == found->contents.size)
            continue;
        contents_resize(contents, found->contents.size, history->block_size);
        memcpy(contents->bytes, found->contents.bytes, contents->size);
        /* Whether zeros are a hole cannot be seen; a block that is there may keep them longer. */
        memset(contents->blocks, 1, contents->size / history->block_size + 1);
        moment->sizes[name.object] = contents->size;
    }
}
