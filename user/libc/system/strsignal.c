/* Names of signals. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[NSIG] = {
    [SIGHUP] = "Hangup",           [SIGINT] = "Interrupt",
    [SIGQUIT] = "Quit",            [SIGILL] = "Illegal instruction",
    [SIGTRAP] = "Breakpoint trap", [SIGABRT] = "Aborted",
    [SIGBUS] = "Bus error",        [SIGFPE] = "Arithmetic exception",
    [SIGKILL] = "Killed",          [SIGUSR1] = "User signal 1",
    [SIGSEGV] = "Segmentation fault", [SIGUSR2] = "User signal 2",
    [SIGPIPE] = "Broken pipe",     [SIGALRM] = "Alarm clock",
    [SIGTERM] = "Terminated",      [SIGCHLD] = "Child ended",
    [SIGCONT] = "Continued",       [SIGSTOP] = "Stopped",
    [SIGTSTP] = "Stopped by the terminal", [SIGTTIN] = "Terminal input",
    [SIGTTOU] = "Terminal output", [SIGURG] = "Urgent data",
    [SIGXCPU] = "CPU time limit",  [SIGXFSZ] = "File size limit",
    [SIGVTALRM] = "Virtual timer", [SIGPROF] = "Profiling timer",
    [SIGWINCH] = "Window changed", [SIGIO] = "Input or output possible",
    [SIGPWR] = "Power failure",    [SIGSYS] = "Bad system call",
};

char *strsignal(int number)
{
    static __thread char unknown[24];
    if (number > 0 && number < NSIG && texts[number])
        return (char *)texts[number];
    snprintf(unknown, sizeof unknown, "Signal %d", number);
    return unknown;
}

void psignal(int number, const char *prefix)
{
    if (prefix && *prefix)
        fprintf(stderr, "%s: ", prefix);
    fprintf(stderr, "%s\n", strsignal(number));
}
