/* The services that init starts from the boot archive and looks after. */
#pragma once

#include "init.h"

struct service {
    const struct config_section *section;
    handle_t channel; /* what it serves; stays when it dies, so that its callers wait */
    handle_t state;   /* the memory that its processes leave to each other, 0 = none */
    uint32_t pid;     /* 0 = not running */
    bool was_started;
    uint32_t deaths;     /* in a row */
    uint64_t started_at; /* ns since boot */
    uint64_t restart_at; /* ns since boot, 0 = no restart is due */
};

/* services_start: everything that services.conf names, the shell last. init_fail if there is no
 * readable configuration. */
void services_start(void);

/* services_tick: restarts what is due. When it wants to be called again, 0 = never. */
uint64_t services_tick(uint64_t now);

/* service_ended: a process of kind KIND_SERVICE or KIND_SHELL has ended. */
void service_ended(const struct process *process, const struct process_status *status);

size_t services_count(void);
struct service *services_get(size_t index);

/* status_describe: how a process ended, in words. */
const char *status_describe(const struct process_status *status, char *buffer, size_t size);
