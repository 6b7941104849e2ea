/* The history, and moments in it. */
#include "history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Operations and objects ------------------------------------------------------------- */

void history_begin(struct history *history, uint32_t block_size)
{
    *history = (struct history){.block_size = block_size};
    history->objects = calloc(OBJECTS_MAX, sizeof *history->objects);
    history_object(history, OBJECT_DIRECTORY, EXT2_ROOT_INODE);
}

void history_end(struct history *history)
{
    for (uint32_t i = 0; i < history->object_count; i++) {
        free(history->objects[i].changes);
        contents_free(&history->objects[i].acknowledged);
    }
    free(history->objects);
    free(history->operations);
}

uint32_t history_object(struct history *history, enum object_type type, uint32_t inode)
{
    if (history->object_count == OBJECTS_MAX) {
        printf("more than %u objects\n", OBJECTS_MAX);
        exit(2);
    }
    struct object *object = &history->objects[history->object_count];
    *object = (struct object){.type = type, .inode = inode};
    return history->object_count++;
}

static void change_add(struct object *object, size_t index)
{
    object->changes =
        realloc(object->changes, (object->change_count + 1) * sizeof *object->changes);
    object->changes[object->change_count++] = index;
}

static void name_touched(struct history *history, const struct name *name)
{
    history->objects[name->object].touched = history->count;
    history->objects[name->directory].touched = history->count;
}

void history_add(struct history *history, const struct operation *operation)
{
    if (history->count == history->room) {
        history->room = history->room ? history->room * 2 : 256;
        history->operations =
            realloc(history->operations, history->room * sizeof *history->operations);
    }
    struct operation *added = &history->operations[history->count++];
    struct object *object = &history->objects[operation->object];
    *added = *operation;
    switch (operation->kind) {
    case OPERATION_OTHER:
        break;
    case OPERATION_NAMES:
        for (uint32_t i = 0; i < operation->removes; i++)
            name_touched(history, &operation->remove[i]);
        if (operation->adds)
            name_touched(history, &operation->add);
        break;
    case OPERATION_WRITE:
    case OPERATION_TRUNCATE:
        change_add(object, history->count - 1);
        object->touched = history->count;
        break;
    case OPERATION_FSYNC:
        added->promises = object->touched;
        break;
    case OPERATION_SYNC:
        added->promises = history->count;
        break;
    }
}

/* ---- Contents --------------------------------------------------------------------------- */

void contents_free(struct contents *contents)
{
    free(contents->bytes);
    free(contents->blocks);
    *contents = (struct contents){0};
}

/* What is new is zero and has no blocks; what is gone has none when it comes back. */
void contents_resize(struct contents *contents, uint64_t size, uint32_t block_size)
{
    const uint64_t old = contents->size;
    if (size > contents->room || !contents->bytes) {
        contents->room = size + 16 * block_size;
        contents->bytes = realloc(contents->bytes, contents->room);
        contents->blocks = realloc(contents->blocks, contents->room / block_size + 1);
    }
    const uint64_t had = (old + block_size - 1) / block_size;
    const uint64_t has = (size + block_size - 1) / block_size;
    if (size > old)
        memset(contents->bytes + old, 0, size - old);
    if (has > had)
        memset(contents->blocks + had, 0, has - had);
    contents->size = size;
}

static void contents_apply(const struct history *history, struct contents *contents, size_t index)
{
    const struct operation *operation = &history->operations[index];
    const uint64_t offset = operation->offset, end = offset + operation->length;
    const uint32_t block_size = history->block_size;
    if (operation->kind == OPERATION_TRUNCATE) {
        contents_resize(contents, operation->length, block_size);
        return;
    }
    if (end > contents->size)
        contents_resize(contents, end, block_size);
    for (uint64_t at = offset; at < end; at++)
        contents->bytes[at] = history_byte(index, at);
    for (uint64_t block = offset / block_size; block * block_size < end; block++)
        contents->blocks[block] = true;
}

