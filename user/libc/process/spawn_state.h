/* What a program has asked of a spawn: file actions and attributes. */
#pragma once

#include "../file/fd.h"
#include <stddef.h>
#include <sys/types.h>

enum spawn_action_kind { ACTION_OPEN, ACTION_DUP, ACTION_CLOSE, ACTION_CHDIR };

struct spawn_action {
    enum spawn_action_kind kind;
    int fd, from;
    int flags;
    unsigned mode;
    char *path; /* its own copy */
};

struct spawn_actions {
    struct spawn_action *list;
    size_t count, room;
};

struct spawn_attributes {
    short flags; /* POSIX_SPAWN_* */
    pid_t group;
};

/* spawn_program: starts path. pid or -errno. shell_as_default: a text file without "#!" is run
 * by sh. */
int spawn_program(const char *path, const struct spawn_actions *actions,
                  const struct spawn_attributes *attributes, char *const argv[],
                  char *const envp[], bool shell_as_default);
