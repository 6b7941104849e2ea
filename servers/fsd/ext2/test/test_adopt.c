/* Processes die in the middle of their work on a file system, anywhere: at each request to the disk
 * in turn, wherever the order of stores matters, and at random instructions. The next one adopts
 * the memory, repeats the operation that was not finished, and goes on. In the end everything is as
 * if nobody had died; and whenever somebody dies, the disk by itself is one that e2fsck replays
 * without a question.
 *
 *     adopt [SEED]    random deaths of another seed */
#include "../fs.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include "random.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPERATIONS  1500u
#define HOLDS       8u
#define ARENA_BYTES (8u << 20)
#define DISK_KIB    6144u
#define CACHE       300u

/* What outlives the processes, at the same address for all of them. */
static struct shared {
    struct ext2 *fs;    /* NULL: not mounted yet */
    unsigned operation; /* that is to be done next */
    uint32_t held[HOLDS];
    size_t used;
    uint8_t arena[ARENA_BYTES] __attribute__((aligned(4096)));
    uint8_t disk[DISK_KIB * 1024];
} * shared;

static unsigned requests_left, stores_left; /* until this process dies; 0: it does not */

static void request(void)
{
    if (requests_left && --requests_left == 0)
        _exit(9);
}

/* The core calls it wherever the order of its stores matters. */
void store_hook(void)
{
    if (stores_left && --stores_left == 0)
        _exit(9);
}

static int disk_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    (void)device;
    request();
    memcpy(buffer, shared->disk + offset, length);
    return 0;
}

static int disk_write(struct block_device *device, uint64_t offset, const void *buffer,
                      uint32_t length)
{
    (void)device;
    request();
    memcpy(shared->disk + offset, buffer, length);
    return 0;
}

static int disk_flush(struct block_device *device)
{
    (void)device;
    request();
    return 0;
}

static struct block_device disk = {DISK_KIB * 1024, 0, disk_read, disk_write, disk_flush};

static void *allocate(size_t bytes)
{
    bytes = (bytes + 63) & ~(size_t)63;
    if (bytes > ARENA_BYTES - shared->used)
        return NULL;
    shared->used += bytes;
    return shared->arena + shared->used - bytes;
}

static void release(void *memory) { (void)memory; }

static const struct ext2_options options = {
    .cache_blocks = CACHE, .allocate = allocate, .release = release, .now = NOW, .adoptable = true};

/* ---- The work --------------------------------------------------------------------------- */

static const char *name_of(uint32_t number)
{
    static char names[4][64];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], number % 3 ? "/%s-with-a-name-%u" : "/d%.0s%u", "file",
             number % 3 ? number : number % 2);
    return name;
}

static void do_hold(uint32_t place, const char *name)
{
    struct ext2_stat stat;
    uint32_t inode;
    if (shared->held[place]) {
        inode = shared->held[place];
        shared->held[place] = 0;
        store_barrier();
        ext2_drop(shared->fs, inode);
    } else if (!path_stat(shared->fs, name, &stat) && !ext2_hold(shared->fs, stat.inode)) {
        store_barrier();
        shared->held[place] = stat.inode;
    }
}

/* Each operation, done twice or done once after a part of it, has the same end. */
static void operate(struct ext2 *fs, unsigned number)
{
    static uint8_t data[70000];
    uint64_t random = (number + 1) * UINT64_C(0x9E3779B97F4A7C15);
    random_next(&random);
    const char *a = name_of(random_below(&random, 20)), *b = name_of(random_below(&random, 20));
    uint32_t value = random_below(&random, 60000), inode;
    memset(data, 'a' + (int)(number % 26), sizeof data);
    switch (random_below(&random, 11)) {
    case 0:
    case 1:
        path_write(fs, a, value, data, 3000);
        break;
    case 2:
        path_write(fs, a, 0, data, value);
        break;
    case 3:
        path_mkdir(fs, a);
        break;
    case 4:
        path_rename(fs, a, b);
        break;
    case 5:
        path_truncate(fs, a, value);
        break;
    case 6:
        path_unlink(fs, a);
        break;
    case 7:
        path_rmdir(fs, a);
        break;
    case 8:
        path_create(fs, a, &inode);
        break;
    case 9:
        ext2_sync_some(fs, value % 100);
        break;
    default:
        ext2_sync(fs);
    }
}

static void work(void)
{
    while (shared->operation < OPERATIONS) {
        if (shared->operation % 7 == 6)
            do_hold(shared->operation % HOLDS, name_of(shared->operation % 20));
        else
            operate(shared->fs, shared->operation);
        store_barrier();
        shared->operation++;
    }
}

