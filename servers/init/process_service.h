/* sys:process: the protocol of proto/process.h. */
#pragma once

#include "init.h"

/* Requests on a process's own handle or on the name sys:process, on a spawn session, on a job
 * handle. Each returns what a handler returns (cairn/server.h). */
int64_t process_request(struct request *request);
int64_t spawn_session_request(struct request *request);
int64_t job_request(struct request *request);

/* spawn_session_closed: the last handle of a session is gone: what it prepared goes, too. */
void spawn_session_closed(uint64_t serial);

/* processes_poll: looks which processes have ended whose watch bits are set. */
void processes_poll(uint64_t bits);

/* signal_send: the effect of a signal on one process. */
void signal_send(struct process *process, unsigned signal);

/* Parts of process_request, in signals.c. */
int64_t signal_request(struct request *request, struct process *caller);
int64_t sigaction_request(struct request *request, struct process *caller);
int64_t job_handle_request(struct request *request, struct process *caller);
int64_t join_job_request(struct request *request, struct process *caller);
