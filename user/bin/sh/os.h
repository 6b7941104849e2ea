/* What the shell asks of the system beyond POSIX files: processes, jobs, the terminal. There is one
 * implementation for Cairn, and one for the host that runs the tests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How a process ended. */
struct os_end {
    int status;        /* as $?: the exit status, or 128 + signal */
    int signal;        /* what killed it, 0 = nothing */
    char message[100]; /* of a killed one, for people: "Segmentation fault (...)" */
};

/* os_start: sets up signals. An interactive shell survives ^C and notes it. */
void os_start(bool interactive);

/* os_interrupted: has ^C come since the last call? */
bool os_interrupted(void);

/* os_interrupt_newline: does the shell have to end the line on which a terminal shows "^C"? */
bool os_interrupt_newline(void);

/* os_spawn: starts a program; it gets the descriptors that are not close-on-exec and the working
 * directory, and joins the job that leader leads (0: it leads a new one; OS_SAME_JOB: the shell's
 * own). The pid, or -errno (-ENOEXEC: not in an executable format). */
int os_spawn(const char *path, char *const *argv, char *const *envp, int leader);
enum { OS_SAME_JOB = -1 };

/* os_wait: waits for a child. Its pid, 0 if nohang and it runs, or -errno. */
int os_wait(int pid, bool nohang, struct os_end *end);

/* os_kill: pid, or the job of -pid. 0 or -errno. */
int os_kill(int pid, int signal);

/* os_foreground: whom ^C interrupts: the job of this leader, or: */
void os_foreground(int leader);
enum {
    OS_FOREGROUND_READER = 0, /* the shell's read of a line */
    OS_FOREGROUND_SHELL = -1, /* the shell while it computes: os_interrupted */
};

/* os_shell_path: this shell's own program, to start subshells. os_program_fallback: a prefix where
 * programs are looked for when PATH has none ("boot:"), or NULL. */
const char *os_shell_path(void);
const char *os_program_fallback(void);

/* The C stack that running scripts may use, bytes. */
size_t os_stack_limit(void);
