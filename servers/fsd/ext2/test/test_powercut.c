/* Power cuts. Random work on small disks is recorded, then cut at each write, and everywhere with
 * what was not flushed lost, mixed up and torn; each disk that results must have a file system
 * with everything that was promised (powercut/history.h has the rules).
 *
 * The work goes on from one of those disks, so that the replay of a journal is cut, too. Of three
 * runs on a disk the second ends with an unmount, and the third hardly ever syncs.
 *
 *     powercut [SEED [STATES]]    STATES: of each of the 12 runs */
#include "../format.h"
#include "../fs.h"
#include "check.h"
#include "image.h"
#include "powercut/judge.h"
#include "powercut/workload.h"
#include "random.h"
#include <stdlib.h>
#include <string.h>

#define STATES      210u
#define GENERATIONS 3u
#define OPERATIONS  450u
#define MEND_EVERY  7u

struct geometry {
    const char *options;
    size_t kib;
    uint32_t block_size;
    size_t cache_blocks;
    uint32_t log_blocks; /* what the journal uses of its 1,024 blocks: it wraps earlier */
};

struct total {
    unsigned states, mended, entries;
};

/* ---- The disk --------------------------------------------------------------------------- */

struct disk {
    struct image image;
    uint64_t journal_super; /* where the journal's superblock is, bytes */
};

