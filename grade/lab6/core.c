/* core DIRECTORY: runs the file of commands in DIRECTORY on the ext2 core and the image there.
 *
 * DIRECTORY holds disk.img, commands (one per line), data (bytes to write) and receives replies:
 * for each command a line "RESULT BUFFERS STATES LENGTH" and LENGTH bytes; behind the last one
 * "end". BUFFERS and STATES count what is still pinned after the command (the superblock aside).
 * A DIR or INODE that begins with a slash is a path. */
#include "abi/errno.h"
#include "fsd/ext2/alloc.h"
#include "fsd/ext2/branch.h"
#include "fsd/ext2/dir.h"
#include "fsd/ext2/fs.h"
#include "record.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW        UINT64_C(1700000000000000000) /* ns: no file of a new image is that old */
#define WORDS_MAX  6
#define LINE_BYTES 2048
#define REPLY_MAX  (1u << 20)
#define INODES_MAX 32

static struct ext2 *fs;
static FILE *replies;
static unsigned fail_read; /* fail the Nth request to read from now on; 0: none */
static const char *data;   /* what write takes its bytes from */
static size_t data_size;
static char payload[REPLY_MAX];
static size_t payload_len;

/* ---- The disk --------------------------------------------------------------------------- */

static int image;

static void check_request(const struct block_device *device, uint64_t offset, uint32_t length)
{
    if (length > 0 && length <= 65536 && length % 512 == 0 && offset % 512 == 0 &&
        offset <= device->size && length <= device->size - offset)
        return;
    fprintf(stderr, "the disk is asked for %u bytes at %llu, which it does not have\n", length,
            (unsigned long long)offset);
    exit(5);
}

static int disk_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    check_request(device, offset, length);
    if (fail_read && --fail_read == 0)
        return -EIO;
    return pread(image, buffer, length, (off_t)offset) == (ssize_t)length ? 0 : -EIO;
}

static int disk_write(struct block_device *device, uint64_t offset, const void *buffer,
                      uint32_t length)
{
    check_request(device, offset, length);
    record_write(offset, buffer, length);
    return pwrite(image, buffer, length, (off_t)offset) == (ssize_t)length ? 0 : -EIO;
}

static int disk_flush(struct block_device *device)
{
    (void)device;
    record_flush();
    return 0;
}

static struct block_device disk = {.read = disk_read, .write = disk_write, .flush = disk_flush};

/* Memory that nobody has cleared. */
static void *allocate(size_t bytes)
{
    void *memory = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
    if (memory)
        memset(memory, 0xA5, bytes);
    return memory;
}

/* ---- Commands --------------------------------------------------------------------------- */

struct words {
    unsigned count;
    char *word[WORDS_MAX];
};

static uint64_t number(const struct words *words, unsigned index)
{
    return index < words->count ? strtoull(words->word[index], NULL, 10) : 0;
}

/* An inode by its number or its path; errors come out as those of the command. */
static int64_t inode_of(const struct words *words, unsigned index)
{
    const char *word = words->word[index];
    uint32_t inode = 0;
    if (word[0] != '/')
        return (int64_t)number(words, index);
    int error = ext2_walk(fs, EXT2_ROOT_INODE, word, strlen(word), false, &inode);
    return error ? error : inode;
}

static void answer(const void *bytes, size_t length)
{
    memcpy(payload + payload_len, bytes, length);
    payload_len += length;
}

static int64_t do_mount(const struct words *words)
{
    struct ext2_options options = {.read_only = number(words, 2) != 0,
                                   .cache_blocks = number(words, 1),
                                   .allocate = allocate,
                                   .release = free,
                                   .now = NOW};
    return ext2_mount(&fs, &disk, &options);
}

static int64_t do_unmount(const struct words *words)
{
    (void)words;
    int error = ext2_unmount(fs);
    fs = NULL;
    return error;
}

static int64_t do_sync(const struct words *words)
{
    (void)words;
    return ext2_sync(fs);
}

static int64_t do_fsync(const struct words *words)
{
    int64_t inode = inode_of(words, 1);
    return inode < 0 ? inode : ext2_fsync(fs, (uint32_t)inode);
}

/* From here on the disk's writes are recorded. */
static int64_t do_record(const struct words *words)
{
    (void)words;
    record_begin("writes.log");
    return 0;
}

static int64_t do_recorded(const struct words *words)
{
    (void)words;
    return (int64_t)record_length();
}