static void object_acknowledge(const struct history *history, struct object *object,
                               size_t operations)
{
    object->synced = operations;
    while (object->changes_synced < object->change_count &&
           object->changes[object->changes_synced] < operations)
        contents_apply(history, &object->acknowledged, object->changes[object->changes_synced++]);
}

void history_acknowledge(struct history *history, size_t index)
{
    const struct operation *operation = &history->operations[index];
    if (operation->kind == OPERATION_FSYNC)
        object_acknowledge(history, &history->objects[operation->object], index + 1);
    if (operation->kind == OPERATION_SYNC)
        for (uint32_t i = 0; i < history->object_count; i++)
            object_acknowledge(history, &history->objects[i], index + 1);
}

/* ---- Moments ---------------------------------------------------------------------------- */

void moment_begin(struct moment *moment)
{
    *moment = (struct moment){.sizes = calloc(OBJECTS_MAX, sizeof *moment->sizes)};
}

void moment_end(struct moment *moment)
{
    free(moment->names);
    free(moment->sizes);
}

static void moment_room(struct moment *moment, size_t count)
{
    if (count <= moment->room)
        return;
    moment->room = count * 2;
    moment->names = realloc(moment->names, moment->room * sizeof *moment->names);
}

void moment_copy(struct moment *to, const struct moment *from)
{
    moment_room(to, from->count + 1);
    to->operations = from->operations;
    to->count = from->count;
    if (from->count)
        memcpy(to->names, from->names, from->count * sizeof *from->names);
    memcpy(to->sizes, from->sizes, OBJECTS_MAX * sizeof *from->sizes);
}

