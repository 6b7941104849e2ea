/* Starting a program through init: the spawn block, its handles, and waiting for the end. */
#include "cairn/spawn.h"

#include "cairn/syscall.h"
#include "spawn_block.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HANDLES_WITH_IMAGE (MESSAGE_HANDLES_MAX - 1)

static handle_t process_service(void)
{
    const struct spawn_block *block = start_block();
    return block && block->process_service > 0 ? block->process_service : -ENOENT;
}

static int64_t send(handle_t to, struct message *m)
{
    int error = channel_call(to, m);
    if (error)
        return error;
    return m->len >= sizeof(int64_t) ? (int64_t)m->words[0] : -EPROTO;
}

static void fill_request(struct message *m, const struct spawn_block *block, const char *name,
                         const struct spawn_options *options)
{
    struct spawn_request *request = (struct spawn_request *)m->data;
    m->len = sizeof *request;
    m->window_count = 1;
    m->windows[0] = (struct window){(uint64_t)block, block->length, WINDOW_READ};
    request->block_len = block->length;
    request->stack_size = (uint32_t)options->stack_size;
    request->priority = options->priority;
    request->flags = options->flags;
    if (options->quota)
        request->quota = *options->quota;
    strncpy(request->name, name, sizeof request->name - 1);
}

/* Gives the handles from the third on, four a message, to a prepared session, and starts it. */
static int64_t give_and_start(handle_t session, const struct spawn_options *options)
{
    for (size_t at = HANDLES_WITH_IMAGE; at < options->handle_count; at += MESSAGE_HANDLES_MAX) {
        struct message m = {.type = PROC_GIVE, .len = 8};
        for (size_t i = at; i < options->handle_count && m.handle_count < MESSAGE_HANDLES_MAX; i++)
            m.handles[m.handle_count++] = options->handles[i].handle;
        int64_t result = send(session, &m);
        if (result < 0)
            return result;
    }
    struct message m = {.type = PROC_START, .len = 8};
    return send(session, &m);
}

static int64_t spawn_with(handle_t image, const char *name, const struct spawn_options *options,
                          const struct spawn_block *block)
{
    bool in_one = options->handle_count <= HANDLES_WITH_IMAGE;
    handle_t service = process_service();
    if (service < 0)
        return service;
    struct message m = {.type = in_one ? PROC_SPAWN : PROC_PREPARE, .handle_count = 1};
    m.handles[0] = image;
    for (size_t i = 0; i < options->handle_count && i < HANDLES_WITH_IMAGE; i++)
        m.handles[m.handle_count++] = options->handles[i].handle;
    fill_request(&m, block, name, options);
    int64_t result = send(service, &m);
    if (result < 0 || in_one)
        return result;
    if (m.handle_count != 1)
        return -EPROTO;
    handle_t session = m.handles[0];
    result = give_and_start(session, options);
    handle_close(session);
    return result;
}

int spawn_memory(handle_t image, const char *name, const struct spawn_options *options)
{
    int64_t size = spawn_block_size(options);
    if (size < 0)
        return (int)size;
    struct spawn_block *block = malloc((size_t)size);
    if (!block)
        return -ENOMEM;
    spawn_block_build(block, (size_t)size, options);
    int64_t pid = spawn_with(image, name, options, block);
    free(block);
    return (int)pid;
}

int process_wait_for(int pid, unsigned flags, struct process_status *status)
{
    handle_t service = process_service();
    if (service < 0)
        return service;
    struct message m = {.type = PROC_WAIT, .len = 16};
    m.words[0] = (uint64_t)(int64_t)pid;
    m.words[1] = flags;
    int64_t result = send(service, &m);
    if (result > 0 && status) {
        if (m.len < sizeof(int64_t) + sizeof *status)
            return -EPROTO;
        memcpy(status, m.data + sizeof(int64_t), sizeof *status);
    }
    return (int)result;
}

int process_signal(int pid, int signal)
{
    handle_t service = process_service();
    if (service < 0)
        return service;
    return (int)call_words(service, PROC_SIGNAL, (uint64_t)(int64_t)pid, (uint64_t)signal, 0);
}