/* The running transaction's buffers, in its order (number and contents), and then into the log. */
static int64_t do_transaction(const struct words *words)
{
    (void)words;
    const struct buffer *buffer = fs->cache.running_list.dirty_next;
    for (; buffer != &fs->cache.running_list; buffer = buffer->dirty_next) {
        answer(&buffer->block, sizeof buffer->block);
        answer(buffer->data, fs->block_size);
    }
    fs->journal.at = fs->journal.head;
    int error = log_all_buffers(fs);
    return error ? error : log_write(fs);
}

static int64_t do_fail(const struct words *words)
{
    fail_read = (unsigned)number(words, 1);
    return 0;
}

/* ---- Inodes and branches ---- */

static int64_t do_stat(const struct words *words)
{
    struct ext2_stat stat;
    int64_t inode = inode_of(words, 1);
    int64_t result = inode < 0 ? inode : ext2_stat(fs, (uint32_t)inode, &stat);
    if (result == 0)
        payload_len = (size_t)snprintf(payload, sizeof payload, "%u %u %llu %llu %u %u %u %u",
                                       stat.mode, stat.links, (unsigned long long)stat.size,
                                       (unsigned long long)stat.blocks, stat.uid, stat.gid,
                                       stat.mtime, stat.generation);
    return result;
}

/* The state that is kept beside an inode: got twice, then held and got once more. */
static int64_t do_state(const struct words *words)
{
    const uint32_t inode = (uint32_t)number(words, 1);
    struct inode first, second, held;
    int result = inode_get(fs, inode, &first);
    if (result)
        return result;
    result = inode_get(fs, inode, &second);
    if (result) {
        inode_put(&first);
        return result;
    }
    bool same = first.state == second.state && first.disk == second.disk;
    const uint32_t pins = first.state->pins, before = first.state->number;
    inode_put(&second);
    inode_put(&first);
    result = ext2_hold(fs, inode);
    if (!result)
        result = ext2_hold(fs, inode);
    if (result)
        return result;
    result = inode_get(fs, inode, &held);
    if (!result) {
        payload_len = (size_t)snprintf(payload, sizeof payload, "%d %u %u %u %u", same, pins,
                                       before, held.state->number, held.state->holds);
        inode_put(&held);
    }
    ext2_drop(fs, inode);
    ext2_drop(fs, inode);
    return result;
}

/* Gets many inodes at once; the result of the first that fails. */
static int64_t do_many(const struct words *words)
{
    struct inode inodes[INODES_MAX];
    const uint32_t first = (uint32_t)number(words, 1), count = (uint32_t)number(words, 2);
    uint32_t got = 0;
    int result = 0;
    while (got < count && got < INODES_MAX && !result) {
        result = inode_get(fs, first + got, &inodes[got]);
        got += !result;
    }
    while (got > 0)
        inode_put(&inodes[--got]);
    return result;
}

static int64_t do_branch(const struct words *words)
{
    const struct ext2 geometry = {.pointer_bits = (uint32_t)number(words, 2)};
    struct branch branch;
    memset(&branch, 0xA5, sizeof branch);
    int result = branch_find(&geometry, number(words, 1), &branch);
    if (result)
        return result;
    for (unsigned i = 0; i < branch.depth && i < BRANCH_LEVELS; i++)
        payload_len += (size_t)snprintf(payload + payload_len, sizeof payload - payload_len, "%s%u",
                                        i ? " " : "", branch.index[i]);
    return branch.depth;
}

/* ---- Files ---- */

static int64_t do_read(const struct words *words)
{
    int64_t inode = inode_of(words, 1);
    size_t length = number(words, 3) < REPLY_MAX ? number(words, 3) : REPLY_MAX;
    if (inode < 0)
        return inode;
    memset(payload, 0xA5, length);
    int64_t result = ext2_read(fs, (uint32_t)inode, number(words, 2), payload, length);
    payload_len = result > 0 ? (size_t)result : 0;
    return result;
}

static int64_t do_write(const struct words *words)
{
    int64_t inode = inode_of(words, 1);
    const uint64_t length = number(words, 3), from = number(words, 4);
    if (inode < 0)
        return inode;
    if (from > data_size || length > data_size - from)
        return -EINVAL;
    return ext2_write(fs, (uint32_t)inode, number(words, 2), data + from, length);
}

static int64_t do_truncate(const struct words *words)
{
    int64_t inode = inode_of(words, 1);
    return inode < 0 ? inode : ext2_truncate(fs, (uint32_t)inode, number(words, 2));
}

