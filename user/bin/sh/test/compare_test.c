/* Runs a table of scripts with this shell and with dash, and compares what they print and return.
 *
 * The program is the shell and its own test: with arguments it is the shell. Each script runs in
 * an empty directory with `sh` in PATH meaning this shell. */
#include "../shell.h"
#include "scripts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX  (1 << 20)
#define SECONDS_MAX 20

static int passed, failed;
static char directory[64], path[128];

struct outcome {
    char *output;
    size_t len;
    int status;
};

static void remove_files(void)
{
    char command[160];
    snprintf(command, sizeof(command), "cd / && rm -rf %s && mkdir %s", directory, directory);
    if (system(command) != 0)
        exit(2);
}

static void become(const char *shell, const char *script, bool on_input, int output)
{
    int input[2];
    if (chdir(directory) < 0 || pipe(input) < 0)
        _exit(99);
    if (on_input && write(input[1], script, strlen(script)) < 0)
        _exit(99);
    close(input[1]);
    dup2(input[0], 0);
    dup2(output, 1);
    dup2(open(getenv("SHOW_ERRORS") != NULL ? "/dev/stderr" : "/dev/null", O_WRONLY), 2);
    for (int fd = 3; fd < 20; fd++)
        close(fd);
    alarm(SECONDS_MAX);
    setenv("PATH", path, 1);
    signal(SIGPIPE, SIG_DFL);
    if (on_input)
        execl(shell, "sh", "-s", NULL);
    else
        execl(shell, "sh", "-c", script, NULL);
    _exit(98);
}

static struct outcome run(const char *shell, const char *script, bool on_input)
{
    struct outcome outcome = {malloc(OUTPUT_MAX), 0, -1};
    int output[2], status;
    ssize_t n;

    remove_files();
    if (pipe(output) < 0)
        exit(2);
    pid_t pid = fork();
    if (pid == 0)
        become(shell, script, on_input, output[1]);
    close(output[1]);
    while (outcome.len < OUTPUT_MAX &&
           (n = read(output[0], outcome.output + outcome.len, OUTPUT_MAX - outcome.len)) > 0)
        outcome.len += (size_t)n;
    close(output[0]);
    waitpid(pid, &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return outcome;
}

static void judge(const char *script, const struct outcome *ours, const struct outcome *wanted)
{
    if (ours->status == wanted->status && ours->len == wanted->len &&
        memcmp(ours->output, wanted->output, ours->len) == 0) {
        passed++;
        return;
    }
    failed++;
    printf("--- %s\nwanted (%d): %.*s\ngot (%d): %.*s\n", script, wanted->status, (int)wanted->len,
           wanted->output, ours->status, (int)ours->len, ours->output);
}

static void compare(const char *dash, const char *script, bool on_input)
{
    struct outcome ours = run("/proc/self/exe", script, on_input);
    struct outcome theirs = run(dash, script, on_input);
    judge(script, &ours, &theirs);
    free(ours.output);
    free(theirs.output);
}

/* PATH begins with a directory where sh is this program. */
static void make_path(void)
{
    static char bin[64];
    char self[1024], name[128];
    snprintf(bin, sizeof(bin), "/tmp/sh-test-bin-%d", (int)getpid());
    snprintf(directory, sizeof(directory), "/tmp/sh-test-%d", (int)getpid());
    snprintf(path, sizeof(path), "%s:/usr/local/bin:/usr/bin:/bin", bin);
    snprintf(name, sizeof(name), "%s/sh", bin);
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0 || mkdir(bin, 0700) < 0)
        exit(2);
    self[len] = '\0';
    if (symlink(self, name) < 0)
        exit(2);
}

static void remove_all(void)
{
    char command[300];
    snprintf(command, sizeof(command), "rm -rf %s /tmp/sh-test-bin-%d", directory, (int)getpid());
    if (system(command) != 0)
        printf("could not remove %s\n", directory);
}

int main(int argc, char **argv)
{
    const char *dash = "/bin/dash";
    if (argc > 1)
        return shell_main(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    make_path();
    for (size_t i = 0; i < own_script_count; i++) {
        struct outcome ours = run("/proc/self/exe", own_scripts[i].script, own_scripts[i].on_input);
        struct outcome wanted = {(char *)own_scripts[i].output, strlen(own_scripts[i].output),
                                 own_scripts[i].status};
        judge(own_scripts[i].script, &ours, &wanted);
        free(ours.output);
    }
    if (access(dash, X_OK) == 0) {
        for (size_t i = 0; i < common_script_count; i++)
            compare(dash, common_scripts[i], false);
        for (size_t i = 0; i < input_script_count; i++)
            compare(dash, input_scripts[i], true);
    } else {
        printf("skipped %zu scripts: dash is not installed\n",
               common_script_count + input_script_count);
    }
    remove_all();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
