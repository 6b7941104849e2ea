/* The services that init starts from the boot archive and looks after. */
#pragma once

#include "init.h"

struct service {
    const struct config_section *section;
    handle_t channel; /* what it serves; stays when it dies, so that its callers wait */
    handle_t state;   /* the memory that its processes leave to each other, 0 = none */
    handle_t *kept;   /* section->keep_handles that they leave to each other, 0 = none there */
    uint32_t pid;     /* 0 = not running */
    bool was_started;
    uint32_t deaths;     /* in a row, of its own doing */
    uint32_t restarts;   /* in all */
    uint64_t started_at; /* ns since boot */
    uint64_t restart_at; /* ns since boot, 0 = no restart is due */
    uint64_t asked_at;   /* whether it still answers; 0 = it has answered */
    uint64_t ask_at;     /* when it is asked again */
    uint64_t down_since; /* 0 = it has answered since it was started */
    uint64_t away;       /* ns from its last end to its first answer */
    bool hung;           /* it is being killed because it did not answer */
    char last_end[120];  /* how its last process ended, in words */
};

/* services_start: everything that services.conf names, the shell last. init_fail if there is no
 * readable configuration. */
void services_start(void);

/* service_start: makes a process for it, the first or the next. 0 or -errno. */
int service_start(struct service *service);

size_t services_count(void);
struct service *services_get(size_t index);

/* service_find: the one that this process runs, or NULL. */
struct service *service_find(uint32_t pid);
