/* du: how much room files and trees take. A file with several links counts once. */
#include "common/human.h"
#include "common/walk.h"

static const char usage[] = "usage: du [-abchks] [-d DEPTH] [FILE]...\n"
                            "  -a        also files, not only directories\n"
                            "  -s        only the operands themselves\n"
                            "  -d DEPTH  only so many levels below the operands\n"
                            "  -b        bytes that can be read, not room taken\n"
                            "  -c        with a total\n"
                            "  -h        with units\n"
                            "  -k        units of 1024 bytes (usual)\n";

static struct {
    bool all, bytes, human;
    uint64_t depth;
} options = {.depth = UINT64_MAX};

struct sums {
    uint64_t *of_level; /* what has been found at and below each open directory */
    size_t count, capacity;
    uint64_t total;
    int status;
};

/* Files with several links seen so far: an open-addressed table that doubles. */
static struct {
    struct stat *slots;
    size_t count, size;
} seen;

static size_t slot_of(const struct stat *file)
{
    return (size_t)((uint64_t)file->st_ino * 0x9e3779b97f4a7c15ull >> 20) & (seen.size - 1);
}

static void grow_seen(void)
{
    struct stat *old = seen.slots;
    size_t old_size = seen.size;
    seen.size = old_size > 0 ? old_size * 2 : 64;
    seen.slots = must_allocate(seen.size * sizeof(struct stat));
    memset(seen.slots, 0, seen.size * sizeof(struct stat));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].st_ino == 0)
            continue;
        size_t slot = slot_of(&old[i]);
        while (seen.slots[slot].st_ino != 0)
            slot = (slot + 1) & (seen.size - 1);
        seen.slots[slot] = old[i];
    }
    free(old);
}

/* was_seen: and remembers it. */
static bool was_seen(const struct stat *file)
{
    if (file->st_nlink < 2 || file->st_ino == 0 || S_ISDIR(file->st_mode))
        return false;
    if (2 * seen.count >= seen.size)
        grow_seen();
    size_t slot = slot_of(file);
    for (; seen.slots[slot].st_ino != 0; slot = (slot + 1) & (seen.size - 1))
        if (same_file(&seen.slots[slot], file))
            return true;
    seen.slots[slot] = *file;
    seen.count++;
    return false;
}

static void print(uint64_t bytes, const char *path)
{
    char text[HUMAN_SIZE];
    if (options.human)
        output_format("%s\t%s\n", human_size(text, bytes), path);
    else
        output_format("%llu\t%s\n",
                      (unsigned long long)(options.bytes ? bytes : (bytes + 1023) / 1024), path);
}

static uint64_t size_of(const struct stat *file)
{
    return options.bytes ? (uint64_t)file->st_size : (uint64_t)file->st_blocks * 512;
}

static enum walk_answer visit(const struct walk_entry *entry, enum walk_event event, void *context)
{
    struct sums *sums = context;
    uint64_t size = 0;

    if (event == WALK_ERROR) {
        errno = entry->error;
        warn("%s", entry->path);
        sums->status = 1;
        return WALK_CONTINUE;
    }
    if (event == WALK_ENTER) {
        sums->of_level = must_grow(sums->of_level, sums->count, &sums->capacity, sizeof(uint64_t));
        sums->of_level[sums->count++] = size_of(&entry->stat);
        return WALK_CONTINUE;
    }
    if (event == WALK_LEAVE)
        size = sums->of_level[--sums->count];
    else if (was_seen(&entry->stat))
        return WALK_CONTINUE;
    else
        size = size_of(&entry->stat);
    if (sums->count > 0)
        sums->of_level[sums->count - 1] += size;
    else
        sums->total += size;
    bool shown = event == WALK_LEAVE || options.all || entry->depth == 0;
    if (shown && entry->depth <= options.depth)
        print(size, entry->path);
    return WALK_CONTINUE;
}

int main(int argc, char **argv)
{
    static char here[] = ".", *only_here[] = {here, NULL};
    struct sums sums = {0};
    struct walk walk = {.visit = visit, .context = &sums};
    bool total = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "abchksd:")) != -1) {
        options.all |= option == 'a';
        options.bytes |= option == 'b';
        options.human = option == 'h' || (options.human && option != 'k');
        total |= option == 'c';
        if (option == 's')
            options.depth = 0;
        if (option == 'd' && !parse_count(optarg, &options.depth))
            errx(1, "%s: invalid depth", optarg);
    }
    for (char **path = optind < argc ? argv + optind : only_here; *path != NULL; path++)
        walk_tree(&walk, *path);
    if (total)
        print(sums.total, "total");
    free(sums.of_level);
    free(seen.slots);
    return sums.status;
}
