/* Jobs: the processes of one pipeline, waited for together. */
#pragma once

#include "../os.h"
#include "shell.h"

struct job_process {
    int pid; /* 0: it could not be started, and end says with which status */
    bool done;
    bool reported; /* that it died */
    char *name;
    struct os_end end;
};

struct job {
    int number; /* from 1; 0 = a foreground job, not in the list of the user's */
    int leader; /* pid of the first process that was started, 0 = none */
    struct job_process *processes;
    int count;
    bool notified; /* the user knows that it ended; kept for a later wait */
    char *text;    /* the command */
    struct job *next;
};

/* job_new: an empty job. It is in the shell's list until job_free. */
struct job *job_new(struct shell *shell);
void job_free(struct shell *shell, struct job *job);

/* job_add: a process that was started; or, with pid 0, one that could not be. */
void job_add(struct job *job, int pid, const char *name, int status);

/* job_to_join: what os_spawn is told for the next process of a job: only an interactive shell gives
 * its children jobs of their own. */
int job_to_join(const struct shell *shell, const struct job *job);

/* job_name: gives it a number and a text: it is now the user's background job. */
void job_name(struct shell *shell, struct job *job, const struct node *node);

/* job_foreground: gives it the terminal, waits for its end, reports how it died, and takes the
 * terminal back. Returns the status of its last process. The job remains to be freed. */
int job_foreground(struct shell *shell, struct job *job);

/* job_wait: waits without giving it the terminal. The status, or -EINTR if ^C came first: an
 * interactive shell looks for both, since nothing interrupts a wait for a process. */
int job_wait(struct shell *shell, struct job *job);

bool job_done(const struct job *job);
int job_status(const struct job *job);

/* jobs_poll: learns which processes have ended. jobs_notify: tells the user, and forgets the oldest
 * of those that he knows of. */
void jobs_poll(struct shell *shell);
void jobs_notify(struct shell *shell);

/* job_find: "%2", "%%", "%+", "%-", "%text", or a pid. NULL if there is none. */
struct job *job_find(struct shell *shell, const char *name);

/* job_describe: a line of `jobs`. */
void job_describe(const struct job *job, struct text *text, bool pids);
