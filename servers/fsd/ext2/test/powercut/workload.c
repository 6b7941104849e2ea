/* Random operations. Whether the core does them right when nothing is cut is for other tests; its
 * results are believed here. */
#include "workload.h"
#include "../check.h"
#include "../random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MAX   24000u
#define LARGE_MIN   60000u
#define LARGE_MORE  80000u
#define DOUBLE      240000u /* tables of tables begin behind this, where blocks are small */
#define SPARSE_MAX  500000u
#define HOLE_CHANCE 8u

static uint32_t pick(struct workload *workload, uint32_t limit)
{
    return random_below(&workload->random, limit);
}

static struct object *object_at(const struct workload *workload, uint32_t index)
{
    return &workload->history->objects[index];
}

static uint32_t inode_of(const struct workload *workload, uint32_t index)
{
    return object_at(workload, index)->inode;
}

/* Few names, so that they meet; some are long, so that directories get more blocks. */
static void random_text(struct workload *workload, char *text)
{
    uint32_t n = pick(workload, 60);
    if (n < 40)
        snprintf(text, NAME_BYTES, "%c", 'a' + (int)(n % 14));
    else
        snprintf(text, NAME_BYTES, "a-name-that-takes-a-good-part-of-a-block-number-%u", n);
}

static uint32_t random_directory(struct workload *workload)
{
    const struct moment *now = workload->now;
    for (unsigned tries = 0; now->count && tries < 4; tries++) {
        uint32_t object = now->names[pick(workload, (uint32_t)now->count)].object;
        if (object_at(workload, object)->type == OBJECT_DIRECTORY)
            return object;
    }
    return ROOT_OBJECT;
}

static const struct name *random_name(struct workload *workload)
{
    const struct moment *now = workload->now;
    return now->count ? &now->names[pick(workload, (uint32_t)now->count)] : NULL;
}

/* A file, one of those held open or one with a name; ROOT_OBJECT if none was met. */
static uint32_t random_file(struct workload *workload)
{
    uint32_t object = workload->held[pick(workload, WORKLOAD_HELD)];
    if (object && pick(workload, 2))
        return object;
    for (unsigned tries = 0; tries < 8; tries++) {
        const struct name *name = random_name(workload);
        if (name && object_at(workload, name->object)->type == OBJECT_FILE)
            return name->object;
    }
    return ROOT_OBJECT;
}

/* ---- Names ------------------------------------------------------------------------------ */

static int make(struct workload *workload, uint32_t parent, const char *text, size_t len,
                enum object_type type, const char *target, uint32_t *inode)
{
    int error;
    if (type == OBJECT_FILE)
        return ext2_create(workload->fs, parent, text, len, 0644, inode);
    if (type == OBJECT_DIRECTORY)
        error = ext2_mkdir(workload->fs, parent, text, len, 0755);
    else
        error = ext2_symlink(workload->fs, parent, text, len, target, strlen(target));
    return error ? error : ext2_lookup(workload->fs, parent, text, len, inode);
}

/* operation->add says where and by which name. */
static void make_named(struct workload *workload, struct operation *operation,
                       enum object_type type, const char *target)
{
    struct name *name = &operation->add;
    uint32_t inode;
    int error = make(workload, inode_of(workload, name->directory), name->text, strlen(name->text),
                     type, target, &inode);
    if (error)
        return;
    operation->kind = OPERATION_NAMES;
    operation->adds = true;
    name->object = history_object(workload->history, type, inode);
    if (type == OBJECT_LINK) {
        struct contents *contents = &object_at(workload, name->object)->acknowledged;
        contents_resize(contents, strlen(target), workload->history->block_size);
        memcpy(contents->bytes, target, contents->size);
    }
}

static void do_make(struct workload *workload, struct operation *operation, enum object_type type)
{
    char target[200];
    random_text(workload, operation->add.text);
    operation->add.directory = random_directory(workload);
    memset(target, 't', sizeof target);
    target[1 + pick(workload, sizeof target - 1)] = '\0';
    target[sizeof target - 1] = '\0';
    make_named(workload, operation, type, target);
}

