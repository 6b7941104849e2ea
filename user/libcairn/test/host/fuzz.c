/* The clients of a fuzzed server. Invariant: all memory lent for a call lives until the call is
 * done. */
#include "fuzz.h"
#include "proto/fs.h"
#include <stdlib.h>
#include <string.h>

#define CLIENTS   3
#define WAITING   64
#define MAPPED_MAX (160u << 10)
#define HEAP_GROWTH_MAX (1u << 20) /* over all inputs: caches that are kept */

static const struct fuzz_server *fuzzed;
static struct host_process *clients[CLIENTS];
static struct host_object *gifts[3];
static struct host_call *waiting[WAITING];
static unsigned waiting_count;

uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

uint64_t fuzz_word(struct fuzz_input *in)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | fuzz_byte(in);
    return value;
}

uint64_t fuzz_number(struct fuzz_input *in)
{
    static const uint64_t favourites[] = {
        0, 1, 2, 4096, 512, 65536, UINT64_MAX, UINT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MAX + 1,
        UINT32_MAX, 1ul << 32, 1ul << 31, 255, 256, 200, 201, 1024,
    };
    uint8_t kind = fuzz_byte(in);
    if (kind < 128)
        return kind;
    if (kind < 192)
        return favourites[kind % (sizeof favourites / sizeof favourites[0])];
    if (kind < 250)
        return (uint64_t)fuzz_byte(in) << (kind % 40);
    return fuzz_word(in);
}

size_t fuzz_text(struct fuzz_input *in, char *out, size_t room)
{
    uint8_t choice = fuzz_byte(in);
    size_t len = choice % 16;
    if (fuzzed->name_count > 0 && choice < 224) {
        const char *name = fuzzed->names[choice % fuzzed->name_count];
        len = strlen(name);
        len = len < room ? len : room;
        memcpy(out, name, len);
        return len;
    }
    len = len < room ? len : room;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)fuzz_byte(in);
    return len;
}

/* ---- The file protocol ------------------------------------------------------------------------ */

static size_t make_path(struct fuzz_input *in, char *out, size_t room)
{
    unsigned segments = fuzz_byte(in) % 4;
    size_t len = 0;
    for (unsigned i = 0; i < segments; i++) {
        if (i > 0 && len < room)
            out[len++] = '/';
        len += fuzz_text(in, out + len, room - len);
    }
    return len;
}

static void shape_path(struct fuzz_input *in, struct message *m)
{
    struct fs_path_request *r = (struct fs_path_request *)m->data;
    r->flags = fuzz_byte(in) | (uint32_t)(fuzz_byte(in) & 3) << 8;
    r->mode = (uint32_t)fuzz_byte(in) * 17;
    r->size = fuzz_number(in);
    r->path_len = (uint32_t)make_path(in, r->path, sizeof r->path);
    m->len = (uint16_t)(offsetof(struct fs_path_request, path) + r->path_len);
}

static void shape_two(struct fuzz_input *in, struct message *m)
{
    struct fs_two_paths_request *r = (struct fs_two_paths_request *)m->data;
    r->old_len = (uint32_t)make_path(in, r->paths, sizeof r->paths / 2);
    r->new_len = (uint32_t)make_path(in, r->paths + r->old_len, sizeof r->paths / 2);
    m->len = (uint16_t)(offsetof(struct fs_two_paths_request, paths) + r->old_len + r->new_len);
}

static void shape_io(struct fuzz_input *in, struct message *m)
{
    struct fs_io_request *r = (struct fs_io_request *)m->data;
    uint8_t kind = fuzz_byte(in);
    r->offset = kind < 128 ? FS_OFFSET_CURRENT : fuzz_number(in);
    r->length = fuzz_number(in);
    m->len = offsetof(struct fs_io_request, data);
    if (m->type == FS_WRITE && r->length <= FS_INLINE_DATA) {
        memset(r->data, kind, r->length);
        m->len = (uint16_t)(m->len + r->length);
    }
}

