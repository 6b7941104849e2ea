/* The names under proc:, time:, boot: and sys:, and which of them are there now. The kernel knows
 * of processes, init of their parents and of those that ended and wait to be waited for. */

#include "facts.h"
#include "init/archive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum fact_kind directory;
    const char *name;
    enum fact_kind kind;
} fixed[] = {
    {FACT_PROC_ROOT, "list", FACT_PROCESS_LIST},
    {FACT_PROCESS, "state", FACT_PROCESS_STATE},
    {FACT_PROCESS, "memory", FACT_PROCESS_MEMORY},
    {FACT_SYS_ROOT, "version", FACT_VERSION},
    {FACT_SYS_ROOT, "memory", FACT_MEMORY},
    {FACT_SYS_ROOT, "scheduler", FACT_SCHEDULER},
    {FACT_SYS_ROOT, "ipc", FACT_IPC},
    {FACT_SYS_ROOT, "devices", FACT_DEVICES},
    {FACT_SYS_ROOT, "services", FACT_SERVICES},
    {FACT_SYS_ROOT, "commandline", FACT_COMMAND_LINE},
    {FACT_SYS_ROOT, "log", FACT_LOG},
};
#define FIXED_COUNT (sizeof fixed / sizeof fixed[0])

struct fact fact_root(enum init_root root)
{
    static const enum fact_kind kinds[] = {
        [ROOT_PROC] = FACT_PROC_ROOT,
        [ROOT_TIME] = FACT_TIME,
        [ROOT_BOOT] = FACT_BOOT_ROOT,
        [ROOT_SYS] = FACT_SYS_ROOT,
    };
    return (struct fact){.kind = kinds[root]};
}

static bool process_exists(uint32_t pid)
{
    struct message m = {.type = KFACT_PROCESS, .len = 8};
    m.words[0] = pid;
    if (process_find(&init.table, pid) != NULL)
        return true;
    return channel_call(init.info->facts, &m) == 0 && m.words[0] == 0 &&
           ((const struct process_facts *)&m.words[1])->pid == pid;
}

static bool parse_pid(const char *name, uint32_t *pid)
{
    uint64_t value = 0;
    if (*name == '\0')
        return false;
    for (; *name != '\0'; name++) {
        if (*name < '0' || *name > '9')
            return false;
        value = value * 10 + (uint64_t)(*name - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *pid = (uint32_t)value;
    return true;
}

/* One step down from a directory. */
static int find_child(const struct fact *from, const char *name, uint32_t self, struct fact *found)
{
    *found = (struct fact){.pid = from->pid};
    for (size_t i = 0; i < FIXED_COUNT; i++) {
        if (fixed[i].directory == from->kind && strcmp(fixed[i].name, name) == 0) {
            found->kind = fixed[i].kind;
            return 0;
        }
    }
    if (from->kind == FACT_BOOT_ROOT) {
        found->kind = FACT_BOOT_FILE;
        return archive_find(name, &found->file);
    }
    if (from->kind != FACT_PROC_ROOT)
        return -ENOENT;
    found->kind = FACT_PROCESS;
    found->pid = self;
    if (strcmp(name, "self") != 0 && !parse_pid(name, &found->pid))
        return -ENOENT;
    return process_exists(found->pid) ? 0 : -ENOENT;
}

int fact_find(const struct fact *from, const char *path, uint32_t self, struct fact *found)
{
    char name[128];

    *found = *from;
    while (*path != '\0') {
        size_t len = strcspn(path, ":/");
        if (!fact_is_directory(found))
            return -ENOTDIR;
        if (len >= sizeof name)
            return -ENOENT;
        memcpy(name, path, len);
        name[len] = '\0';
        path += len + (path[len] != '\0');
        if (len == 0)
            continue;
        struct fact directory = *found;
        int error = find_child(&directory, name, self, found);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Cookies 0..FIXED_COUNT-1 are the fixed names; then comes one per process, or per archived file.
 */
static bool next_process(uint64_t *cookie, struct fact_entry *entry)
{
    struct message m = {.type = KFACT_PROCESS, .len = 8};
    const struct process_facts *facts = (const struct process_facts *)&m.words[1];

    m.words[0] = *cookie - FIXED_COUNT;
    if (channel_call(init.info->facts, &m) < 0 || m.words[0] != 0)
        return false;
    snprintf(entry->name, sizeof entry->name, "%u", (unsigned)facts->pid);
    entry->directory = true;
    *cookie = (uint64_t)facts->pid + 1 + FIXED_COUNT;
    return true;
}

static bool next_file(uint64_t *cookie, struct fact_entry *entry)
{
    struct cpio_file file;
    size_t position = 0;

    for (uint64_t i = FIXED_COUNT; i <= *cookie; i++)
        if (cpio_next(init.archive, init.info->archive_size, &position, &file) <= 0)
            return false;
    snprintf(entry->name, sizeof entry->name, "%s", file.name);
    entry->directory = false;
    (*cookie)++;
    return true;
}

bool fact_entry(const struct fact *directory, uint64_t *cookie, struct fact_entry *entry)
{
    for (; *cookie < FIXED_COUNT; (*cookie)++) {
        if (fixed[*cookie].directory != directory->kind)
            continue;
        snprintf(entry->name, sizeof entry->name, "%s", fixed[*cookie].name);
        entry->directory = false;
        (*cookie)++;
        return true;
    }
    if (directory->kind == FACT_PROC_ROOT)
        return next_process(cookie, entry);
    if (directory->kind == FACT_BOOT_ROOT)
        return next_file(cookie, entry);
    return false;
}

int64_t fact_log_read(uint64_t *offset, char *buffer, size_t size)
{
    size_t used = 0;

    while (used < size) {
        struct message m = {.type = KCON_LOG, .len = 8};
        m.words[0] = *offset + used;
        int error = channel_call(init.info->console, &m);
        if (error < 0)
            return error;
        int64_t bytes = (int64_t)m.words[0];
        if (bytes == -ENODATA && used == 0 && m.words[1] > *offset) {
            *offset = m.words[1];
            continue;
        }
        if (bytes <= 0)
            return used > 0 ? (int64_t)used : bytes;
        size_t take = (size_t)bytes < size - used ? (size_t)bytes : size - used;
        memcpy(buffer + used, &m.words[1], take);
        used += take;
    }
    return (int64_t)used;
}
