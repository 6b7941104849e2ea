/* Thousands of random operations on a small disk, each also done on the model: results must
 * agree (but for ENOSPC, which must be plausible), then contents, and e2fsck has the last word. */
#include "../fs.h"
#include "check.h"
#include "image.h"
#include "model.h"
#include "random.h"
#include <stdlib.h>
#include <string.h>

#define HELD       12
#define OPERATIONS 2500
#define WRITE_MAX  40000
#ifndef SEEDS
#define SEEDS 18
#endif

struct world {
    struct image image;
    struct ext2 *fs;
    struct model_node *root;
    struct model_node *held[HELD];
    uint64_t random;
    unsigned no_space, done;
    uint32_t now; /* s behind NOW */
};

static uint32_t pick(struct world *world, uint32_t limit)
{
    return random_below(&world->random, limit);
}

static const char *random_name(struct world *world, char *name)
{
    static const char *const names[] = {"a", "b", "c", "dd", "eee", "ffff", "g.txt", "hello"};
    uint32_t n = pick(world, 40);
    if (n < 24)
        return strcpy(name, names[n % 8]);
    if (n < 38) {
        snprintf(name, 256, "n%u", pick(world, 30));
        return name;
    }
    memset(name, 'x', 255);
    name[1 + pick(world, 255)] = '\0';
    name[255] = '\0';
    return name;
}

/* A random directory: walks down from the root; *inode follows in the core. */
static struct model_node *random_directory(struct world *world, uint32_t *inode)
{
    struct model_node *at = world->root;
    *inode = EXT2_ROOT_INODE;
    while (at->count && pick(world, 4)) {
        struct model_entry *entry = &at->entries[pick(world, (uint32_t)at->count)];
        if (entry->node->type != MODEL_DIRECTORY)
            continue;
        int error = ext2_lookup(world->fs, *inode, entry->name, strlen(entry->name), inode);
        CHECK(!error, "lookup of %s gives %d", entry->name, error);
        at = entry->node;
    }
    return at;
}

/* ENOSPC is right only where hardly anything is left: a new name can need a directory block
 * with three indirect ones, and a block of its own. */
static bool no_space(struct world *world, int64_t result)
{
    struct ext2_info info;
    if (result != -ENOSPC)
        return false;
    ext2_info(world->fs, &info);
    CHECK(info.blocks_free <= info.blocks_reserved + 6 || info.inodes_free == 0,
          "ENOSPC with %u blocks, %u inodes free", info.blocks_free, info.inodes_free);
    world->no_space++;
    return true;
}

static void do_create(struct world *world)
{
    char name[256], target[600];
    uint32_t parent, inode, kind = pick(world, 4);
    struct model_node *directory = random_directory(world, &parent), *node;
    size_t len = strlen(random_name(world, name));
    int type = kind == 0 ? MODEL_DIRECTORY : kind == 1 ? MODEL_LINK : MODEL_FILE, result;
    memset(target, 't', sizeof target);
    size_t target_len = 1 + pick(world, pick(world, 2) ? 70 : 600);
    if (type == MODEL_DIRECTORY)
        result = ext2_mkdir(world->fs, parent, name, len, 0755);
    else if (type == MODEL_LINK)
        result = ext2_symlink(world->fs, parent, name, len, target, target_len);
    else
        result = ext2_create(world->fs, parent, name, len, 0644, &inode);
    if (no_space(world, result))
        return;
    int expect = model_create(directory, name, type, &node);
    CHECK(result == expect, "create of %s gives %d, not %d", name, result, expect);
    if (!expect && type == MODEL_LINK)
        model_write(node, 0, (uint8_t *)target, target_len);
}

static void do_remove(struct world *world)
{
    char name[256];
    uint32_t parent;
    struct model_node *directory = random_directory(world, &parent);
    size_t len = strlen(random_name(world, name));
    bool rmdir = pick(world, 2);
    int result = rmdir ? ext2_rmdir(world->fs, parent, name, len)
                       : ext2_unlink(world->fs, parent, name, len);
    int expect = rmdir ? model_rmdir(directory, name) : model_unlink(directory, name);
    CHECK(result == expect, "removal of %s gives %d, not %d", name, result, expect);
}