static int64_t do_hold(const struct words *words)
{
    int64_t inode = inode_of(words, 1);
    int result = inode < 0 ? (int)inode : ext2_hold(fs, (uint32_t)inode);
    return result ? result : inode;
}

static int64_t do_drop(const struct words *words)
{
    ext2_drop(fs, (uint32_t)number(words, 1));
    return 0;
}

/* ---- Names ---- */

static int64_t do_lookup(const struct words *words)
{
    const char *name = words->word[2];
    uint32_t found = 0;
    int64_t directory = inode_of(words, 1);
    if (directory < 0)
        return directory;
    int result = ext2_lookup(fs, (uint32_t)directory, name, strlen(name), &found);
    return result ? result : (int64_t)found;
}

/* Where there is room for a name: "block offset", or nothing. */
static int64_t do_space(const struct words *words)
{
    const char *name = words->word[2];
    struct inode directory;
    struct slot slot;
    int64_t number = inode_of(words, 1);
    int result = number < 0 ? (int)number : inode_get_directory(fs, (uint32_t)number, &directory);
    if (result)
        return result;
    result = dir_find_space(fs, &directory, name, strlen(name), &slot);
    if (!result && slot.buffer)
        payload_len =
            (size_t)snprintf(payload, sizeof payload, "%u %u", slot.buffer->block, slot.offset);
    slot_put(&slot);
    inode_put(&directory);
    return result;
}

static int64_t do_list(const struct words *words)
{
    struct ext2_dirent entry;
    uint64_t cookie = 0;
    int64_t directory = inode_of(words, 1);
    int result = directory < 0 ? (int)directory : 1;
    while (result > 0) {
        result = ext2_readdir(fs, (uint32_t)directory, cookie, &entry, &cookie);
        if (result > 0 && payload_len < REPLY_MAX - LINE_BYTES) {
            answer(entry.name, entry.name_len);
            answer("\n", 1);
        }
    }
    return result;
}

static int64_t do_create(const struct words *words)
{
    const char *name = words->word[2];
    uint32_t made = 0;
    int64_t directory = inode_of(words, 1);
    if (directory < 0)
        return directory;
    int result = ext2_create(fs, (uint32_t)directory, name, strlen(name), 0640, &made);
    return result ? result : (int64_t)made;
}

static int64_t do_symlink(const struct words *words)
{
    const char *name = words->word[2], *target = words->word[3];
    int64_t directory = inode_of(words, 1);
    return directory < 0
               ? directory
               : ext2_symlink(fs, (uint32_t)directory, name, strlen(name), target, strlen(target));
}

static int64_t do_link(const struct words *words)
{
    const char *name = words->word[3];
    int64_t inode = inode_of(words, 1), directory = inode < 0 ? inode : inode_of(words, 2);
    return directory < 0 ? directory
                         : ext2_link(fs, (uint32_t)inode, (uint32_t)directory, name, strlen(name));
}

static int64_t do_rename(const struct words *words)
{
    const char *from = words->word[2], *to = words->word[4];
    int64_t old = inode_of(words, 1), new = old < 0 ? old : inode_of(words, 3);
    return new < 0
               ? new
               : ext2_rename(fs, (uint32_t)old, from, strlen(from), (uint32_t) new, to, strlen(to));
}

static int64_t do_mkdir(const struct words *words)
{
    const char *name = words->word[2];
    int64_t parent = inode_of(words, 1);
    return parent < 0 ? parent : ext2_mkdir(fs, (uint32_t)parent, name, strlen(name), 0755);
}

static int64_t do_rmdir(const struct words *words)
{
    const char *name = words->word[2];
    int64_t parent = inode_of(words, 1);
    return parent < 0 ? parent : ext2_rmdir(fs, (uint32_t)parent, name, strlen(name));
}

static int64_t do_unlink(const struct words *words)
{
    const char *name = words->word[2];
    int64_t parent = inode_of(words, 1);
    return parent < 0 ? parent : ext2_unlink(fs, (uint32_t)parent, name, strlen(name));
}

/* ---- Blocks ---- */

static int64_t do_alloc(const struct words *words)
{
    uint32_t block = 0;
    int result = transaction_begin(fs);
    if (result)
        return result;
    result = block_alloc(fs, (uint32_t)number(words, 1), &block);
    if (result) {
        transaction_abort(fs);
        return result;
    }
    result = transaction_commit(fs);
    return result ? result : (int64_t)block;
}