/* The life of one process: status 0 if it has done all the rest of the work. */
static int live(unsigned requests, unsigned stores, unsigned microseconds)
{
    requests_left = requests;
    stores_left = stores;
    if (microseconds) {
        struct itimerval timer = {.it_value.tv_usec = microseconds};
        signal(SIGALRM, SIG_DFL);
        setitimer(ITIMER_REAL, &timer, NULL);
    }
    if (ext2_adopt(shared->fs, &disk, &options, shared->held, HOLDS))
        return 3;
    work();
    return 0;
}

/* True: it came to its end. */
static bool run_process(unsigned requests, unsigned stores, unsigned microseconds)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(live(requests, stores, microseconds));
    waitpid(pid, &status, 0);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9,
          "status %x in operation %u", status, shared->operation);
    return WIFEXITED(status) && WEXITSTATUS(status) != 9;
}

/* ---- Judging ---------------------------------------------------------------------------- */

static void judge_disk(unsigned deaths)
{
    static char output[8192];
    struct image image = {.bytes = shared->disk, .size = sizeof shared->disk};
    image_save(&image, "death.img");
    int status = run("e2fsck -fy death.img", output, sizeof output);
    CHECK(status <= 1 && !strstr(output, "? yes"), "death %u, operation %u: %d:\n%s", deaths,
          shared->operation, status, output);
}

static uint64_t sum_file(struct ext2 *fs, uint32_t inode, uint64_t sum)
{
    static uint8_t data[200000];
    int64_t length = ext2_read(fs, inode, 0, data, sizeof data);
    for (int64_t i = 0; i < length; i++)
        sum = (sum ^ data[i]) * 1099511628211u;
    return sum + (uint64_t)length;
}

/* Names, sizes and contents, in one number. */
static uint64_t sum_tree(struct ext2 *fs, uint32_t directory)
{
    struct ext2_dirent entry;
    struct ext2_stat stat;
    uint64_t cookie = 0, sum = 0;
    while (ext2_readdir(fs, directory, cookie, &entry, &cookie) == 1) {
        uint64_t one = 14695981039346656037u;
        if (entry.name[0] == '.' || ext2_stat(fs, entry.inode, &stat))
            continue;
        for (const char *c = entry.name; *c; c++)
            one = (one ^ (uint8_t)*c) * 1099511628211u;
        one = (one ^ stat.links) * 1099511628211u;
        one = (one ^ stat.size) * 1099511628211u;
        one =
            stat.mode >> 12 == 4 ? one + sum_tree(fs, entry.inode) : sum_file(fs, entry.inode, one);
        sum += one * one;
    }
    return sum;
}

static void begin(void)
{
    static struct image made;
    if (!made.bytes)
        image_make(&made, "-b 1024 -N 256 -m 0 -j -J size=1", DISK_KIB);
    shared->fs = NULL;
    shared->operation = 0;
    shared->used = 0;
    memset(shared->held, 0, sizeof shared->held);
    memcpy(shared->disk, made.bytes, made.size);
    requests_left = 0;
    CHECK(!ext2_mount(&shared->fs, &disk, &options), "mount");
}

static uint64_t end(void)
{
    struct image image = {.bytes = shared->disk, .size = sizeof shared->disk};
    requests_left = 0;
    CHECK(!ext2_adopt(shared->fs, &disk, &options, shared->held, HOLDS), "adopt");
    uint64_t sum = sum_tree(shared->fs, EXT2_ROOT_INODE);
    for (uint32_t i = 0; i < shared->fs->cache.count; i++)
        CHECK(shared->fs->cache.buffers[i].pins ==
                  (&shared->fs->cache.buffers[i] == shared->fs->super_buffer),
              "a pin");
    CHECK(!ext2_unmount(shared->fs), "unmount");
    image_fsck(&image, "the end");
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t random = (argc > 1 ? strtoull(argv[1], NULL, 0) : 1) * 77 + 1;
    unsigned deaths = 0, most = 0;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    begin();
    work();
    const uint64_t expected = end();

    for (unsigned requests = 12; requests < 60; requests += 9) { /* to get ahead, too */
        begin();
        while (!run_process(requests, 0, 0) && most++ < 9000)
            if (deaths++ % 40 == 0)
                judge_disk(deaths);
        CHECK(end() == expected, "deaths at each %u requests", requests);
    }
    for (unsigned stores = 60; stores < 300; stores += 60) {
        begin();
        while (!run_process(0, stores + random_below(&random, 100), 0) && most++ < 14000)
            if (deaths++ % 40 == 0)
                judge_disk(deaths);
        CHECK(end() == expected, "deaths at each %u stores", stores);
    }
    for (unsigned round = 0; round < 6; round++) {
        begin();
        while (!run_process(0, 0, 900 + random_below(&random, 5000)) && most++ < 20000)
            if (deaths++ % 40 == 0)
                judge_disk(deaths);
        CHECK(end() == expected, "random deaths, round %u", round);
    }
    CHECK(deaths > 100 && most < 20000, "%u deaths", deaths);
    printf("note: %u deaths\n", deaths);
    return check_end();
}
