/* What a service leaves to its next process: memory (SPAWN_STATE), and handles, which only another
 * process can hold for it (PROC_KEEP, PROC_KEPT). */
#pragma once

#include "init.h"

struct service;

/* keeper_prepare: makes what the service's section asks for and is not there. 0 or -errno. */
int keeper_prepare(struct service *service);

/* keeper_forget: lets go of everything that was kept: the next process begins anew. */
void keeper_forget(struct service *service);

/* The requests PROC_KEEP and PROC_KEPT. */
int64_t keep_request(struct request *request, struct process *caller);
int64_t kept_request(struct request *request, struct process *caller);
