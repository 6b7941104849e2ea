/* Signals by name, with Linux's numbers. Cairn delivers HUP, INT, QUIT, KILL, PIPE, TERM, CHLD by
 * meaning; the others only end a process that does not handle them. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIGNAL_NAMES 32

/* signal_name: without "SIG"; NULL for a number that is none. */
static inline const char *signal_name(int signal)
{
    static const char *const names[SIGNAL_NAMES] = {
        NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
        "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
    };
    return signal > 0 && signal < SIGNAL_NAMES ? names[signal] : NULL;
}

/* signal_number: "TERM", "SIGTERM", "15"; -1 if it is none. 0 is a number, too. */
static inline int signal_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text != '\0' && *end == '\0')
        return number >= 0 && number < SIGNAL_NAMES ? (int)number : -1;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int signal = 1; signal < SIGNAL_NAMES; signal++)
        if (strcasecmp(signal_name(signal), text) == 0)
            return signal;
    return -1;
}