static void do_rename(struct world *world)
{
    char from[256], to[256];
    uint32_t from_inode, to_inode;
    struct model_node *a = random_directory(world, &from_inode);
    struct model_node *b = random_directory(world, &to_inode);
    random_name(world, from);
    random_name(world, to);
    if (a->count && pick(world, 2))
        strcpy(from, a->entries[pick(world, (uint32_t)a->count)].name);
    int result = ext2_rename(world->fs, from_inode, from, strlen(from), to_inode, to, strlen(to));
    if (no_space(world, result))
        return;
    int expect = model_rename(a, from, b, to);
    CHECK(result == expect, "rename %s to %s gives %d, not %d", from, to, result, expect);
}

/* Some file: one that is held, or the child of a random directory. */
static struct model_node *random_file(struct world *world, uint32_t *inode)
{
    if (pick(world, 2)) {
        struct model_node *node = world->held[pick(world, HELD)];
        if (!node)
            return NULL;
        *inode = node->inode;
        return node;
    }
    uint32_t parent;
    struct model_node *directory = random_directory(world, &parent);
    if (!directory->count)
        return NULL;
    struct model_entry *entry = &directory->entries[pick(world, (uint32_t)directory->count)];
    int error = ext2_lookup(world->fs, parent, entry->name, strlen(entry->name), inode);
    CHECK(!error, "lookup of %s gives %d", entry->name, error);
    return error ? NULL : entry->node;
}

static void do_link(struct world *world)
{
    char name[256];
    uint32_t parent, inode;
    struct model_node *node = random_file(world, &inode);
    struct model_node *directory = random_directory(world, &parent);
    size_t len = strlen(random_name(world, name));
    if (!node)
        return;
    int result = ext2_link(world->fs, inode, parent, name, len);
    if (no_space(world, result))
        return;
    int expect = model_link(node, directory, name);
    CHECK(result == expect, "link %s gives %d, not %d", name, result, expect);
}

static size_t random_offset(struct world *world, const struct model_node *node)
{
    switch (pick(world, 6)) {
    case 0:
        return pick(world, 700000); /* sparse, into the doubly indirect blocks */
    case 1:
        return pick(world, 20000);
    case 2:
        return pick(world, 400) * 1024;
    default:
        return node->size; /* append */
    }
}

static void do_write(struct world *world)
{
    static uint8_t data[WRITE_MAX];
    uint32_t inode;
    struct model_node *node = random_file(world, &inode);
    if (!node || node->type == MODEL_LINK)
        return;
    size_t offset = random_offset(world, node), length = 1 + pick(world, WRITE_MAX);
    for (size_t i = 0; i < length; i += 16)
        data[i] = (uint8_t)random_next(&world->random);
    int64_t result = ext2_write(world->fs, inode, offset, data, length);
    if (node->type == MODEL_DIRECTORY) {
        CHECK(result == -EISDIR, "%lld", (long long)result);
        return;
    }
    if (no_space(world, result))
        return;
    CHECK(result > 0 && (size_t)result <= length, "write gives %lld", (long long)result);
    if (result > 0)
        model_write(node, offset, data, (size_t)result);
    if (result < (int64_t)length)
        no_space(world, -ENOSPC);
}

static void do_poke(struct world *world)
{
    uint32_t inode;
    struct model_node *node = random_file(world, &inode);
    if (!node || node->type != MODEL_FILE)
        return;
    size_t offset = random_offset(world, node), length = 1 + pick(world, 5000);
    uint8_t value = (uint8_t)random_next(&world->random);
    void *data;
    int64_t result = ext2_poke(world->fs, inode, offset, length, &data);
    if (no_space(world, result))
        return;
    CHECK(result > 0 && (size_t)result <= length, "poke gives %lld", (long long)result);
    if (result <= 0)
        return;
    memset(data, value, (size_t)result);
    uint8_t *copy = malloc((size_t)result);
    memset(copy, value, (size_t)result);
    model_write(node, offset, copy, (size_t)result);
    free(copy);
}

