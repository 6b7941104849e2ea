/* Looking after the services: starting again what died, killing what hangs.
 *
 * A service is started again as soon as its last start is its back-off ago, so one that ran longer
 * comes back at once. Deaths in a row double the back-off, and restart_limit of them end it. A
 * kill that somebody ordered says nothing about the service: it counts for neither, and the service
 * comes back at once.
 *
 * A service with a heartbeat is asked by a pulse (SERVER_PULSE_ALIVE), and its loop answers by
 * PROC_ALIVE. One that has owed the answer for the time in its section is killed. */
#pragma once

#include "init.h"

struct service;

/* service_ended: a process of kind KIND_SERVICE or KIND_SHELL has ended. */
void service_ended(const struct process *process, const struct process_status *status);

/* services_tick: does what is due. When it wants to be called again, 0 = never. */
uint64_t services_tick(uint64_t now);

/* heartbeat_ask: asks a service that has just been started. heartbeat_request: PROC_ALIVE. */
void heartbeat_ask(struct service *service);
int64_t heartbeat_request(struct request *request, struct process *caller);

/* status_describe: how a process ended, in words. */
const char *status_describe(const struct process_status *status, char *buffer, size_t size);