static int64_t do_free(const struct words *words)
{
    int result = transaction_begin(fs);
    if (!result)
        result = block_free(fs, (uint32_t)number(words, 1), false);
    return result ? result : transaction_commit(fs);
}

static int64_t do_info(const struct words *words)
{
    struct ext2_info info;
    (void)words;
    ext2_info(fs, &info);
    payload_len = (size_t)snprintf(payload, sizeof payload, "%u %u %d", info.blocks_free,
                                   info.inodes_free, info.errors);
    return 0;
}

/* ---- The loop --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned words; /* that it needs, its name among them */
    int64_t (*run)(const struct words *words);
} commands[] = {
    {"mount", 3, do_mount},   {"unmount", 1, do_unmount},   {"fail", 2, do_fail},
    {"stat", 2, do_stat},     {"state", 2, do_state},       {"many", 3, do_many},
    {"branch", 3, do_branch}, {"read", 4, do_read},         {"write", 5, do_write},
    {"hold", 2, do_hold},     {"drop", 2, do_drop},         {"truncate", 3, do_truncate},
    {"lookup", 3, do_lookup}, {"space", 3, do_space},       {"list", 2, do_list},
    {"create", 3, do_create}, {"symlink", 4, do_symlink},   {"link", 4, do_link},
    {"mkdir", 3, do_mkdir},   {"rmdir", 3, do_rmdir},       {"unlink", 3, do_unlink},
    {"alloc", 2, do_alloc},   {"free", 2, do_free},         {"rename", 5, do_rename},
    {"info", 1, do_info},     {"sync", 1, do_sync},         {"fsync", 2, do_fsync},
    {"record", 1, do_record}, {"recorded", 1, do_recorded}, {"transaction", 1, do_transaction},
};

static int count_buffers(void)
{
    int pins = -1; /* the superblock's */
    for (uint32_t i = 0; i < fs->cache.count; i++)
        pins += (int16_t)fs->cache.buffers[i].pins;
    return pins;
}

static int count_states(void)
{
    int pins = 0;
    for (uint32_t i = 0; i < INODES_SCRATCH; i++)
        pins += (int)fs->inode_table.scratch[i].pins;
    for (uint32_t i = 0; i < INODES_HELD_MAX; i++)
        pins += (int)fs->inode_table.states[i].pins;
    return pins;
}

static void run(char *line)
{
    struct words words = {0};
    for (char *word = strtok(line, " \n"); word && words.count < WORDS_MAX;
         word = strtok(NULL, " \n"))
        words.word[words.count++] = word;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!words.count || strcmp(words.word[0], commands[i].name) != 0 ||
            words.count < commands[i].words)
            continue;
        payload_len = 0;
        if (!fs && commands[i].run != do_mount && commands[i].run != do_branch &&
            commands[i].run != do_record) {
            fprintf(stderr, "no file system is mounted\n");
            exit(2);
        }
        int64_t result = commands[i].run(&words);
        fprintf(replies, "%lld %d %d %zu\n", (long long)result, fs ? count_buffers() : 0,
                fs ? count_states() : 0, payload_len);
        fwrite(payload, 1, payload_len, replies);
        fflush(replies);
        return;
    }
    fprintf(stderr, "unknown command: %s\n", words.count ? words.word[0] : "");
    exit(2);
}

static FILE *open_file(const char *name, const char *mode)
{
    FILE *file = fopen(name, mode);
    if (!file) {
        perror(name);
        exit(2);
    }
    return file;
}

int main(int argc, char **argv)
{
    static char line[LINE_BYTES];
    struct stat status;
    if (argc != 2 || chdir(argv[1]) != 0) {
        fprintf(stderr, "usage: core DIRECTORY\n");
        return 2;
    }
    image = open("disk.img", O_RDWR);
    if (image < 0 || fstat(image, &status) != 0) {
        perror("disk.img");
        return 2;
    }
    disk.size = (uint64_t)status.st_size;
    FILE *script = open_file("commands", "r"), *bytes = open_file("data", "r");
    replies = open_file("replies", "w");
    if (fstat(fileno(bytes), &status) != 0)
        return 2;
    data_size = (size_t)status.st_size;
    char *memory = malloc(data_size + 1);
    if (!memory || fread(memory, 1, data_size, bytes) != data_size)
        return 2;
    data = memory;
    while (fgets(line, sizeof line, script))
        run(line);
    fprintf(replies, "end\n");
    fclose(replies);
    return 0;
}
