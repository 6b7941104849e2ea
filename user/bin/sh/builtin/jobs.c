/* Builtins about jobs. */
#include "../run/jobs.h"

#include "../../common/signal_names.h"
#include "../run/run.h"
#include "builtin.h"
#include <errno.h>
#include <string.h>

int builtin_jobs(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    bool pids = argc > 1 && strcmp(argv[1], "-l") == 0,
         only = argc > 1 && strcmp(argv[1], "-p") == 0;
    if (argc > 2 || (argc > 1 && !pids && !only))
        return builtin_usage(shell, argv[0]);
    jobs_poll(shell);
    int highest = 0;
    for (struct job *job = shell->jobs; job != NULL; job = job->next)
        highest = job->number > highest ? job->number : highest;
    for (int number = 1; number <= highest; number++)
        for (struct job *job = shell->jobs; job != NULL; job = job->next) {
            if (job->number != number || job->notified)
                continue;
            if (only)
                text_format(&text, "%d\n", job->leader);
            else
                job_describe(job, &text, pids);
            job->notified = job_done(job);
        }
    return builtin_write(shell, argv[0], &text);
}

static struct job *named_job(struct shell *shell, const char *command, const char *name)
{
    struct job *job = job_find(shell, name);
    if (job == NULL)
        complain(shell, "%s: %s: no such job", command, name);
    return job;
}

int builtin_fg(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    struct job *job = named_job(shell, argv[0], argc > 1 ? argv[1] : "%%");
    if (job == NULL)
        return 1;
    text_format(&text, "%s\n", job->text);
    builtin_write(shell, argv[0], &text);
    int status = job_foreground(shell, job);
    job_free(shell, job);
    return status;
}

int builtin_bg(struct shell *shell, int argc, char **argv)
{
    (void)argc, (void)argv;
    complain(shell, "bg: jobs cannot be stopped here, so there is none to continue");
    return 1;
}

static int wait_for(struct shell *shell, struct job *job)
{
    int status = job_wait(shell, job);
    if (status == -EINTR) {
        interrupt_line(shell);
        return 128 + 2;
    }
    job_free(shell, job);
    return status;
}

int builtin_wait(struct shell *shell, int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) {
        struct job *job = job_find(shell, argv[i]);
        status = job != NULL ? wait_for(shell, job) : 127;
    }
    for (struct job *job = shell->jobs, *next; argc == 1 && job != NULL; job = next) {
        next = job->next;
        if (job->number == 0)
            continue;
        wait_for(shell, job);
        if (shell->jump != JUMP_NONE)
            return 128 + 2;
    }
    return status;
}

static int list_signals(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    for (int i = 2; i < argc; i++) {
        int number = signal_number(argv[i]);
        long status;
        if (number < 0 && parse_number(argv[i], &status) && status > 128)
            number = (int)status - 128;
        if (signal_name(number) == NULL) {
            text_free(&text);
            complain(shell, "kill: %s: no such signal", argv[i]);
            return 1;
        }
        if (argv[i][0] >= '0' && argv[i][0] <= '9')
            text_format(&text, "%s\n", signal_name(number));
        else
            text_format(&text, "%d\n", number);
    }
    for (int signal = 1; argc == 2 && signal < SIGNAL_NAMES; signal++)
        text_format(&text, "%s%s", signal_name(signal), signal % 8 == 7 ? "\n" : " ");
    return builtin_write(shell, "kill", &text);
}

static int kill_one(struct shell *shell, const char *name, int signal)
{
    long pid;
    int error = -ESRCH;
    if (*name == '%') {
        struct job *job = job_find(shell, name);
        if (job != NULL) {
            error = shell->interactive ? os_kill(-job->leader, signal) : 0;
            for (int i = 0; i < job->count && !shell->interactive; i++)
                if (!job->processes[i].done)
                    error = os_kill(job->processes[i].pid, signal);
        }
    } else if (parse_number(name, &pid)) {
        error = os_kill((int)pid, signal);
    } else {
        error = -EINVAL;
    }
    if (error < 0)
        complain(shell, "kill: %s: %s", name, strerror(-error));
    return error < 0;
}

int builtin_kill(struct shell *shell, int argc, char **argv)
{
    int signal = 15, at = 1, status = 0;
    if (argc > 1 && strcmp(argv[1], "-l") == 0)
        return list_signals(shell, argc, argv);
    if (argc > 2 && strcmp(argv[1], "-s") == 0) {
        signal = signal_number(argv[2]);
        at = 3;
    } else if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
        signal = signal_number(argv[1] + 1);
        at = 2;
    }
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    if (signal < 0) {
        complain(shell, "kill: no such signal");
        return 2;
    }
    if (at >= argc)
        return builtin_usage(shell, argv[0]);
    for (; at < argc; at++)
        status |= kill_one(shell, argv[at], signal);
    return status;
}