bool fuzz_file_message(struct fuzz_input *in, struct message *m)
{
    switch (m->type) {
    case FS_OPEN:
    case FS_STAT:
    case FS_MKDIR:
    case FS_RMDIR:
    case FS_UNLINK:
    case FS_TRUNCATE:
    case FS_CHMOD:
    case FS_UTIME:
    case FS_READLINK:
        shape_path(in, m);
        return true;
    case FS_RENAME:
    case FS_LINK:
    case FS_SYMLINK:
        shape_two(in, m);
        return true;
    case FS_READ:
    case FS_WRITE:
    case FS_READDIR:
    case FS_FTRUNCATE:
        shape_io(in, m);
        return true;
    case FS_SEEK:
    case FS_POLL:
    case FS_SET_FLAGS:
    case FS_SYNC_ASYNC:
    case FS_JOB_STATUS:
        m->words[0] = fuzz_number(in);
        m->words[1] = fuzz_number(in);
        m->len = 16;
        return true;
    default:
        return false;
    }
}

/* ---- Messages --------------------------------------------------------------------------------- */

static void make_windows(struct fuzz_input *in, struct message *m, struct host_window *windows)
{
    static const uint64_t lengths[] = {0, 1, 16, 300, 4096, 70000, 131072, USER_TOP - USER_BASE};
    uint8_t count = fuzz_byte(in) % 8;
    if (m->window_count == 0)
        m->window_count = count > 5 ? 2 : count > 1 ? 1 : 0;
    for (unsigned i = 0; i < m->window_count; i++) {
        struct host_window *window = &windows[i];
        uint8_t kind = fuzz_byte(in);
        window->length = lengths[kind % 8];
        window->mapped = window->length < MAPPED_MAX ? window->length : MAPPED_MAX;
        if (kind & 8)
            window->mapped /= 2;
        window->access = kind & 16    ? WINDOW_READ
                         : kind & 32 ? WINDOW_WRITE
                                     : WINDOW_READ | WINDOW_WRITE;
        window->restless = (kind & 0xc0) == 0xc0;
        window->bytes = malloc(window->mapped + !window->mapped);
        if (window->bytes == NULL)
            abort();
        memset(window->bytes, fuzz_byte(in), window->mapped);
        size_t text = window->mapped < 400 ? window->mapped : 400;
        make_path(in, (char *)window->bytes, text);
    }
    if (fuzzed->lend && m->window_count > 0)
        fuzzed->lend(in, m, &windows[0]);
}

static void make_handles(struct fuzz_input *in, struct message *m,
                         const struct host_process *process)
{
    uint8_t kind = fuzz_byte(in);
    bool chosen = m->handle_count > 0;
    if (!chosen)
        m->handle_count = (uint8_t)(kind < 160 ? 0 : kind < 224 ? 1 : kind % 5);
    for (unsigned i = 0; i < m->handle_count; i++) {
        m->handles[i] =
            host_handle(process, chosen ? (unsigned)m->handles[i] : fuzz_byte(in) % 16u);
        if (m->handles[i] < 0)
            m->handles[i] = host_handle(process, 0);
        if (m->handles[i] < 0)
            m->handle_count = 0;
    }
}

/* 0xaa is what the stand-in takes for a byte that nobody wrote. */
static void without_pattern(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = bytes[i] == 0xaa ? 0xab : bytes[i];
}

static void make_message(struct fuzz_input *in, struct message *m)
{
    uint8_t choice = fuzz_byte(in), spoil = fuzz_byte(in);
    *m = (struct message){.type = fuzzed->types[choice % fuzzed->type_count]};
    if (spoil >= 250)
        m->type = (uint32_t)fuzz_word(in);
    if (spoil % 16 == 1 || !fuzzed->shape || !fuzzed->shape(in, m)) {
        m->len = fuzz_byte(in) + (spoil == 17);
        for (unsigned i = 0; i < m->len && in->left > 0; i++)
            m->data[i] = fuzz_byte(in);
    }
    if (spoil % 16 == 2)
        m->len = fuzz_byte(in);
    if (spoil % 16 == 3)
        m->words[fuzz_byte(in) % 8] = fuzz_number(in);
    without_pattern(m->data, sizeof m->data);
}

static void call_end(struct host_call *call)
{
    host_cancel(call);
    for (unsigned i = 0; i < call->window_count; i++)
        free(call->windows[i].bytes);
    host_done(call);
}

static void forget_waiting(unsigned index)
{
    call_end(waiting[index]);
    waiting[index] = waiting[--waiting_count];
}

static void check_reply(const struct host_call *call)
{
    int64_t result = (int64_t)call->reply.words[0];
    if (result < -4095)
        host_bug("an answer of %ld", (long)result);
}

