/* The table of jobs, and waiting for them. */
#include "jobs.h"

#include "../syntax/unparse.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNAL_INTERRUPT   2
#define SIGNAL_BROKEN_PIPE 13
#define POLL_MICROSECONDS  10000
#define KEPT_MAX           32 /* ended jobs whose status is remembered */

struct job *job_new(struct shell *shell)
{
    struct job *job = must_malloc(sizeof(*job));
    *job = (struct job){.next = shell->jobs};
    shell->jobs = job;
    return job;
}

void job_free(struct shell *shell, struct job *job)
{
    struct job **link = &shell->jobs;
    while (*link != NULL && *link != job)
        link = &(*link)->next;
    if (*link == job)
        *link = job->next;
    for (int i = 0; i < job->count; i++)
        free(job->processes[i].name);
    free(job->processes);
    free(job->text);
    free(job);
}

int job_to_join(const struct shell *shell, const struct job *job)
{
    return shell->interactive ? job->leader : OS_SAME_JOB;
}

void job_add(struct job *job, int pid, const char *name, int status)
{
    job->processes =
        must_realloc(job->processes, (size_t)(job->count + 1) * sizeof(struct job_process));
    struct job_process *process = &job->processes[job->count++];
    *process = (struct job_process){.pid = pid, .done = pid == 0, .name = must_copy(name)};
    process->end.status = status;
    if (job->leader == 0)
        job->leader = pid;
}

void job_name(struct shell *shell, struct job *job, const struct node *node)
{
    struct text text = {0};
    int number = 0;
    unparse_short(&text, node);
    for (struct job *other = shell->jobs; other != NULL; other = other->next)
        if (other->number > number)
            number = other->number;
    job->number = number + 1;
    job->text = must_copy(text_get(&text));
    text_free(&text);
}

bool job_done(const struct job *job)
{
    for (int i = 0; i < job->count; i++)
        if (!job->processes[i].done)
            return false;
    return true;
}

int job_status(const struct job *job)
{
    return job->count > 0 ? job->processes[job->count - 1].end.status : 0;
}

/* Says how a process died, unless the user knows. */
static void report_death(const struct shell *shell, struct job_process *process)
{
    int signal = process->end.signal;
    if (process->reported || signal == 0)
        return;
    process->reported = true;
    if (signal != SIGNAL_INTERRUPT && signal != SIGNAL_BROKEN_PIPE)
        complain(shell, "%s: %s", process->name, process->end.message);
}

/* Until all its processes have ended. */
static int wait_blocking(struct job *job)
{
    for (int i = 0; i < job->count; i++) {
        struct job_process *process = &job->processes[i];
        while (!process->done) {
            int result = os_wait(process->pid, false, &process->end);
            process->done = result != -EINTR;
            if (result < 0 && result != -EINTR)
                process->end = (struct os_end){.status = 127};
        }
    }
    return job_status(job);
}

int job_wait(struct shell *shell, struct job *job)
{
    bool interrupted = false;
    if (!shell->interactive)
        return wait_blocking(job);
    os_foreground(OS_FOREGROUND_SHELL);
    while (!interrupted) {
        jobs_poll(shell);
        if (job_done(job))
            break;
        usleep(POLL_MICROSECONDS);
        interrupted = os_interrupted();
    }
    os_foreground(shell->computes ? OS_FOREGROUND_SHELL : OS_FOREGROUND_READER);
    return interrupted ? -EINTR : job_status(job);
}

int job_foreground(struct shell *shell, struct job *job)
{
    bool control = shell->interactive && job->leader != 0;
    int status;

    if (control) {
        os_foreground(job->leader);
        if (os_interrupted()) /* ^C came to us while the job was being started */
            os_kill(-job->leader, SIGNAL_INTERRUPT);
    }
    status = wait_blocking(job);
    if (control)
        os_foreground(shell->computes ? OS_FOREGROUND_SHELL : OS_FOREGROUND_READER);
    for (int i = 0; i < job->count; i++) {
        if (job->processes[i].end.signal == SIGNAL_INTERRUPT && shell->interactive)
            interrupt_line(shell);
        report_death(shell, &job->processes[i]);
    }
    return status;
}

static void poll_process(struct job_process *process)
{
    if (process->done)
        return;
    int result = os_wait(process->pid, true, &process->end);
    if (result < 0 && result != -EINTR)
        process->end = (struct os_end){.status = 127};
    process->done = result > 0 || (result < 0 && result != -EINTR);
}

void jobs_poll(struct shell *shell)
{
    for (struct job *job = shell->jobs, *next; job != NULL; job = next) {
        next = job->next;
        for (int i = 0; i < job->count; i++)
            poll_process(&job->processes[i]);
        if (job->number == 0 && job->notified && job_done(job))
            job_free(shell, job);
    }
}

void jobs_notify(struct shell *shell)
{
    struct text text = {0};
    int kept = 0;
    jobs_poll(shell);
    for (struct job *job = shell->jobs, *next; job != NULL; job = next) {
        next = job->next;
        if (!job_done(job) || job->number == 0)
            continue;
        if (!shell->plain && !job->notified)
            job_describe(job, &text, false);
        job->notified = true;
        if (++kept > KEPT_MAX)
            job_free(shell, job);
    }
    if (text.len > 0)
        (void)!write(STDERR_FILENO, text.data, text.len);
    text_free(&text);
}

struct job *job_find(struct shell *shell, const char *name)
{
    bool latest = strcmp(name, "%%") == 0 || strcmp(name, "%+") == 0 || strcmp(name, "%") == 0;
    bool previous = strcmp(name, "%-") == 0;
    char *end;
    long number = strtol(name + (*name == '%'), &end, 10);
    bool digits = *end == '\0' && end > name + (*name == '%');

    for (struct job *job = shell->jobs; job != NULL; job = job->next) {
        if (job->number == 0)
            continue;
        if (latest)
            return job;
        if (previous) {
            latest = true;
            continue;
        }
        if (*name == '%' && digits && job->number == number)
            return job;
        if (*name == '%' && !digits && strncmp(job->text, name + 1, strlen(name + 1)) == 0)
            return job;
        for (int i = 0; i < job->count && *name != '%' && digits; i++)
            if (job->processes[i].pid == number)
                return job;
    }
    return NULL;
}

void job_describe(const struct job *job, struct text *text, bool pids)
{
    char state[40] = "Running";
    if (job_done(job)) {
        const struct os_end *end = &job->processes[job->count - 1].end;
        if (end->signal != 0)
            snprintf(state, sizeof(state), "%.39s", end->message);
        else if (end->status != 0)
            snprintf(state, sizeof(state), "Exit %d", end->status);
        else
            snprintf(state, sizeof(state), "Done");
    }
    text_format(text, "[%d] ", job->number);
    if (pids)
        text_format(text, "%d ", job->leader);
    text_format(text, "%-10s %s\n", state, job->text);
}
