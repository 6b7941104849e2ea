/* posix_spawn: the parent's descriptors as the file actions leave them, handed to a new process.
 *
 * Invariant: the actions work on a copy of the table; the parent's own is never changed. */
#include "spawn_state.h"

#include "../file/mode.h"
#include "../file/target.h"
#include "abi/memory.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Descriptors opened by actions belong to this plan and are closed after the start. */
struct plan {
    struct descriptor table[FD_MAX];
    bool opened[FD_MAX];
    char cwd[LIBC_PATH_MAX];
};

static void plan_drop(struct plan *plan, int fd)
{
    if (plan->opened[fd])
        handle_close(plan->table[fd].handle);
    plan->opened[fd] = false;
    plan->table[fd] = (struct descriptor){0};
}

static int act_open(struct plan *plan, const struct spawn_action *action)
{
    char uri[LIBC_URI_MAX];
    struct fs_open_reply reply;
    int error = path_to_uri(plan->cwd, action->path, uri, sizeof uri);
    if (error)
        return error;
    unsigned flags = libc_open_flags(action->flags);
    handle_t handle = fs_open_uri(uri, flags, action->mode & ~libc_umask() & 07777, &reply);
    if (handle < 0)
        return handle;
    plan_drop(plan, action->fd);
    plan->table[action->fd] =
        (struct descriptor){.handle = handle, .flags = flags, .mode = reply.mode};
    plan->opened[action->fd] = true;
    return 0;
}

static int act_dup(struct plan *plan, const struct spawn_action *action)
{
    struct descriptor *from = &plan->table[action->from];
    if (from->handle == 0)
        return -EBADF;
    if (action->from == action->fd) {
        from->close_on_exec = false;
        return 0;
    }
    struct descriptor copy = *from;
    copy.close_on_exec = false;
    bool opened = plan->opened[action->from];
    if (opened) { /* each entry closes its own handle */
        int64_t handle = handle_dup(copy.handle, RIGHTS_ALL);
        if (handle < 0)
            return (int)handle;
        copy.handle = (handle_t)handle;
    }
    plan_drop(plan, action->fd);
    plan->table[action->fd] = copy;
    plan->opened[action->fd] = opened;
    return 0;
}

static int plan_act(struct plan *plan, const struct spawn_action *action)
{
    switch (action->kind) {
    case ACTION_OPEN:
        return act_open(plan, action);
    case ACTION_DUP:
        return act_dup(plan, action);
    case ACTION_CLOSE:
        plan_drop(plan, action->fd);
        return 0;
    default: {
        char next[LIBC_PATH_MAX];
        int error = path_absolute(plan->cwd, action->path, next, sizeof next);
        if (!error)
            strcpy(plan->cwd, next);
        return error;
    }
    }
}

static struct plan *plan_make(const struct spawn_actions *actions, int *error)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        *error = -ENOMEM;
        return NULL;
    }
    for (int fd = 0; fd < fd_end(); fd++)
        fd_get(fd, &plan->table[fd]);
    *error = cwd_copy(plan->cwd, sizeof plan->cwd);
    for (size_t i = 0; actions && i < actions->count && *error == 0; i++)
        *error = plan_act(plan, &actions->list[i]);
    return plan;
}

static void plan_free(struct plan *plan)
{
    for (int fd = 0; fd < FD_MAX; fd++)
        plan_drop(plan, fd);
    free(plan);
}

/* The handles that the child gets: its view of the names, and what is not closed on exec. */
static int plan_handles(const struct plan *plan, struct spawn_handle *list)
{
    int count = 0;
    handle_t namespace = namespace_get();
    if (namespace > 0)
        list[count++] = (struct spawn_handle){SPAWN_NAMESPACE, namespace, 0, NULL};
    for (int fd = 0; fd < FD_MAX; fd++) {
        const struct descriptor *d = &plan->table[fd];
        if (d->handle == 0 || d->close_on_exec)
            continue;
        if (count == SPAWN_HANDLES_MAX)
            return -E2BIG;
        list[count++] = (struct spawn_handle){SPAWN_FD((uint32_t)fd), d->handle, d->flags, NULL};
    }
    return count;
}

