/* Measures Cairn from inside: lines `bench NAME VALUE UNIT`. Under -icount a nanosecond is an
 * instruction. `bench echo` is the other side of the IPC measurements. `bench write` measures
 * what depends on the file system's journal; `bench small FILE` is one of its writers. */
#include "abi/memory.h"
#include "cairn/ipc.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "fsclient/fsclient.h"
#include "lib/puppet.h"
#include "proto/blk.h"
#include "proto/ns.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ECHO_PLAIN = 1, ECHO_HANDLE = 2, ECHO_WINDOW = 3 };

#define ROUNDS 2000
#define FILE_NAME "/tmp/bench.data"
#define FILE_SIZE (4ul << 20)
#define CHUNK (64ul << 10)

static handle_t channel; /* the echo server's */
static char buffer[CHUNK] __attribute__((aligned(4096)));
static unsigned reported;

static void report(const char *name, double value, const char *unit)
{
    printf("bench %s %.4g %s\n", name, value, unit);
    reported++;
}

/* The average of rounds runs, ns each; one run before to warm up. */
static void measure(const char *name, unsigned rounds, void (*run)(void))
{
    run();
    uint64_t start = (uint64_t)clock_now();
    for (unsigned i = 0; i < rounds; i++)
        run();
    report(name, (double)((uint64_t)clock_now() - start) / rounds, "ns");
}

/* Bytes moved by one run, as MB/s. */
static void measure_rate(const char *name, uint64_t bytes, void (*run)(void))
{
    uint64_t start = (uint64_t)clock_now();
    run();
    report(name, (double)bytes * 1000 / (double)((uint64_t)clock_now() - start), "MB/s");
}

static int echo(void)
{
    handle_t service = start_handle(SPAWN_SERVICE, 0);
    struct message m;
    int64_t token = channel_recv(service, &m, NO_DEADLINE);
    while (token >= 0) {
        for (int i = 0; i < m.handle_count; i++)
            handle_close(m.handles[i]);
        if (m.type == ECHO_WINDOW)
            copy_in((uint64_t)token, 0, 0, buffer, CHUNK);
        m.handle_count = m.window_count = 0;
        token = channel_reply_recv((uint64_t)token, &m, service, NO_DEADLINE);
    }
    return 0;
}

static int start_echo(const char *self)
{
    static const char *const argv[] = {"bench", "echo", NULL};
    uint64_t size;
    int file = open(self, O_RDONLY);
    struct stat st;
    if (file < 0 || fstat(file, &st))
        return -1;
    size = (uint64_t)st.st_size;
    handle_t image = (handle_t)memory_create(size, 0);
    int64_t at = memory_map(0, image, 0, 0, size, PROT_READ | PROT_WRITE);
    if (at < 0 || read(file, (void *)at, size) != (ssize_t)size)
        return -1;
    close(file);
    channel = (handle_t)channel_create(0);
    const struct spawn_handle handles[] = {{SPAWN_SERVICE, channel, 0, NULL}};
    struct spawn_options options = {.argv = argv, .handles = handles, .handle_count = 1};
    return spawn_memory(image, "bench-echo", &options);
}

static void run_null(void) { process_self(); }

static void run_ipc(void)
{
    struct message m;
    m.type = ECHO_PLAIN;
    m.len = 32;
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    channel_call(channel, &m);
}

static void run_ipc_empty(void)
{
    struct message m;
    m.type = ECHO_PLAIN;
    m.len = 0;
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    channel_call(channel, &m);
}

static void run_ipc_256(void)
{
    struct message m = {.type = ECHO_PLAIN, .len = 256};
    channel_call(channel, &m);
}

static void run_ipc_handle(void)
{
    struct message m = {.type = ECHO_HANDLE, .handle_count = 1, .handles = {channel}};
    channel_call(channel, &m);
}

static void lend(uint64_t size)
{
    struct message m = {.type = ECHO_WINDOW, .window_count = 1,
                        .windows = {{(uint64_t)buffer, size, WINDOW_READ}}};
    channel_call(channel, &m);
}

static void run_lend_4k(void) { lend(4096); }
static void run_lend_64k(void) { lend(65536); }

static handle_t own; /* a channel that we pulse and receive on ourselves */

static void run_pulse(void)
{
    struct message m;
    pulse(own, 1);
    channel_recv(own, &m, NO_DEADLINE);
}

static void run_yield(void) { thread_yield(); }

static void run_fault(void)
{
    handle_t memory = (handle_t)memory_create(16 * PAGE_SIZE, 0);
    int64_t at = memory_map(0, memory, 0, 0, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 16; i++)
        ((volatile char *)at)[i * PAGE_SIZE] = 1;
    memory_unmap(0, (uint64_t)at, 16 * PAGE_SIZE);
    handle_close(memory);
}

static void run_spawn(void)
{
    static char *const argv[] = {"true", NULL};
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0)
        waitpid(pid, &status, 0);
}

static void run_stat(void)
{
    struct stat st;
    stat("/etc/motd", &st);
}

static void run_lookup(void)
{
    char rest[NS_URI_MAX];
    namespace_set(namespace_get()); /* forgets what was resolved before */
    name_resolve("fs:root:etc/motd", rest);
}

static void run_directory(void)
{
    struct stat st;
    stat("/bin/no-such-program", &st);
}

static void run_write(void)
{
    int file = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (uint64_t at = 0; at < FILE_SIZE; at += CHUNK)
        write(file, buffer, CHUNK);
    fsync(file);
    close(file);
}

