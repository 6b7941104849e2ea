/* The POSIX face of spawning: file actions, attributes, the search in PATH. */
#include "../file/path.h"
#include "spawn_state.h"
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    *actions = calloc(1, sizeof **actions);
    return *actions ? 0 : ENOMEM;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    for (size_t i = 0; i < (*actions)->count; i++)
        free((*actions)->list[i].path);
    free((*actions)->list);
    free(*actions);
    *actions = NULL;
    return 0;
}

static int add(posix_spawn_file_actions_t *actions, struct spawn_action action, const char *path)
{
    struct spawn_actions *a = *actions;
    if (action.fd < 0 || action.fd >= FD_MAX || action.from < 0 || action.from >= FD_MAX)
        return EBADF;
    if (a->count == a->room) {
        size_t room = a->room ? a->room * 2 : 8;
        struct spawn_action *grown = realloc(a->list, room * sizeof *grown);
        if (!grown)
            return ENOMEM;
        a->list = grown;
        a->room = room;
    }
    if (path && !(action.path = strdup(path)))
        return ENOMEM;
    a->list[a->count++] = action;
    return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict actions, int fd,
                                     const char *restrict path, int flags, mode_t mode)
{
    struct spawn_action action = {.kind = ACTION_OPEN, .fd = fd, .flags = flags, .mode = mode};
    return add(actions, action, path);
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int to)
{
    return add(actions, (struct spawn_action){.kind = ACTION_DUP, .fd = to, .from = fd}, NULL);
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int fd)
{
    return add(actions, (struct spawn_action){.kind = ACTION_CLOSE, .fd = fd}, NULL);
}

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *restrict actions,
                                         const char *restrict path)
{
    return add(actions, (struct spawn_action){.kind = ACTION_CHDIR}, path);
}

int posix_spawnattr_init(posix_spawnattr_t *attributes)
{
    *attributes = calloc(1, sizeof **attributes);
    return *attributes ? 0 : ENOMEM;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attributes)
{
    free(*attributes);
    *attributes = NULL;
    return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
{
    (*attributes)->flags = flags;
    return 0;
}

int posix_spawnattr_getflags(const posix_spawnattr_t *restrict attributes, short *restrict flags)
{
    *flags = (*attributes)->flags;
    return 0;
}

int posix_spawnattr_setpgroup(posix_spawnattr_t *attributes, pid_t group)
{
    (*attributes)->group = group;
    return 0;
}

int posix_spawnattr_getpgroup(const posix_spawnattr_t *restrict attributes, pid_t *restrict group)
{
    *group = (*attributes)->group;
    return 0;
}

/* A new process starts with all signals at their default and none blocked. */
int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict attributes,
                                  const sigset_t *restrict set)
{
    (void)attributes, (void)set;
    return 0;
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict attributes,
                               const sigset_t *restrict set)
{
    (void)attributes;
    return *set == 0 ? 0 : ENOTSUP;
}

static int spawned(pid_t *pid, int result)
{
    if (result < 0)
        return -result;
    if (pid)
        *pid = result;
    return 0;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path,
                const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes, char *const argv[],
                char *const envp[])
{
    return spawned(pid, spawn_program(path, actions ? *actions : NULL,
                                      attributes ? *attributes : NULL, argv, envp, false));
}

/* The first place in PATH where the file can be started; EACCES is kept for the end. */
static int search(const char *name, const struct spawn_actions *actions,
                  const struct spawn_attributes *attributes, char *const argv[],
                  char *const envp[])
{
    const char *at = getenv("PATH");
    int result = -ENOENT;
    bool denied = false;
    at = at ? at : "/bin";
    for (;;) {
        char path[LIBC_PATH_MAX];
        size_t len = strcspn(at, ":");
        if (len + 1 + strlen(name) < sizeof path) {
            memcpy(path, at, len);
            path[len] = '\0';
            strcat(path, len ? "/" : "");
            strcat(path, name);
            result = spawn_program(path, actions, attributes, argv, envp, true);
            if (result != -ENOENT && result != -ENOTDIR && result != -EACCES)
                return result;
            denied |= result == -EACCES;
        }
        if (!at[len])
            return denied ? -EACCES : -ENOENT;
        at += len + 1;
    }
}

int posix_spawnp(pid_t *restrict pid, const char *restrict path,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *restrict attributes, char *const argv[],
                 char *const envp[])
{
    const struct spawn_actions *list = actions ? *actions : NULL;
    const struct spawn_attributes *attrs = attributes ? *attributes : NULL;
    if (strchr(path, '/') || strchr(path, ':'))
        return spawned(pid, spawn_program(path, list, attrs, argv, envp, true));
    return spawned(pid, search(path, list, attrs, argv, envp));
}
