/* From the first instruction to main, and from main's return to the end of the process. */
#include "start.h"

#include "abi/kernel_services.h"
#include "../../libcairn/internal.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "../file/cwd.h"
#include "../file/fd.h"
#include "fsclient/fsclient.h"
#include <picotls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_LIMIT 10000000000ul /* ns */
#define NO_MEMORY_STATUS 126

#define FEW_STRINGS 31 /* as many as most programs get: they need no heap until here */

extern char __first_tls[];
extern void (*__preinit_array_start[])(void), (*__preinit_array_end[])(void);
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);

int main(int argc, char **argv, char **envp);
_Noreturn void libc_start(const struct spawn_block *block, struct ipc_page *page);

static char *few_arguments[FEW_STRINGS + 1], *few_variables[FEW_STRINGS + 1];
static char **arguments = few_arguments;

/* A list of strings, which stay where they are: in the block, which is the program's own memory.
 * Without memory for many of them the program cannot run as it was meant to. */
static char **take_strings(const uint32_t *offsets, uint32_t count, char **few)
{
    char **list = count <= FEW_STRINGS ? few : calloc((size_t)count + 1, sizeof *list);
    if (!list)
        _exit(NO_MEMORY_STATUS);
    for (uint32_t i = 0; i < count; i++)
        list[i] = (char *)start_string(offsets[i]);
    return list;
}

const char *program_name(void)
{
    const char *name = arguments[0] ? arguments[0] : "?";
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

bool fd_log_output = true;

static void take_descriptors(const struct spawn_block *block)
{
    for (uint32_t i = 0; i < block->handle_count && i < SPAWN_HANDLES_MAX; i++) {
        const struct spawn_entry *entry = &block->handles[i];
        if (entry->id < SPAWN_FD(0) || entry->id >= SPAWN_FD(FD_MAX) || entry->handle <= 0)
            continue;
        struct descriptor d = {.handle = entry->handle, .flags = entry->flags};
        d.is_socket = (d.flags & FS_O_SOCKET) != 0;
        d.mode = d.is_socket ? SOCKET_MODE : 0;
        fd_place(&d, (int)(entry->id - SPAWN_FD(0)));
        fd_log_output = false;
    }
}

/* STDIO=uri: fill the standard descriptors that are missing, as soon as the name is served. The
 * word is for this process: its children get descriptors. */
static void open_standard_streams(void)
{
    const char *uri = getenv("STDIO");
    char rest[FS_PATH_MAX];
    for (int fd = 0; uri && fd < 3; fd++) {
        struct fs_open_reply reply;
        if (fd_handle(fd) > 0)
            continue;
        if (names_lookup_long(uri, rest, sizeof rest, true, NO_DEADLINE) < 0)
            break;
        handle_t handle = fs_open_uri(uri, FS_O_READ | FS_O_WRITE, 0, &reply);
        if (handle < 0)
            break;
        fd_log_output = false;
        struct descriptor d = {
            .handle = handle, .flags = FS_O_READ | FS_O_WRITE, .mode = reply.mode};
        fd_place(&d, fd);
    }
    if (uri)
        unsetenv("STDIO");
}

/* WAIT=uri: the program wants this name to be served before it starts. Without it (a machine
 * without a disk) it starts late, but it starts. */
static void wait_for_name(void)
{
    const char *uri = getenv("WAIT");
    char rest[FS_PATH_MAX];
    if (!uri)
        return;
    names_lookup_long(uri, rest, sizeof rest, true, (uint64_t)clock_now() + WAIT_LIMIT);
    unsetenv("WAIT");
}

static void call_all(void (**from)(void), void (**to)(void))
{
    while (from < to)
        (*from++)();
}

_Noreturn void libc_start(const struct spawn_block *block, struct ipc_page *page)
{
    int argc = 0;
    _init_tls(__first_tls);
    _set_tls(__first_tls);
    ipc_thread_init(page);
    start_block_set(block);
    stdio_start();
    if (start_block()) {
        argc = (int)block->argc;
        arguments = take_strings(block->strings, block->argc, few_arguments);
        environ = take_strings(block->strings + block->argc, block->envc, few_variables);
        cwd_start(start_string(block->cwd));
        take_descriptors(block);
        open_standard_streams();
        wait_for_name();
    }
    atexit(stdio_flush_all);
    call_all(__preinit_array_start, __preinit_array_end);
    call_all(__init_array_start, __init_array_end);
    exit(main(argc, arguments, environ));
}

void _exit(int status)
{
    for (;;)
        process_exit(status & 0xff);
}