static void send(struct fuzz_input *in, struct host_process *process)
{
    struct host_window windows[MESSAGE_WINDOWS_MAX];
    struct message m;
    uint8_t which = fuzz_byte(in);
    make_message(in, &m);
    make_windows(in, &m, windows);
    make_handles(in, &m, process);
    int handle = host_handle(process, which < 96 ? 0 : which % 24);
    if (handle < 0)
        handle = host_handle(process, 0);
    struct host_call *call = host_send(process, handle, &m, windows);
    if (call == NULL || call->state == HOST_FAILED) {
        for (unsigned i = 0; i < m.window_count; i++)
            free(windows[i].bytes);
        if (call)
            host_done(call);
        return;
    }
    if (call->state == HOST_WAITING && waiting_count < WAITING) {
        waiting[waiting_count++] = call;
        return;
    }
    if (call->state == HOST_ANSWERED)
        check_reply(call);
    call_end(call);
}

static void sort_out_waiting(void)
{
    for (unsigned i = waiting_count; i-- > 0;) {
        if (waiting[i]->state == HOST_WAITING)
            continue;
        if (waiting[i]->state == HOST_ANSWERED)
            check_reply(waiting[i]);
        forget_waiting(i);
    }
}

/* ---- Clients ---------------------------------------------------------------------------------- */

static struct host_process *client_new(void)
{
    struct host_process *process = fuzzed->birth ? fuzzed->birth() : host_process("client");
    fuzzed->welcome(process);
    for (unsigned i = 0; i < 3; i++)
        host_hold(process, gifts[i],
                  i == 2 ? RIGHT_TRANSFER
                         : RIGHT_SEND | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER | RIGHT_MAP_R |
                               RIGHT_MAP_W);
    return process;
}

static void client_end(struct host_process *process)
{
    host_exit(process, EXIT_KILLED, 9);
    sort_out_waiting();
    host_leave(process);
}

static void act(struct fuzz_input *in)
{
    unsigned client = fuzz_byte(in) % CLIENTS, action = fuzz_byte(in) % 16;
    int handle = -1;
    switch (action) {
    default:
        send(in, clients[client]);
        break;
    case 10:
        handle = host_handle(clients[client], 1 + fuzz_byte(in) % 24);
        if (handle >= 0)
            host_close(clients[client], handle);
        break;
    case 11:
        if (waiting_count > 0)
            host_cancel(waiting[fuzz_byte(in) % waiting_count]);
        break;
    case 12:
        host_advance(1ul << fuzz_byte(in) % 36);
        break;
    case 13:
        host_fail(fuzz_byte(in) % 8);
        break;
    case 14:
        host_fail(0);
        client_end(clients[client]);
        clients[client] = client_new();
        break;
    case 15:
        if (fuzzed->event)
            fuzzed->event(in);
        break;
    }
    sort_out_waiting();
}

static void compare(const struct host_count *now, const struct host_count *first)
{
    if (now->handles > first->handles + fuzzed->slack)
        host_bug("%u handles are open, %u were at first", now->handles, first->handles);
    if (now->sessions > first->sessions + fuzzed->slack)
        host_bug("%u sessions are left, %u were there at first", now->sessions, first->sessions);
    if (now->mappings != first->mappings)
        host_bug("%u mappings are left, %u were there at first", now->mappings, first->mappings);
}

/* What is done to the server here must leave it as it was. */
static void all_gone(const struct host_count *before)
{
    static struct host_count first;
    static size_t grown;
    host_fail(0);
    for (unsigned i = 0; i < CLIENTS; i++)
        client_end(clients[i]);
    while (waiting_count > 0)
        forget_waiting(0);
    for (unsigned i = 0; i < 3; i++)
        host_release(gifts[i]);
    host_idle();
    host_advance(10000000000);
    if (fuzzed->settle)
        fuzzed->settle();
    host_idle();
    struct host_count now = host_count();
    if (first.handles == 0)
        first = *before;
    compare(&now, &first);
    if (now.heap > before->heap)
        grown += now.heap - before->heap;
    if (grown > HEAP_GROWTH_MAX)
        host_bug("%zu bytes were allocated and not freed", grown);
}

void fuzz_messages(const struct fuzz_server *server, const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct host_count before = host_count();
    fuzzed = server;
    gifts[0] = host_channel(NULL, NULL);
    gifts[1] = host_memory(2 * PAGE_SIZE, MEMORY_CONTIGUOUS, 2 * PAGE_SIZE);
    gifts[2] = host_channel(NULL, NULL);
    host_channel_dead(gifts[2]);
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = client_new();
    for (unsigned steps = 0; in.left > 0 && steps < 400; steps++)
        act(&in);
    all_gone(&before);
}