/* The place of a name: the first one that is not before it. */
static size_t place_of(const struct history *history, const struct moment *moment,
                       uint32_t directory, const char *text)
{
    const uint32_t inode = history->objects[directory].inode;
    size_t low = 0, high = moment->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct name *name = &moment->names[middle];
        const uint32_t other = history->objects[name->directory].inode;
        if (other < inode || (other == inode && strcmp(name->text, text) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct name *moment_find(const struct history *history, const struct moment *moment,
                               uint32_t directory, const char *text)
{
    size_t place = place_of(history, moment, directory, text);
    if (place == moment->count)
        return NULL;
    const struct name *name = &moment->names[place];
    return name->directory == directory && !strcmp(name->text, text) ? name : NULL;
}

void moment_add(const struct history *history, struct moment *moment, const struct name *name)
{
    size_t place = place_of(history, moment, name->directory, name->text);
    moment_room(moment, moment->count + 1);
    memmove(moment->names + place + 1, moment->names + place,
            (moment->count - place) * sizeof *moment->names);
    moment->names[place] = *name;
    moment->count++;
}

static void moment_remove(const struct history *history, struct moment *moment,
                          const struct name *name)
{
    size_t place = place_of(history, moment, name->directory, name->text);
    moment->count--;
    memmove(moment->names + place, moment->names + place + 1,
            (moment->count - place) * sizeof *moment->names);
}

void moment_step(const struct history *history, struct moment *moment)
{
    const struct operation *operation = &history->operations[moment->operations++];
    uint64_t *size = &moment->sizes[operation->object];
    if (operation->kind == OPERATION_WRITE && operation->offset + operation->length > *size)
        *size = operation->offset + operation->length;
    if (operation->kind == OPERATION_TRUNCATE)
        *size = operation->length;
    for (uint32_t i = 0; i < operation->removes; i++)
        moment_remove(history, moment, &operation->remove[i]);
    if (operation->adds)
        moment_add(history, moment, &operation->add);
}

/* ---- The bytes that may be there --------------------------------------------------------- */

/* One file that was found: which of its bytes are explained by what was looked at so far. */
struct trial {
    const struct contents *found;
    uint32_t block_size;
    bool *legal;
};

/* From now on these bytes may be there, too; or, if `renewed`, these only. Operation SIZE_MAX
 * wrote zeros. */
static void trial_range(struct trial *trial, uint64_t from, uint64_t to, size_t index, bool renewed)
{
    if (to > trial->found->size)
        to = trial->found->size;
    for (uint64_t at = from; at < to; at++) {
        const uint8_t byte = index == SIZE_MAX ? 0 : history_byte(index, at);
        trial->legal[at] = (trial->legal[at] && !renewed) || trial->found->bytes[at] == byte;
    }
}

/* A write, on top of `before`. The places that it brings into the file, and the blocks that it
 * gives to holes, have nothing old in them if the moment includes it. */
static void trial_write(struct trial *trial, const struct contents *before, size_t index,
                        const struct operation *operation, bool included, bool partial)
{
    const uint64_t offset = operation->offset, end = offset + operation->length;
    const uint64_t block_size = trial->block_size;
    if (end > before->size && offset > before->size)
        trial_range(trial, before->size, offset, SIZE_MAX, included || partial);
    for (uint64_t from = offset, to; from < end; from = to) {
        const uint64_t block = from / block_size, start = block * block_size;
        to = start + block_size < end ? start + block_size : end;
        const bool beyond = from >= before->size;
        const bool hole = start >= before->size || !before->blocks[block];
        if (hole && included && !beyond) {
            trial_range(trial, start, start + block_size, SIZE_MAX, true);
            trial_range(trial, from, to, index, true);
        } else if (!beyond && to > before->size) {
            trial_range(trial, from, before->size, index, false);
            trial_range(trial, before->size, to, index, included || partial);
        } else {
            trial_range(trial, from, to, index, beyond && (included || partial));
        }
    }
}

static void trial_truncate(struct trial *trial, const struct contents *before,
                           const struct operation *operation, bool included)
{
    if (operation->length > before->size)
        trial_range(trial, before->size, operation->length, SIZE_MAX, included);
    else if (!included)
        trial_range(trial, operation->length, trial->found->size, SIZE_MAX, false);
}

/* The trial begins with what was acknowledged; `now` goes on from there. */
static void trial_begin(struct trial *trial, const struct contents *start, struct contents *now)
{
    const uint64_t size = trial->found->size, block_size = trial->block_size;
    const uint64_t both = size < start->size ? size : start->size;
    trial->legal = calloc(size + 1, sizeof(bool));
    if (!start->size)
        return;
    contents_resize(now, start->size, trial->block_size);
    memcpy(now->bytes, start->bytes, start->size);
    memcpy(now->blocks, start->blocks, (start->size + block_size - 1) / block_size);
    for (uint64_t from = 0, to; from < both; from = to) {
        to = from + block_size < both ? from + block_size : both;
        if (!memcmp(trial->found->bytes + from, start->bytes + from, to - from))
            memset(trial->legal + from, true, to - from);
        else
            for (uint64_t at = from; at < to; at++)
                trial->legal[at] = trial->found->bytes[at] == start->bytes[at];
    }
}

static bool contents_same(const struct contents *a, const struct contents *b)
{
    return a->size == b->size && (a->size == 0 || !memcmp(a->bytes, b->bytes, a->size));
}

bool contents_legal(const struct history *history, const struct object *object,
                    const struct contents *found, size_t operations, bool partial, size_t begun,
                    uint64_t *wrong)
{
    struct trial trial = {.found = found, .block_size = history->block_size};
    struct contents now = {0};
    *wrong = 0;
    if ((object->changes_synced == object->change_count ||
         object->changes[object->changes_synced] >= begun) &&
        contents_same(found, &object->acknowledged))
        return true;
    trial_begin(&trial, &object->acknowledged, &now);
    for (size_t i = object->changes_synced; i < object->change_count; i++) {
        const size_t index = object->changes[i];
        const struct operation *operation = &history->operations[index];
        if (index >= begun)
            break;
        if (operation->kind == OPERATION_WRITE)
            trial_write(&trial, &now, index, operation, index < operations,
                        partial && index == operations);
        else
            trial_truncate(&trial, &now, operation, index < operations);
        contents_apply(history, &now, index);
    }
    const bool *hole = memchr(trial.legal, false, found->size);
    *wrong = hole ? (uint64_t)(hole - trial.legal) : found->size;
    contents_free(&now);
    free(trial.legal);
    return !hole;
}