static handle_t load_program(const char *uri, size_t *size)
{
    struct fs_open_reply reply;
    handle_t file = fs_open_uri(uri, FS_O_READ, 0, &reply);
    if (file < 0)
        return file;
    handle_t image = -EACCES;
    if ((reply.mode & FS_IFMT) == FS_IFREG && (reply.mode & 0111))
        image = fs_load(file, size);
    handle_close(file);
    return image;
}

/* "#!interpreter [argument]" at the start of a file that is no ELF. 0, or -ENOEXEC. */
static int read_interpreter(const char *uri, char *line, size_t size, char **argument)
{
    handle_t file = fs_open_uri(uri, FS_O_READ, 0, NULL);
    if (file < 0)
        return file;
    int64_t n = fs_read(file, 0, line, size - 1);
    handle_close(file);
    if (n < 2 || line[0] != '#' || line[1] != '!')
        return -ENOEXEC;
    line[n] = '\0';
    char *end = strchr(line, '\n');
    if (!end)
        return -ENOEXEC;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    *end = '\0';
    char *name = line + 2 + strspn(line + 2, " \t");
    if (!*name)
        return -ENOEXEC;
    size_t len = strcspn(name, " \t");
    *argument = NULL;
    if (name[len]) {
        name[len] = '\0';
        *argument = name + len + 1 + strspn(name + len + 1, " \t");
    }
    memmove(line, name, len + 1);
    return 0;
}

static int start_image(const char *uri, const struct spawn_options *options)
{
    size_t size;
    handle_t image = load_program(uri, &size);
    if (image < 0)
        return image;
    const char *name = strrchr(uri, '/');
    name = name ? name + 1 : strrchr(uri, ':') ? strrchr(uri, ':') + 1 : uri;
    int pid = spawn_memory(image, name, options);
    handle_close(image);
    return pid;
}

static int start_script(const char *path, const char *uri, struct spawn_options *options,
                        bool shell_as_default)
{
    char line[128], *argument = NULL, interpreter[LIBC_URI_MAX];
    size_t count = 0, argc = 0;
    int error = read_interpreter(uri, line, sizeof line, &argument);
    if (error == -ENOEXEC && shell_as_default) {
        strcpy(line, "/bin/sh");
        error = 0;
    }
    if (!error)
        error = cwd_uri(line, interpreter);
    if (error)
        return error;
    while (options->argv[count])
        count++;
    const char **argv = malloc((count + 4) * sizeof *argv);
    if (!argv)
        return -ENOMEM;
    argv[argc++] = line;
    if (argument)
        argv[argc++] = argument;
    argv[argc++] = path;
    if (count > 1)
        memcpy(argv + argc, options->argv + 1, (count - 1) * sizeof *argv);
    argv[argc + (count > 1 ? count - 1 : 0)] = NULL;
    options->argv = argv;
    int pid = start_image(interpreter, options);
    free(argv);
    return pid;
}

static void join_group(int pid, const struct spawn_attributes *attributes)
{
    const struct spawn_block *block = start_block();
    if (block && attributes && (attributes->flags & POSIX_SPAWN_SETPGROUP))
        call_words(block->process_service, PROC_JOIN_JOB, (uint64_t)pid,
                   (uint64_t)attributes->group, 0);
}

int spawn_program(const char *path, const struct spawn_actions *actions,
                  const struct spawn_attributes *attributes, char *const argv[],
                  char *const envp[], bool shell_as_default)
{
    char uri[LIBC_URI_MAX];
    struct spawn_handle handles[SPAWN_HANDLES_MAX];
    int result;
    struct plan *plan = plan_make(actions, &result);
    if (!plan)
        return result;
    if (result == 0)
        result = path_to_uri(plan->cwd, path, uri, sizeof uri);
    if (result == 0)
        result = plan_handles(plan, handles);
    if (result >= 0) {
        struct spawn_options options = {.argv = (const char *const *)argv,
                                        .envp = (const char *const *)(envp ? envp : environ),
                                        .cwd = plan->cwd,
                                        .handles = handles,
                                        .handle_count = (size_t)result};
        result = start_image(uri, &options);
        if (result == -ENOEXEC)
            result = start_script(path, uri, &options, shell_as_default);
    }
    if (result > 0)
        join_group(result, attributes);
    plan_free(plan);
    return result;
}