static void do_create(struct workload *workload, struct operation *operation)
{
    do_make(workload, operation, OBJECT_FILE);
}

static void do_mkdir(struct workload *workload, struct operation *operation)
{
    do_make(workload, operation, OBJECT_DIRECTORY);
}

static void do_symlink(struct workload *workload, struct operation *operation)
{
    do_make(workload, operation, OBJECT_LINK);
}

static void do_link(struct workload *workload, struct operation *operation)
{
    struct name *name = &operation->add;
    name->object = random_file(workload);
    name->directory = random_directory(workload);
    random_text(workload, name->text);
    if (name->object == ROOT_OBJECT ||
        ext2_link(workload->fs, inode_of(workload, name->object),
                  inode_of(workload, name->directory), name->text, strlen(name->text)))
        return;
    operation->kind = OPERATION_NAMES;
    operation->adds = true;
}

static void do_remove(struct workload *workload, struct operation *operation)
{
    const struct name *name = random_name(workload);
    if (!name)
        return;
    const uint32_t parent = inode_of(workload, name->directory);
    const size_t len = strlen(name->text);
    int error = object_at(workload, name->object)->type == OBJECT_DIRECTORY
                    ? ext2_rmdir(workload->fs, parent, name->text, len)
                    : ext2_unlink(workload->fs, parent, name->text, len);
    if (error)
        return;
    operation->kind = OPERATION_NAMES;
    operation->remove[operation->removes++] = *name;
}

/* Every other time over a name that exists. */
static void do_rename(struct workload *workload, struct operation *operation)
{
    const struct name *from = random_name(workload), *over = random_name(workload);
    if (!from)
        return;
    struct name *to = &operation->add;
    if (pick(workload, 2)) {
        *to = *over;
    } else {
        to->directory = random_directory(workload);
        random_text(workload, to->text);
    }
    to->object = from->object;
    const struct name *target =
        moment_find(workload->history, workload->now, to->directory, to->text);
    int error = ext2_rename(workload->fs, inode_of(workload, from->directory), from->text,
                            strlen(from->text), inode_of(workload, to->directory), to->text,
                            strlen(to->text));
    if (error || (target && target->object == from->object))
        return;
    operation->kind = OPERATION_NAMES;
    operation->remove[operation->removes++] = *from;
    if (target)
        operation->remove[operation->removes++] = *target;
    operation->adds = true;
}

/* ---- Contents --------------------------------------------------------------------------- */