/* Most of its journal is never used. mke2fs makes none that is as short as that. */
static void disk_make(struct disk *disk, const struct geometry *geometry)
{
    struct image *image = &disk->image;
    image_make(image, geometry->options, geometry->kib);
    const size_t descriptors = geometry->block_size == 1024 ? 2 : 1;
    const struct superblock *super = (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
    const struct group_descriptor *group =
        (struct group_descriptor *)(image->bytes + descriptors * geometry->block_size);
    const size_t inode_size = super->inode_size;
    const struct disk_inode *journal =
        (struct disk_inode *)(image->bytes + (size_t)group->inode_table * geometry->block_size +
                              (8 - 1) * inode_size);
    disk->journal_super = (uint64_t)journal->block[0] * geometry->block_size;
    uint8_t *journal_super = image->bytes + disk->journal_super;
    const uint8_t magic[] = {0xC0, 0x3B, 0x39, 0x98};
    CHECK(!memcmp(journal_super, magic, sizeof magic), "no journal");
    const uint32_t length = __builtin_bswap32(geometry->log_blocks);
    memcpy(journal_super + 16, &length, sizeof length);
}

/* ---- A run: work on a disk, then all that a cut can make of it ----------------------------- */

static int cut_order(const void *left, const void *right)
{
    const struct cut *a = left, *b = right;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return a->seed < b->seed ? -1 : a->seed > b->seed;
}

/* Behind one of the writes to the journal's superblock, which decide what is replayed. */
static size_t behind_super(const struct tape *tape, uint64_t journal_super, uint64_t *random)
{
    size_t end = 0;
    unsigned seen = 0;
    for (size_t i = 0; i < tape->count; i++)
        if (tape->entries[i].length && tape->entries[i].offset == journal_super &&
            random_below(random, ++seen) == 0)
            end = i + 1;
    return end;
}

/* Of six cuts two are behind consecutive writes, from somewhere on, with nothing lost; one is
 * anywhere, and one behind a write to the journal's superblock; and two, with half of the latter,
 * are right before a flush, when most is at stake. */
static void cuts_choose(const struct tape *tape, uint64_t journal_super, struct cut *cuts,
                        unsigned count, uint64_t *random)
{
    const uint32_t entries = (uint32_t)tape->count;
    const size_t start = random_below(random, entries);
    for (unsigned i = 0; i < count; i++) {
        size_t end = random_below(random, entries + 1);
        if (i % 3 == 0)
            end = (start + i / 3) % (entries + 1);
        else if (i % 6 == 5)
            end = behind_super(tape, journal_super, random);
        if (i % 3 == 1 || i % 12 == 5)
            while (end < entries && tape->entries[end].length)
                end++;
        cuts[i] = (struct cut){end, i % 3 ? 1 + random_next(random) : 0};
    }
    qsort(cuts, count, sizeof *cuts, cut_order);
}

/* Judges the states; one of them becomes the disk of the next run. */
static void judge_all(struct judge *judge, struct disk *disk, unsigned states, uint64_t *random)
{
    struct player player;
    struct image *image = &disk->image;
    struct cut *cuts = malloc(states * sizeof *cuts);
    struct image state = *image;
    const unsigned next = states / 2 + random_below(random, states / 2);
    state.bytes = malloc(image->size);
    player_begin(&player, judge->tape);
    cuts_choose(judge->tape, disk->journal_super, cuts, states, random);
    for (unsigned i = 0; i < states; i++) {
        player_show(&player, &cuts[i], state.bytes);
        if (i == next)
            memcpy(image->bytes, state.bytes, image->size);
        judge_state(judge, &cuts[i], &state, i % MEND_EVERY == 0);
    }
    player_end(&player);
    image_free(&state);
    free(cuts);
}

/* Mounts the disk, whatever state it is in. */
static void mount(struct workload *workload, const struct geometry *geometry, struct moment *first)
{
    struct history *history = workload->history;
    struct operation mount = {0};
    struct tree tree;
    workload->fs = image_mount(&workload->tape->image, geometry->cache_blocks);
    mount.end = workload->tape->count;
    CHECK(!tree_read(&tree, workload->fs, geometry->block_size), "reading");
    tree_adopt(&tree, history, first);
    tree_free(&tree);
    moment_copy(workload->now, first);
    history_add(history, &mount);
    moment_step(history, workload->now);
}

static void work(struct workload *workload, bool unmount)
{
    for (unsigned i = 0; i < OPERATIONS; i++)
        workload_step(workload);
    if (unmount)
        workload_unmount(workload);
    workload->tape->off = true;
    if (!unmount)
        ext2_unmount(workload->fs); /* only its memory matters */
}

static void run_generation(const struct geometry *geometry, struct disk *disk, uint64_t *random,
                           unsigned states, unsigned generation, const char *what,
                           struct total *total)
{
    struct tape tape;
    struct history history;
    struct moment first, now;
    struct judge judge;
    struct workload workload = {.tape = &tape,
                                .history = &history,
                                .now = &now,
                                .random = random_next(random) + 1,
                                .lazy = generation == 2};
    tape_begin(&tape, &disk->image);
    history_begin(&history, geometry->block_size);
    moment_begin(&first);
    moment_begin(&now);
    mount(&workload, geometry, &first);
    work(&workload, generation == 1);
    judge_begin(&judge, &history, &tape, &first, what);
    judge_all(&judge, disk, states, random);
    total->states += judge.states;
    total->mended += judge.mended;
    total->entries += (unsigned)tape.count;
    judge_end(&judge);
    moment_end(&now);
    moment_end(&first);
    history_end(&history);
    tape_end(&tape);
}

/* ---- The log's first reuse after a checkpoint ---------------------------------------------------
 *
 * Only a transaction that needs more of the log than was left at the checkpoint writes where the
 * old tail was; with chance alone it hardly comes to that. Blocks in the log's first transaction
 * that are in no later one tell if it is replayed then. */

enum { DIRECTORIES = 66, REUSE_STATES = 300 };

static void make_directories(struct workload *workload, char letter, uint32_t *directories)
{
    char text[16];
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        snprintf(text, sizeof text, "%c%u", letter, i);
        directories[i] = workload_make(workload, ROOT_OBJECT, OBJECT_DIRECTORY, text);
    }
    workload_sync(workload);
}

/* A file in each directory: as many blocks for the log. */
static void widen(struct workload *workload, const uint32_t *directories, const char *text)
{
    for (unsigned i = 0; i < DIRECTORIES; i++)
        workload_make(workload, directories[i], OBJECT_FILE, text);
    workload_sync(workload);
}