static void do_peek(struct world *world)
{
    uint32_t inode;
    struct model_node *node = random_file(world, &inode);
    if (!node || node->type != MODEL_FILE)
        return;
    size_t offset = pick(world, (uint32_t)node->size + 10);
    const void *data;
    if (pick(world, 4) == 0)
        ext2_read_ahead(world->fs, inode, offset, pick(world, 100000));
    int64_t result = ext2_peek(world->fs, inode, offset, &data);
    if (offset >= node->size) {
        CHECK(result == 0, "peek at the end gives %lld", (long long)result);
        return;
    }
    CHECK(result > 0 && offset + (size_t)result <= node->size, "%lld", (long long)result);
    CHECK(result <= 0 || !memcmp(data, node->data + offset, (size_t)result), "peek: other data");
}

static void do_truncate(struct world *world)
{
    uint32_t inode;
    struct model_node *node = random_file(world, &inode);
    if (!node || node->type != MODEL_FILE)
        return;
    size_t size =
        pick(world, 3) ? random_offset(world, node) : pick(world, (uint32_t)node->size + 1);
    int result = ext2_truncate(world->fs, inode, size);
    CHECK(result == 0, "truncate gives %d", result);
    if (!result)
        model_resize(node, size);
}

static void do_hold(struct world *world)
{
    struct model_node **place = &world->held[pick(world, HELD)];
    if (*place) {
        uint32_t inode = (*place)->inode;
        ext2_drop(world->fs, inode);
        if ((*place)->holds == 1)
            (*place)->inode = 0;
        model_drop(*place);
        *place = NULL;
        return;
    }
    uint32_t inode;
    struct model_node *node = random_file(world, &inode);
    if (!node)
        return;
    int result = ext2_hold(world->fs, inode);
    CHECK(result == 0, "hold gives %d", result);
    if (result)
        return;
    node->inode = inode;
    node->holds++;
    *place = node;
}

static void do_sync(struct world *world)
{
    ext2_set_time(world->fs, NOW + ++world->now * UINT64_C(1000000000));
    int result = pick(world, 3) ? ext2_sync_some(world->fs, pick(world, 20)) : ext2_sync(world->fs);
    CHECK(result >= 0, "sync gives %d", result);
}

static void operate(struct world *world)
{
    static void (*const operations[])(struct world *) = {
        do_create, do_create, do_create, do_remove, do_remove, do_rename, do_rename,   do_link,
        do_write,  do_write,  do_poke,   do_peek,   do_peek,   do_hold,   do_truncate, do_sync,
    };
    operations[pick(world, 16)](world);
    world->done++;
}

static void drop_all(struct world *world)
{
    for (int i = 0; i < HELD; i++)
        if (world->held[i]) {
            ext2_drop(world->fs, world->held[i]->inode);
            if (world->held[i]->holds == 1)
                world->held[i]->inode = 0;
            model_drop(world->held[i]);
            world->held[i] = NULL;
        }
}

static void remove_tree(struct world *world, struct model_node *directory, uint32_t inode)
{
    while (directory->count) {
        char name[256];
        strcpy(name, directory->entries[0].name);
        struct model_node *node = directory->entries[0].node;
        if (node->type == MODEL_DIRECTORY) {
            uint32_t child;
            CHECK(!ext2_lookup(world->fs, inode, name, strlen(name), &child), "%s", name);
            remove_tree(world, node, child);
            int result = ext2_rmdir(world->fs, inode, name, strlen(name));
            CHECK(result == 0, "rmdir %s gives %d", name, result);
            model_rmdir(directory, name);
        } else {
            int result = ext2_unlink(world->fs, inode, name, strlen(name));
            CHECK(result == 0, "unlink %s gives %d", name, result);
            model_unlink(directory, name);
        }
    }
}

/* A build for journals gives each disk one, and a crash in the middle: not what is on the disk
 * after the last unmount counts, but what a replay makes of the disk as it is. */
