/* Fuzzes fsd with messages. After each input all files are removed, and then no block and no inode
 * may be missing. */
#include "fuzz.h"
#include "proto/fs.h"
#include "serve.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    FS_OPEN,     FS_CLOSE,  FS_READ,    FS_WRITE,    FS_SEEK,       FS_STAT,       FS_FSTAT,
    FS_FSYNC,    FS_READDIR, FS_MKDIR,  FS_RMDIR,    FS_UNLINK,     FS_RENAME,     FS_LINK,
    FS_TRUNCATE, FS_CHMOD,  FS_UTIME,   FS_SYNC,     FS_SYMLINK,    FS_READLINK,   FS_STATFS,
    FS_FTRUNCATE, FS_POLL,  FS_SYNC_ASYNC, FS_JOB_STATUS, FS_SET_FLAGS, FS_OPEN,   FS_OPEN,
};
static const char *const names[] = {"a", "b", "dir", "lost+found", "..", ".", "", "a/b", "/", "x\n"};

static struct host_process *cleaner;
static int cleaner_root;

static void welcome(struct host_process *process)
{
    host_root(process);
}

static int64_t path_call(uint32_t type, const char *path, size_t len, struct message *m)
{
    struct host_window window = {(uint8_t *)(uintptr_t)path, len, len, WINDOW_READ, false};
    *m = (struct message){.type = type, .len = sizeof(struct fs_path_request), .window_count = 1};
    struct fs_path_request *r = (struct fs_path_request *)m->data;
    r->path_len = (uint32_t)len;
    if (len <= FS_PATH_INLINE)
        memcpy(r->path, path, len);
    return host_result(cleaner, cleaner_root, m, &window);
}

/* The first entry of a directory that is to go, behind its path; false: it is empty. */
static bool first_entry(const char *path, size_t len, char *name, bool *directory)
{
    static uint8_t records[65536];
    struct host_window window = {records, sizeof records, sizeof records, WINDOW_WRITE, false};
    struct message m;
    if (path_call(FS_OPEN, path, len, &m) < 0)
        host_bug("a directory cannot be opened to be emptied");
    int handle = m.handles[0];
    bool found = false;
    for (uint64_t cookie = 0; !found;) {
        m = (struct message){.type = FS_READDIR, .len = 16, .words = {cookie, sizeof records},
                             .window_count = 1};
        int64_t bytes = host_result(cleaner, handle, &m, &window);
        if (bytes <= 0)
            break;
        for (int64_t at = 0; at < bytes && !found;) {
            const struct fs_dirent *entry = (const struct fs_dirent *)(records + at);
            at += entry->record_len;
            cookie = entry->next;
            found = strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0;
            if (found) {
                memcpy(name, entry->name, entry->name_len + 1u);
                *directory = entry->type == FS_IFDIR >> 12;
            }
        }
    }
    host_close(cleaner, handle);
    return found;
}

static void empty(char *path, size_t len)
{
    char name[FS_NAME_MAX + 1];
    struct message m;
    bool directory;
    while (first_entry(path, len, name, &directory)) {
        size_t end = len;
        if (len > 0)
            path[end++] = '/';
        if (end + strlen(name) >= FS_PATH_MAX)
            host_bug("a path that is too long");
        memcpy(path + end, name, strlen(name));
        end += strlen(name);
        if (directory)
            empty(path, end);
        int64_t result = path_call(directory ? FS_RMDIR : FS_UNLINK, path, end, &m);
        if (result < 0)
            host_bug("%.*s cannot be removed: %ld", (int)end, path, (long)result);
    }
}

static struct fs_statfs_reply statfs(void)
{
    struct message m = {.type = FS_STATFS};
    host_result(cleaner, cleaner_root, &m, NULL);
    return *(struct fs_statfs_reply *)m.data;
}

static uint64_t blocks_of(const char *path)
{
    struct message m;
    if (path_call(FS_STAT, path, strlen(path), &m) < 0)
        host_bug("%s has gone", path);
    return ((const struct fs_stat_reply *)m.data)->stat.blocks / 8;
}

/* Removes everything, lost+found included, and counts. */
static void settle(void)
{
    static uint64_t first;
    char path[FS_PATH_MAX];
    empty(path, 0);
    host_idle();
    struct fs_statfs_reply counts = statfs();
    uint64_t used = counts.blocks - counts.blocks_free - blocks_of("");
    if (first == 0)
        first = used;
    if (used != first || counts.inodes_free != counts.inodes - 10 || counts.read_only)
        host_bug("%lu blocks are used, %lu at first; %lu of %lu inodes are free%s",
                 (unsigned long)used, (unsigned long)first, (unsigned long)counts.inodes_free,
                 (unsigned long)counts.inodes, counts.read_only ? "; read-only" : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = fuzz_file_message,
        .welcome = welcome,
        .settle = settle,
    };
    if (cleaner == NULL) {
        serve_prepare();
        host_start(serve_fsd);
        cleaner = host_process("cleaner");
        cleaner_root = host_root(cleaner);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