static void write_at(struct workload *workload, struct operation *operation, uint64_t offset,
                     size_t length)
{
    uint8_t *bytes = malloc(length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = history_byte(workload->history->count, offset + i);
    int64_t written =
        ext2_write(workload->fs, inode_of(workload, operation->object), offset, bytes, length);
    free(bytes);
    CHECK(written > 0 || written == -ENOSPC, "write gives %lld", (long long)written);
    if (written <= 0)
        return;
    operation->kind = OPERATION_WRITE;
    operation->offset = offset;
    operation->length = (uint64_t)written;
}

static void do_write(struct workload *workload, struct operation *operation)
{
    operation->object = random_file(workload);
    if (operation->object == ROOT_OBJECT)
        return;
    const uint64_t size = workload->now->sizes[operation->object];
    uint64_t offset = size; /* append */
    if (pick(workload, HOLE_CHANCE) == 0)
        offset = pick(workload, SPARSE_MAX);
    else if (pick(workload, 3) == 0)
        offset = pick(workload, (uint32_t)size + 1);
    write_at(workload, operation, offset, 1 + pick(workload, WRITE_MAX));
}

static void do_write_large(struct workload *workload, struct operation *operation)
{
    operation->object = random_file(workload);
    if (operation->object != ROOT_OBJECT)
        write_at(workload, operation, pick(workload, 2) ? 0 : DOUBLE,
                 LARGE_MIN + pick(workload, LARGE_MORE));
}

static void do_truncate(struct workload *workload, struct operation *operation)
{
    const uint32_t object = random_file(workload);
    if (object == ROOT_OBJECT)
        return;
    const uint64_t size = workload->now->sizes[object];
    uint64_t target = 0;
    if (pick(workload, 3))
        target = pick(workload, (uint32_t)size + (pick(workload, 4) ? 1 : 30000));
    int error = ext2_truncate(workload->fs, inode_of(workload, object), target);
    CHECK(!error, "truncate gives %d", error);
    if (target == size)
        return; /* nothing has changed, so an fsync has nothing to do */
    *operation = (struct operation){
        .kind = OPERATION_TRUNCATE, .begin = operation->begin, .object = object, .length = target};
}

/* ---- Holding, syncing --------------------------------------------------------------------- */

static void do_hold(struct workload *workload, struct operation *operation)
{
    (void)operation;
    uint32_t *place = &workload->held[pick(workload, WORKLOAD_HELD)];
    if (*place) {
        ext2_drop(workload->fs, inode_of(workload, *place));
        *place = 0;
        return;
    }
    const uint32_t object = random_file(workload);
    if (object == ROOT_OBJECT)
        return;
    int error = ext2_hold(workload->fs, inode_of(workload, object));
    CHECK(!error, "hold gives %d", error);
    *place = object;
}

static void do_fsync(struct workload *workload, struct operation *operation)
{
    const struct name *name = random_name(workload);
    operation->object = pick(workload, 5) == 0 && name ? name->object : random_file(workload);
    int error = ext2_fsync(workload->fs, inode_of(workload, operation->object));
    CHECK(!error, "fsync gives %d", error);
    operation->kind = OPERATION_FSYNC;
}

static void do_sync(struct workload *workload, struct operation *operation)
{
    int error = ext2_sync(workload->fs);
    CHECK(!error, "sync gives %d", error);
    operation->kind = OPERATION_SYNC;
}

static void do_sync_some(struct workload *workload, struct operation *operation)
{
    (void)operation;
    int error = ext2_sync_some(workload->fs, pick(workload, 30));
    CHECK(error >= 0, "sync_some gives %d", error);
}

static void done(struct workload *workload, struct operation *operation)
{
    operation->end = workload->tape->count;
    history_add(workload->history, operation);
    moment_step(workload->history, workload->now);
}

static void step(struct workload *workload,
                 void (*work)(struct workload *workload, struct operation *operation))
{
    struct operation operation = {.begin = workload->tape->count};
    work(workload, &operation);
    done(workload, &operation);
}

uint32_t workload_make(struct workload *workload, uint32_t directory, enum object_type type,
                       const char *text)
{
    struct operation operation = {.begin = workload->tape->count, .add.directory = directory};
    snprintf(operation.add.text, NAME_BYTES, "%s", text);
    make_named(workload, &operation, type, "target");
    CHECK(operation.adds, "%s cannot be made", text);
    done(workload, &operation);
    return operation.add.object;
}

void workload_sync(struct workload *workload) { step(workload, do_sync); }

void workload_step(struct workload *workload)
{
    enum { SYNCS = 4 };
    static void (*const works[])(struct workload *, struct operation *) = {
        do_create, do_create,   do_create,   do_create, do_create, do_mkdir,       do_mkdir,
        do_link,   do_symlink,  do_remove,   do_remove, do_remove, do_rename,      do_rename,
        do_rename, do_write,    do_write,    do_write,  do_write,  do_write,       do_write,
        do_write,  do_truncate, do_truncate, do_hold,   do_hold,   do_write_large, do_sync_some,
        do_fsync,  do_fsync,    do_fsync,    do_sync, /* SYNCS */
    };
    const uint32_t count = sizeof works / sizeof works[0], chosen = pick(workload, count);
    if (workload->lazy && chosen >= count - SYNCS && pick(workload, 8))
        return;
    if (pick(workload, 4) == 0)
        ext2_set_time(workload->fs, NOW + ++workload->seconds * UINT64_C(1000000000));
    step(workload, works[chosen]);
}

static void do_unmount(struct workload *workload, struct operation *operation)
{
    int error = ext2_unmount(workload->fs);
    CHECK(!error, "unmount gives %d", error);
    operation->kind = OPERATION_SYNC;
}

void workload_unmount(struct workload *workload) { step(workload, do_unmount); }