#ifdef JOURNALED
static void add_journal(char *options, size_t size, size_t *kib)
{
    size_t mib = strstr(options, "-b 4096") ? 4 : strstr(options, "-b 2048") ? 2 : 1;
    snprintf(options + strlen(options), size - strlen(options), " -j -J size=%zu", mib);
    *kib += mib * 1024 + 50;
}

static void remount(struct world *world, size_t cache)
{
    CHECK(!ext2_sync(world->fs), "sync");
    world->fs = image_crash(&world->image, world->fs, cache);
}
#else
static void add_journal(char *options, size_t size, size_t *kib)
{
    (void)options, (void)size, (void)kib;
}

static void remount(struct world *world, size_t cache)
{
    CHECK(!ext2_unmount(world->fs), "unmount");
    image_fsck(&world->image, "remount");
    world->fs = image_mount(&world->image, cache);
}
#endif

static void run_seed(uint64_t seed, const char *disk, size_t kib, size_t cache, bool verbose)
{
    struct world world = {.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
    struct ext2_info before, after;
    struct ext2_stat root_before, root_after;
    char what[128], options[256];
    snprintf(options, sizeof options, "%s", disk);
    add_journal(options, sizeof options, &kib);
    snprintf(what, sizeof what, "seed %llu, %s", (unsigned long long)seed, options);
    unsigned failed = check_failed;
    image_make(&world.image, options, kib);
    world.fs = image_mount(&world.image, cache);
    world.root = model_new(MODEL_DIRECTORY);
    world.root->links = 2;
    ext2_info(world.fs, &before);
    ext2_stat(world.fs, EXT2_ROOT_INODE, &root_before);
    for (int round = 0; round < 2 && check_failed == failed; round++) {
        for (int i = 0; i < OPERATIONS && check_failed == failed; i++)
            operate(&world);
        drop_all(&world);
        model_compare(world.fs, EXT2_ROOT_INODE, world.root, "");
        CHECK(world.fs->transaction.worst <= TRANSACTION_BLOCKS, "%u", world.fs->transaction.worst);
        remount(&world, cache);
        model_compare(world.fs, EXT2_ROOT_INODE, world.root, "");
    }
    if (verbose)
        printf("%s: %u operations, %u times ENOSPC\n", what, world.done, world.no_space);
    remove_tree(&world, world.root, EXT2_ROOT_INODE);
    ext2_info(world.fs, &after);
    ext2_stat(world.fs, EXT2_ROOT_INODE, &root_after);
    uint64_t grown = (root_after.blocks - root_before.blocks) / (before.block_size / 512);
    CHECK(after.blocks_free + grown == before.blocks_free, "%s: %u blocks free, %u before", what,
          after.blocks_free, before.blocks_free);
    CHECK(after.inodes_free == before.inodes_free, "%s: %u inodes free", what, after.inodes_free);
    CHECK(!ext2_unmount(world.fs), "unmount");
    image_fsck(&world.image, what);
    if (check_failed != failed)
        printf("^ %s\n", what);
    model_free(world.root);
    image_free(&world.image);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *options;
        size_t kib, cache;
    } disks[] = {
        {"-b 1024 -N 160", 1500, 64},
        {"-b 1024 -N 300 -g 256 -O ^resize_inode,^meta_bg", 3000, 64},
        {"-b 2048 -N 200 -I 128", 3000, 100},
        {"-b 4096 -N 200 -m 0", 5000, 64},
        {"-b 1024 -O ^filetype,^sparse_super,^resize_inode -m 10", 2000, 1000},
        {"-b 1024 -I 1024 -N 90", 1200, 64},
    };
    unsigned first = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    unsigned last = argc > 2 ? (unsigned)atoi(argv[2]) : argc > 1 ? first : SEEDS;
    for (unsigned seed = first; seed <= last; seed++) {
        unsigned disk = seed % (sizeof disks / sizeof disks[0]);
        run_seed(seed, disks[disk].options, disks[disk].kib, disks[disk].cache, argc > 1);
    }
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
