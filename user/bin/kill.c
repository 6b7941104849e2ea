/* kill: sends signals to processes and jobs. */
#include "common/signal_names.h"
#include "common/utility.h"

#include <signal.h>

static const char usage[] = "usage: kill [-SIGNAL | -s SIGNAL] PID... | kill -l [NUMBER]...\n"
                            "Send a signal (TERM) to processes; a negative PID means a whole job.\n"
                            "SIGNAL is a number or a name: 9, KILL, SIGKILL.\n"
                            "  -l  list the names; of a number, or of an exit status, its name\n";

static int list(char **words)
{
    if (*words == NULL)
        for (int signal = 1; signal < SIGNAL_NAMES; signal++)
            output_format("%2d %-8s%s", signal, signal_name(signal),
                          signal % 8 == 0 || signal == SIGNAL_NAMES - 1 ? "\n" : "");
    for (; *words != NULL; words++) {
        uint64_t status;
        int signal = signal_number(*words);
        bool number = parse_count(*words, &status);
        if (number && status > 128 && status < 128 + SIGNAL_NAMES)
            signal = (int)status - 128;
        if (signal_name(signal) == NULL)
            errx(1, "%s: no such signal", *words);
        if (number)
            output_line(signal_name(signal));
        else
            output_format("%d\n", signal);
    }
    return 0;
}

static int send(const char *word, int signal)
{
    char *end;
    errno = 0;
    long pid = strtol(word, &end, 10);
    if (*word == '\0' || *end != '\0' || errno != 0 || pid != (pid_t)pid) {
        warnx("%s: not a process id", word);
        return 1;
    }
    if (kill((pid_t)pid, signal) < 0) {
        warn("%s", word);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = "TERM";
    char **words = argv + 1;
    int status = 0;

    (void)argc;
    utility_start(usage, 1);
    if (*words != NULL && strcmp(*words, "--help") == 0) {
        output_text(usage);
        return 0;
    }
    if (*words != NULL && strcmp(*words, "-l") == 0)
        return list(words + 1);
    if (*words != NULL && strcmp(*words, "-s") == 0) {
        name = words[1] != NULL ? words[1] : "";
        words += 1 + (words[1] != NULL);
    } else if (*words != NULL && (*words)[0] == '-' && strcmp(*words, "--") != 0) {
        name = *words++ + 1;
    }
    if (*words != NULL && strcmp(*words, "--") == 0)
        words++;
    int signal = signal_number(name);
    if (signal < 0)
        errx(1, "%s: no such signal", name);
    if (*words == NULL)
        utility_misuse("no process given");
    for (; *words != NULL; words++)
        status |= send(*words, signal);
    return status;
}
