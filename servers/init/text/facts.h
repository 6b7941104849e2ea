/* What init serves as text: which names there are under proc:, time:, boot: and sys:, and what
 * they say. textfiles.c puts the file protocol around it. */
#pragma once

#include "init/init.h"
#include "lib/cpio.h"

enum fact_kind {
    FACT_PROC_ROOT = 1, /* directories first */
    FACT_PROCESS,       /* proc:N, proc:self */
    FACT_BOOT_ROOT,
    FACT_SYS_ROOT,
    FACT_DIRECTORY_LAST = FACT_SYS_ROOT,
    FACT_PROCESS_LIST, /* proc:list */
    FACT_PROCESS_STATE,
    FACT_PROCESS_MEMORY,
    FACT_TIME,
    FACT_BOOT_FILE,
    FACT_VERSION,
    FACT_MEMORY,
    FACT_SCHEDULER,
    FACT_IPC,
    FACT_DEVICES,
    FACT_SERVICES,
    FACT_COMMAND_LINE,
    FACT_LOG,
};

struct fact {
    enum fact_kind kind;
    uint32_t pid;          /* of the kinds that are about one process */
    struct cpio_file file; /* FACT_BOOT_FILE */
};

struct fact_entry {
    char name[64];
    bool directory;
};

static inline bool fact_is_directory(const struct fact *fact)
{
    return fact->kind <= FACT_DIRECTORY_LAST;
}

/* fact_root: what a name that init serves leads to. fact_find: the fact at path below another;
 * segments end at ':' or '/'; "self" is the process self. 0, -ENOENT, -ENOTDIR. */
struct fact fact_root(enum init_root root);
int fact_find(const struct fact *from, const char *path, uint32_t self, struct fact *found);

/* fact_entry: the entry of a directory with the smallest cookie >= *cookie, and *cookie behind it;
 * false behind the last. Cookies are stable while entries come and go. */
bool fact_entry(const struct fact *directory, uint64_t *cookie, struct fact_entry *entry);

/* fact_render: the text of a file, in a buffer that is overwritten by the next call. */
const char *fact_render(const struct fact *fact, size_t *len);

/* fact_log_read: the kernel's log from offset on (counted from boot); *offset moves to the oldest
 * byte still kept, if need be. Bytes, 0 at the end, or -errno. */
int64_t fact_log_read(uint64_t *offset, char *buffer, size_t size);
