/* Judging the states of a disk after power cuts. */
#include "judge.h"
#include "../check.h"
#include <stdlib.h>
#include <string.h>

#define CACHE_BLOCKS 256u

void judge_begin(struct judge *judge, struct history *history, const struct tape *tape,
                 const struct moment *first, const char *what)
{
    *judge = (struct judge){.history = history, .tape = tape, .what = what};
    moment_begin(&judge->promised);
    moment_copy(&judge->promised, first);
}

void judge_end(struct judge *judge) { moment_end(&judge->promised); }

/* Takes in what the operations promise that had returned before the cut; result: how many had
 * begun. */
static size_t listen(struct judge *judge, size_t end)
{
    struct history *history = judge->history;
    size_t promised = judge->promised.operations;
    for (; judge->returned < history->count; judge->returned++) {
        const struct operation *operation = &history->operations[judge->returned];
        if (operation->end > end)
            break;
        history_acknowledge(history, judge->returned);
        if (operation->promises > promised)
            promised = operation->promises;
    }
    while (judge->promised.operations < promised)
        moment_step(history, &judge->promised);
    size_t begun = judge->returned;
    while (begun < history->count && history->operations[begun].begin < end)
        begun++;
    return begun;
}

static void describe(const struct judge *judge, const struct cut *cut, char *text, size_t size)
{
    snprintf(text, size, "%s, cut behind entry %zu of %zu with seed %llu (%zu operations done)",
             judge->what, cut->end, judge->tape->count, (unsigned long long)cut->seed,
             judge->returned);
}

/* The bytes of all files, at the moment whose names were found. */
static void judge_contents(const struct judge *judge, const struct tree *tree,
                           const struct moment *moment, bool partial, size_t begun,
                           const char *where)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct found *found = &tree->found[i];
        const struct object *object = &judge->history->objects[moment->names[i].object];
        uint64_t wrong = 0;
        bool right = true;
        if (found->type == OBJECT_FILE)
            right = contents_legal(judge->history, object, &found->contents, moment->operations,
                                   partial, begun, &wrong);
        else if (found->type == OBJECT_LINK)
            right =
                found->contents.size == object->acknowledged.size &&
                !memcmp(found->contents.bytes, object->acknowledged.bytes, found->contents.size);
        CHECK(right, "%s: %u/%s: byte %llu of %llu is %02x, which nobody has written there", where,
              found->directory, found->text, (unsigned long long)wrong,
              (unsigned long long)found->contents.size, found->contents.bytes[wrong]);
    }
}

static void judge_tree(const struct judge *judge, const struct tree *tree, size_t begun,
                       const char *where)
{
    struct moment moment;
    char text[512];
    bool partial = false, found = false;
    moment_begin(&moment);
    moment_copy(&moment, &judge->promised);
    for (;;) {
        found = tree_matches(tree, judge->history, &moment, &partial) &&
                (!partial || moment.operations < begun);
        if (found || moment.operations >= begun)
            break;
        moment_step(judge->history, &moment);
    }
    tree_difference(tree, judge->history, &judge->promised, text, sizeof text);
    CHECK(found, "%s: these names and sizes were never there since operation %zu: %s", where,
          judge->promised.operations, text);
    if (found)
        judge_contents(judge, tree, &moment, partial, begun, where);
    moment_end(&moment);
}

/* The same disk, replayed by e2fsck, which has nothing to ask. */
static void judge_mended(struct judge *judge, struct image *dirty, const struct tree *tree,
                         const char *where)
{
    char output[8192], text[512];
    struct tree other = {0};
    struct ext2 *fs = NULL;
    image_save(dirty, "mend.img");
    int status = run("e2fsck -fy mend.img", output, sizeof output);
    CHECK(status <= 1 && !strstr(output, "? yes"), "%s: e2fsck -fy exits with %d:\n%s", where,
          status, output);
    image_load(dirty, "mend.img");
    int error = image_mount_try(dirty, CACHE_BLOCKS, true, &fs);
    CHECK(!error, "%s: after e2fsck, mount gives %d", where, error);
    judge->mended++;
    if (error)
        return;
    error = tree_read(&other, fs, judge->history->block_size);
    CHECK(!error, "%s: after e2fsck, reading gives %d", where, error);
    CHECK(error || !tree_differs(tree, &other, text, sizeof text),
          "%s: fsd and e2fsck replay differently: %s", where, text);
    tree_free(&other);
    ext2_unmount(fs);
}

void judge_state(struct judge *judge, const struct cut *cut, struct image *image, bool mend)
{
    char where[256];
    struct image dirty = *image;
    struct tree tree = {0};
    struct ext2 *fs = NULL;
    const size_t begun = listen(judge, cut->end);
    describe(judge, cut, where, sizeof where);
    if (mend) {
        dirty.bytes = malloc(image->size);
        memcpy(dirty.bytes, image->bytes, image->size);
    }
    judge->states++;
    int error = image_mount_try(image, CACHE_BLOCKS, false, &fs);
    CHECK(!error, "%s: mount gives %d", where, error);
    if (!error) {
        error = tree_read(&tree, fs, judge->history->block_size);
        CHECK(!error, "%s: reading gives %d", where, error);
        if (!error)
            judge_tree(judge, &tree, begun, where);
        if (!error && mend)
            judge_mended(judge, &dirty, &tree, where);
        CHECK(!ext2_unmount(fs), "%s: unmount", where);
        image_fsck(image, where);
    }
    tree_free(&tree);
    if (mend)
        image_free(&dirty);
}
