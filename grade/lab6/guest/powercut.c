/* powercut FOLDER COUNT: works on files until the power is cut. COUNT processes, each with a
 * script of the host's (FOLDER/N.script) and a folder (FOLDER/N). When an fsync or sync has
 * returned, a line "synced TAG" says so.
 *
 * A line of a script is an operation, a tag and its words:
 *     write TAG FILE OFFSET LENGTH    bytes that follow from tag and offset
 *     truncate TAG FILE SIZE
 *     hold TAG FILE                   keeps it open until the next hold
 *     rename TAG FROM TO, link TAG FROM TO, unlink TAG FILE, fsync TAG FILE, sync TAG */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS       5
#define LINE_BYTES  256
#define WRITE_MAX   65536
#define PROCESS_MAX 8

extern char **environ;

static uint8_t bytes[WRITE_MAX];

/* What the host computes, too. Never 0. */
static uint8_t byte_of(uint32_t tag, uint32_t offset)
{
    uint32_t mixed = (tag + 1) * 2654435761u + offset / 4 * 2246822519u;
    return (uint8_t)((mixed ^ mixed >> 15) >> 8 * (offset % 4)) | 1;
}

static int open_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT, 0644);
    if (fd < 0)
        err(1, "%s", name);
    return fd;
}

static void do_write(char **words)
{
    uint32_t tag = (uint32_t)atoi(words[1]), offset = (uint32_t)atoi(words[3]);
    size_t length = (size_t)atoi(words[4]);
    int fd = open_file(words[2]);
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_of(tag, offset + (uint32_t)i);
    if (pwrite(fd, bytes, length, offset) != (ssize_t)length)
        err(1, "write to %s", words[2]);
    close(fd);
}

static void do_truncate(char **words)
{
    int fd = open_file(words[2]);
    if (ftruncate(fd, atoi(words[3])))
        err(1, "truncate %s", words[2]);
    close(fd);
}

static void do_hold(char **words)
{
    static int held = -1;
    if (held >= 0)
        close(held);
    held = open_file(words[2]);
}

static void do_rename(char **words)
{
    if (rename(words[2], words[3]))
        err(1, "rename %s to %s", words[2], words[3]);
}

static void do_link(char **words)
{
    if (link(words[2], words[3]))
        err(1, "link %s to %s", words[2], words[3]);
}

static void do_unlink(char **words)
{
    if (unlink(words[2]))
        err(1, "unlink %s", words[2]);
}

/* One write per line: the lines of several processes do not mix. */
static void acknowledge(const char *tag)
{
    char line[64];
    int length = snprintf(line, sizeof line, "synced %s\n", tag);
    write(1, line, (size_t)length);
}

static void do_fsync(char **words)
{
    int fd = open_file(words[2]);
    if (fsync(fd))
        err(1, "fsync %s", words[2]);
    close(fd);
    acknowledge(words[1]);
}

static void do_sync(char **words)
{
    sync();
    acknowledge(words[1]);
}

static const struct {
    const char *name;
    void (*run)(char **words);
} operations[] = {
    {"write", do_write}, {"truncate", do_truncate}, {"hold", do_hold},   {"rename", do_rename},
    {"link", do_link},   {"unlink", do_unlink},     {"fsync", do_fsync}, {"sync", do_sync},
};

static void run_line(char *line)
{
    char *words[WORDS] = {0}, *rest = line;
    for (int i = 0; i < WORDS; i++)
        words[i] = strtok_r(i ? NULL : line, " \n", &rest);
    for (size_t i = 0; words[0] && i < sizeof operations / sizeof operations[0]; i++)
        if (!strcmp(words[0], operations[i].name))
            operations[i].run(words);
}

static int work(const char *folder, const char *number)
{
    char path[LINE_BYTES], line[LINE_BYTES];
    snprintf(path, sizeof path, "%s/%s.script", folder, number);
    FILE *script = fopen(path, "r");
    if (!script)
        err(1, "%s", path);
    snprintf(path, sizeof path, "%s/%s", folder, number);
    if (chdir(path))
        err(1, "%s", path);
    while (fgets(line, sizeof line, script))
        run_line(line);
    fclose(script);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return work(argv[2], argv[3]);
    if (argc != 3)
        errx(2, "usage: powercut FOLDER COUNT");
    pid_t children[PROCESS_MAX];
    int count = atoi(argv[2]), failed = 0, status;
    for (int i = 0; i < count && i < PROCESS_MAX; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        char *words[] = {argv[0], "work", argv[1], number, NULL};
        int error = posix_spawn(&children[i], argv[0], NULL, NULL, words, environ);
        if (error)
            errx(1, "%s: %s", argv[0], strerror(error));
    }
    for (int i = 0; i < count && i < PROCESS_MAX; i++)
        failed |= waitpid(children[i], &status, 0) < 0 || status != 0;
    printf("all %s\n", failed ? "failed" : "done");
    return failed;
}