static void fill_log(struct workload *workload)
{
    const struct journal *journal = &workload->fs->journal;
    uint32_t directories[DIRECTORIES];
    char text[16];
    make_directories(workload, 'c', directories); /* nothing more happens to these */
    make_directories(workload, 'd', directories);
    for (unsigned i = 0; journal->available >= journal->limit + 10; i++) {
        snprintf(text, sizeof text, "n%u", i);
        workload_make(workload, ROOT_OBJECT, OBJECT_FILE, text);
        workload_sync(workload);
    }
    const uint64_t checkpoints = journal->checkpoints;
    const uint32_t before = journal->available;
    widen(workload, directories, "a");
    CHECK(journal->checkpoints == checkpoints + 1, "no checkpoint: %u left", journal->available);
    const uint32_t whole = journal->available;
    widen(workload, directories, "b");
    CHECK(2 * (whole - journal->available) > before + DIRECTORIES / 8,
          "%u and %u blocks reach little of where the tail was", before,
          whole - journal->available);
}

/* The last sync's log is written, and not flushed. */
static size_t before_last_log_flush(const struct history *history, const struct tape *tape)
{
    size_t end = history->operations[history->count - 1].begin;
    while (tape->entries[end].length)
        end++;
    return end;
}

static void reuse_log(unsigned seed, struct total *total)
{
    static const struct geometry geometry = {"-b 1024 -I 128 -N 496 -J size=1", 4000, 1024, 1024,
                                             512};
    uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 5;
    struct disk disk;
    struct tape tape;
    struct history history;
    struct moment first, now;
    struct judge judge;
    struct player player;
    disk_make(&disk, &geometry);
    struct workload workload = {.tape = &tape, .history = &history, .now = &now};
    tape_begin(&tape, &disk.image);
    history_begin(&history, geometry.block_size);
    moment_begin(&first);
    moment_begin(&now);
    mount(&workload, &geometry, &first);
    fill_log(&workload);
    tape.off = true;
    ext2_unmount(workload.fs);
    judge_begin(&judge, &history, &tape, &first, "the log's reuse");
    player_begin(&player, &tape);
    const size_t end = before_last_log_flush(&history, &tape);
    for (unsigned i = 0; i < REUSE_STATES; i++) {
        const struct cut cut = {end, 1 + random_next(&random)};
        player_show(&player, &cut, disk.image.bytes);
        judge_state(&judge, &cut, &disk.image, false);
    }
    total->states += judge.states;
    player_end(&player);
    judge_end(&judge);
    moment_end(&now);
    moment_end(&first);
    history_end(&history);
    tape_end(&tape);
    image_free(&disk.image);
}

int main(int argc, char **argv)
{
    static const struct geometry geometries[] = {
        {"-b 1024 -N 160 -J size=1", 3000, 1024, 128, 512},
        {"-b 1024 -I 256 -N 300 -g 2048 -O ^resize_inode -J size=1", 3500, 1024, 300, 700},
        {"-b 2048 -N 200 -J size=2", 4500, 2048, 128, 512},
        {"-b 4096 -N 200 -J size=4", 8300, 4096, 128, 512},
    };
    const unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    const unsigned states = argc > 2 ? (unsigned)atoi(argv[2]) : STATES;
    struct total total = {0};
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
        const struct geometry *geometry = &geometries[i];
        uint64_t random = (seed * 16 + i) * UINT64_C(0x9E3779B97F4A7C15) + 1;
        struct disk disk;
        disk_make(&disk, geometry);
        for (unsigned generation = 0; generation < GENERATIONS; generation++) {
            char what[160];
            snprintf(what, sizeof what, "seed %u, %s, run %u", seed, geometry->options, generation);
            run_generation(geometry, &disk, &random, states, generation, what, &total);
        }
        image_free(&disk.image);
    }
    reuse_log(seed, &total);
    CHECK(allocations == 0, "%d", allocations);
    printf("note: %u disks after power cuts (seed %u; %u writes and flushes), %u of them also "
           "replayed by e2fsck\n",
           total.states, seed, total.entries, total.mended);
    return check_end();
}