static void run_read(void)
{
    int file = open(FILE_NAME, O_RDONLY);
    while (read(file, buffer, CHUNK) > 0)
        ;
    close(file);
}

/* Reads more than the cache holds straight from the disk, so that the file is not in it. */
static void run_read_disk(void)
{
    int disk = open("block:virtio:0", O_RDONLY);
    for (uint64_t at = 0; at < FILE_SIZE && read(disk, buffer, CHUNK) > 0; at += CHUNK)
        ;
    close(disk);
}

static int disk;
static void run_block(void) { pread(disk, buffer, 4096, 4096 * 100); }

/* A file that nothing has read since boot: the programs on the disk, all of them. */
static void cold_read(void)
{
    static const char *const names[] = {"/bin/sh", "/bin/edit", "/bin/ls", "/bin/grep",
                                        "/bin/find", "/bin/sort", "/bin/dd", "/bin/diff"};
    uint64_t bytes = 0, start = (uint64_t)clock_now();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int file = open(names[i], O_RDONLY);
        for (ssize_t n; file >= 0 && (n = read(file, buffer, CHUNK)) > 0;)
            bytes += (uint64_t)n;
        close(file);
    }
    report("file_read_cold", (double)bytes * 1000 / (double)((uint64_t)clock_now() - start),
           "MB/s");
}

/* ---- What a journal costs ------------------------------------------------------------------ */

#define LARGE_SIZE   (16ul << 20)
#define LARGE_ROUNDS 8
#define WRITERS      4
#define SMALL_WRITES 32 /* of each */

static void run_large(void)
{
    int file = open(FILE_NAME, O_WRONLY | O_CREAT, 0644);
    for (uint64_t at = 0; at < LARGE_SIZE; at += CHUNK)
        write(file, buffer, CHUNK);
    fsync(file);
    close(file);
}

/* One of several programs that make small writes last, each for itself. They begin together, when
 * their standard input ends. */
static int small_writes(const char *name)
{
    char end;
    read(STDIN_FILENO, &end, 1);
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < SMALL_WRITES; i++)
        if (write(file, buffer, 200) != 200 || fsync(file) != 0)
            return 1;
    close(file);
    return unlink(name);
}

static uint64_t commits(void)
{
    char rest[NS_URI_MAX];
    struct fs_statfs_reply reply = {0};
    handle_t root = name_resolve("fs:root:", rest);
    if (root > 0)
        fs_statfs(root, &reply);
    return reply.commits;
}

static int measure_journal(char *self)
{
    uint64_t best = UINT64_MAX; /* the disk is the host's, and others use that */
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        uint64_t begin = (uint64_t)clock_now();
        run_large();
        uint64_t took = (uint64_t)clock_now() - begin;
        best = took < best ? took : best;
        unlink(FILE_NAME);
    }
    report("large_write", (double)best, "ns");
    pid_t pids[WRITERS];
    int gate[2], status, failed = pipe(gate);
    failed |= dup2(gate[0], STDIN_FILENO) < 0;
    failed |= fcntl(gate[1], F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < WRITERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "/tmp/small.%d", i);
        char *argv[] = {self, "small", name, NULL};
        failed |= posix_spawn(&pids[i], self, NULL, NULL, argv, environ);
    }
    uint64_t commits_before = commits(), start = (uint64_t)clock_now();
    close(gate[1]);
    for (int i = 0; i < WRITERS && !failed; i++)
        failed = waitpid(pids[i], &status, 0) < 0 || status != 0;
    uint64_t done = commits() - commits_before;
    report("small_fsync", (double)((uint64_t)clock_now() - start) / (WRITERS * SMALL_WRITES), "ns");
    if (done)
        report("fsyncs_per_commit", (double)(WRITERS * SMALL_WRITES) / (double)done, "fsyncs");
    printf("DONE %u\n", reported);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "echo") == 0)
        return echo();
    if (argc > 2 && strcmp(argv[1], "small") == 0)
        return small_writes(argv[2]);
    if (argc > 1 && strcmp(argv[1], "write") == 0)
        return measure_journal("/test/bench");
    if (start_echo(argv[0][0] == '/' ? argv[0] : "/test/bench") < 0) {
        printf("bench: cannot start the echo server\n");
        return 1;
    }
    cold_read();
    own = (handle_t)channel_create(0);
    disk = open("block:virtio:0", O_RDONLY);
    measure("null_syscall", ROUNDS, run_null);
    measure("ipc_round_trip", ROUNDS, run_ipc);
    measure("ipc_0_words", ROUNDS, run_ipc_empty);
    measure("ipc_256_bytes", ROUNDS, run_ipc_256);
    measure("ipc_one_handle", ROUNDS, run_ipc_handle);
    measure("ipc_lend_4k", ROUNDS, run_lend_4k);
    measure("ipc_lend_64k", ROUNDS / 10, run_lend_64k);
    measure("pulse", ROUNDS, run_pulse);
    measure("yield", ROUNDS, run_yield);
    measure("page_fault_16", ROUNDS / 10, run_fault);
    measure("file_stat", ROUNDS / 10, run_stat);
    measure("directory_lookup", ROUNDS / 10, run_directory);
    measure("name_lookup", ROUNDS / 10, run_lookup);
    measure("block_read_4k", ROUNDS / 10, run_block);
    measure("spawn_wait", 50, run_spawn);
    measure_rate("file_write_fsync", FILE_SIZE, run_write);
    run_read();
    measure_rate("file_read_cached", FILE_SIZE, run_read);
    measure_rate("disk_read", FILE_SIZE, run_read_disk);
    unlink(FILE_NAME);
    printf("DONE %u\n", reported);
    return 0;
}
