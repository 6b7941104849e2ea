/* The shell's system layer on Cairn: libc's POSIX calls where they say enough, the process and
 * console protocols where they do not (how a process died, who gets ^C). */
#include "os.h"

#include "cairn/posix.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "proto/console.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACK_LIMIT (128 * 1024ul) /* of 256 KiB: parsing and expansion need their part */

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void os_start(bool interactive)
{
    signal(SIGPIPE, SIG_IGN);
    if (!interactive)
        return;
    signal(SIGINT, note_interrupt);
    /* ^C for this shell must not reach whoever started it */
    const struct spawn_block *block = start_block();
    if (block != NULL)
        call_words(block->process_service, PROC_JOIN_JOB, 0, 0, 0);
}

bool os_interrupted(void)
{
    bool was = interrupted;
    interrupted = 0;
    return was;
}

bool os_interrupt_newline(void)
{
    return false;
}

int os_spawn(const char *path, char *const *argv, char *const *envp, int leader)
{
    posix_spawnattr_t attributes;
    pid_t pid;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0)
        return -error;
    if (leader != OS_SAME_JOB) {
        posix_spawnattr_setpgroup(&attributes, leader);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    }
    error = posix_spawn(&pid, path, NULL, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    return error == 0 ? pid : -error;
}

/* The signal that stands for a fault, and its names for people. */
static int describe_fault(const struct process_status *status, struct os_end *end)
{
    static const struct {
        int signal;
        const char *kind, *cause;
    } faults[] = {
        [0] = {SIGBUS, "Bus error", "misaligned fetch"},
        [1] = {SIGSEGV, "Segmentation fault", "instruction access fault"},
        [2] = {SIGILL, "Illegal instruction", NULL},
        [3] = {SIGTRAP, "Trap: division by zero, failed check or breakpoint", NULL},
        [4] = {SIGBUS, "Bus error", "misaligned load"},
        [5] = {SIGSEGV, "Segmentation fault", "load access fault"},
        [6] = {SIGBUS, "Bus error", "misaligned store"},
        [7] = {SIGSEGV, "Segmentation fault", "store access fault"},
        [12] = {SIGSEGV, "Segmentation fault", "instruction page fault"},
        [13] = {SIGSEGV, "Segmentation fault", "load page fault"},
        [15] = {SIGSEGV, "Segmentation fault", "store page fault"},
    };
    uint64_t cause = (uint64_t)status->value;
    if (cause >= sizeof(faults) / sizeof(faults[0]) || faults[cause].kind == NULL) {
        snprintf(end->message, sizeof(end->message), "Fault (cause %llu at 0x%llx, pc 0x%llx)",
                 (unsigned long long)cause, (unsigned long long)status->address,
                 (unsigned long long)status->pc);
        return SIGSEGV;
    }
    if (faults[cause].cause == NULL) /* no address belongs to it */
        snprintf(end->message, sizeof(end->message), "%s (pc 0x%llx)", faults[cause].kind,
                 (unsigned long long)status->pc);
    else
        snprintf(end->message, sizeof(end->message), "%s (%s at 0x%llx, pc 0x%llx)",
                 faults[cause].kind, faults[cause].cause, (unsigned long long)status->address,
                 (unsigned long long)status->pc);
    return faults[cause].signal;
}

static int describe_kill(const struct process_status *status, struct os_end *end)
{
    static const char *const names[] = {
        [SIGHUP] = "Hangup",       [SIGINT] = "Interrupt",  [SIGQUIT] = "Quit",
        [SIGABRT] = "Aborted",     [SIGKILL] = "Killed",    [SIGPIPE] = "Broken pipe",
        [SIGALRM] = "Alarm clock", [SIGTERM] = "Terminated"};
    int number = status->value > 0 && status->value < 32 ? (int)status->value : SIGKILL;
    const char *name = (size_t)number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
    if (name != NULL)
        snprintf(end->message, sizeof(end->message), "%s", name);
    else
        snprintf(end->message, sizeof(end->message), "Signal %d", number);
    return number;
}

int os_wait(int pid, bool nohang, struct os_end *end)
{
    struct process_status status;
    int result = process_wait_for(pid, nohang ? PROC_NOHANG : 0, &status);
    if (result <= 0)
        return result;
    *end = (struct os_end){0};
    if (status.reason == EXIT_NORMAL) {
        end->status = (int)(status.value & 0xff);
        return result;
    }
    end->signal =
        status.reason == EXIT_FAULT ? describe_fault(&status, end) : describe_kill(&status, end);
    end->status = 128 + end->signal;
    return result;
}

int os_kill(int pid, int number)
{
    return kill(pid, number) < 0 ? -errno : 0;
}

/* A handle that can signal a job and do nothing else. */
static handle_t job_handle(int leader)
{
    struct message m = {.type = PROC_JOB, .len = 8};
    m.words[0] = (uint64_t)leader;
    const struct spawn_block *block = start_block();
    int error = block != NULL ? channel_call(block->process_service, &m) : -ESRCH;
    if (error == 0 && (int64_t)m.words[0] < 0)
        error = (int)m.words[0];
    if (error < 0)
        return error;
    return m.handle_count == 1 ? m.handles[0] : -EPROTO;
}

void os_foreground(int leader)
{
    static handle_t own; /* for OS_FOREGROUND_SHELL */
    struct message m = {.type = CON_SET_FOREGROUND, .len = 8};
    handle_t terminal = fd_to_handle(STDIN_FILENO), job = 0;

    if (terminal < 0 || !isatty(STDIN_FILENO))
        return;
    if (leader == OS_FOREGROUND_SHELL) {
        if (own <= 0)
            own = job_handle(getpid());
        job = own;
    } else if (leader != OS_FOREGROUND_READER) {
        job = job_handle(leader);
    }
    if (job < 0) /* it is over already */
        return;
    m.handle_count = job > 0;
    m.handles[0] = job;
    channel_call(terminal, &m);
    if (job > 0 && job != own)
        handle_close(job);
}

const char *os_shell_path(void)
{
    static const char *path;
    struct stat status;
    if (path == NULL)
        path = stat("/bin/sh", &status) == 0 ? "/bin/sh" : "boot:sh";
    return path;
}

const char *os_program_fallback(void)
{
    return "boot:";
}

size_t os_stack_limit(void)
{
    return STACK_LIMIT;
}
