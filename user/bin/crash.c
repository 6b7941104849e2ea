/* crash: a program that misbehaves in a chosen way, to see that only it suffers. */
#include "common/utility.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

static const char usage[] =
    "usage: crash WAY [COUNT]\n"
    "  null     read through a null pointer\n"
    "  jump     jump to an unmapped address\n"
    "  kernel   write to the kernel's memory\n"
    "  write    write to the program's own code\n"
    "  execute  run what lies on the stack\n"
    "  divide   divide by zero\n"
    "  illegal  execute an illegal instruction\n"
    "  stack    recurse until the stack ends\n"
    "  heap     take memory until there is none\n"
    "  abort    call abort()\n"
    "  spin     compute for ever\n"
    "  spawn    start programs until that fails (or COUNT), then end them\n";

#define KERNEL_ADDRESS 0xffffffffc0200000ul

extern char **environ;

static void crash_null(void)
{
    volatile int *volatile nowhere = NULL;
    (void)*nowhere;
}

static void crash_jump(void)
{
    void (*volatile nowhere)(void) = (void (*)(void))0x40ul;
    nowhere();
}

static void crash_kernel(void)
{
    *(volatile long *volatile)KERNEL_ADDRESS = 1;
}

static void crash_write(void)
{
    volatile char *volatile code = (volatile char *)(uintptr_t)&crash_null;
    code[0] = 0;
}

static void crash_execute(void)
{
    volatile uint32_t code[2] = {0, 0};
    void (*volatile run)(void) = (void (*)(void))(uintptr_t)code;
    run();
}

static void crash_divide(void)
{
    volatile int zero = 0;
    volatile int quotient = 1 / zero;
    (void)quotient;
}

static void crash_illegal(void)
{
#ifdef __riscv
    __asm__ volatile(".2byte 0");
#else
    __builtin_trap();
#endif
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int recurse(int depth)
{
    volatile char filler[1024];
    filler[0] = (char)depth;
    return recurse(depth + 1) + filler[0];
}

static void crash_stack(void)
{
    recurse(0);
}

static void crash_heap(void)
{
    size_t taken = 0;
    for (char *memory; (memory = malloc(BUFFER_SIZE)) != NULL; taken += BUFFER_SIZE)
        memset(memory, 1, BUFFER_SIZE);
    output_format("crash: no memory after %zu KiB\n", taken / 1024);
    exit(1);
}

static void crash_abort(void)
{
    abort();
}

static void crash_spin(void)
{
    for (volatile unsigned long count = 0;; count++)
        continue;
}

/* wait_for_end: what the programs that spawn starts do: nothing, until the pipe from their
 * parent closes, which it does however the parent ends. */
static void wait_for_end(void)
{
    char byte;
    while (read_some(STDIN_FILENO, &byte, 1) > 0)
        continue;
    exit(0);
}

static void crash_spawn(const char *program, uint64_t most)
{
    char word[] = "wait", *arguments[] = {(char *)program, word, NULL};
    posix_spawn_file_actions_t actions;
    uint64_t count = 0;
    int ends[2], error = 0;

    if (pipe(ends) < 0)
        err(1, "pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    for (pid_t pid; count < most; count++)
        if ((error = posix_spawnp(&pid, program, &actions, NULL, arguments, environ)) != 0)
            break;
    output_format("crash: started %llu programs: %s\n", (unsigned long long)count,
                  error != 0 ? strerror(error) : "as asked");
    close(ends[1]);
    for (uint64_t ended = 0; ended < count;)
        if (waitpid(-1, NULL, 0) > 0)
            ended++;
        else if (errno != EINTR)
            err(1, "wait");
    output_line("crash: all have ended");
    exit(0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*crash)(void);
    } modes[] = {{"null", crash_null},       {"jump", crash_jump},       {"kernel", crash_kernel},
                 {"write", crash_write},     {"execute", crash_execute}, {"divide", crash_divide},
                 {"illegal", crash_illegal}, {"stack", crash_stack},     {"heap", crash_heap},
                 {"abort", crash_abort},     {"spin", crash_spin},       {"wait", wait_for_end}};
    uint64_t most = UINT64_MAX;

    utility_start(usage, 2);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (argc - optind < 1 || argc - optind > 2)
        utility_misuse("which way?");
    if (argc - optind == 2 && !parse_count(argv[optind + 1], &most))
        errx(2, "%s: invalid count", argv[optind + 1]);
    if (strcmp(argv[optind], "spawn") == 0)
        crash_spawn(argv[0], most);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, argv[optind]) == 0) {
            modes[i].crash();
            warnx("%s: survived", argv[optind]); /* the system did not protect itself */
            return 3;
        }
    utility_misuse("unknown way");
}
