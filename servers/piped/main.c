/* piped: the server of pipe: (and of null:, which is a pipe to nowhere). Each end of a pipe is a
 * badged handle that speaks the file protocol; when its last copy closes, the other side sees end
 * of file or EPIPE. Invariant: a slot is in use while at least one of its two ends is open. */
#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/kept.h"
#include "cairn/names.h"
#include "cairn/server.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "cairn/textfile.h"
#include "piped/null.h"
#include "piped/pipe.h"
#include "piped/transfers.h"
#include "proto/fs.h"
#include "proto/pipe.h"
#include <string.h>

#define PIPES_MAX      128
#define PIPES_A_CLIENT 32
#define POLLERS        4 /* that wait at one end */

/* Badges: of an end, generation << 8 | slot << 1 | enum pipe_end; of opened text, from here on. */
#define BADGE_TEXT (1ul << 63)
#define BADGE_NULL 1ul /* and the next; a generation is never 0 */

/* Somebody to be pulsed when one of the events has come. */
struct poller {
    handle_t channel;
    uint64_t bits;
    unsigned events;
};

/* What the piped that takes over after a crash must know of a pipe. Its ring is kept in the place
 * of the same number. */
struct kept_slot {
    uint64_t badge;  /* of its read end; 0: not in use */
    uint32_t client; /* who made it */
    uint8_t made;    /* both ends have their handles */
    uint8_t ring;    /* there may be a handle in its place */
    struct pipe_state pipe;
};

struct slot {
    struct kept_slot *kept;
    struct pipe pipe;
    struct poller pollers[2][POLLERS]; /* in order of arrival */
    unsigned poller_count[2];
};

#define KEPT_LAYOUT 1
static struct kept_slot *kept_slots;
static struct slot slots[PIPES_MAX];
static struct text_server text;

/* Never the same twice, also not in the piped that takes over after a crash: its clock is later
 * than that of the one before, and no pipe is made within a nanosecond. */
static uint64_t next_generation;

/* ---- Who waits for readiness ---------------------------------------------------------------- */

static void remove_poller(struct slot *slot, int end, unsigned index)
{
    handle_close(slot->pollers[end][index].channel);
    slot->poller_count[end]--;
    memmove(&slot->pollers[end][index], &slot->pollers[end][index + 1],
            (slot->poller_count[end] - index) * sizeof(struct poller));
}

/* Pulses those whose events have come. A pulse too many does no harm: they ask again. */
static void notify_pollers(struct slot *slot)
{
    for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++) {
        unsigned ready = pipe_poll(&slot->pipe, (enum pipe_end)end);
        for (unsigned i = slot->poller_count[end]; ready != 0 && i-- > 0;) {
            struct poller *poller = &slot->pollers[end][i];
            if ((ready & poller->events) == 0)
                continue;
            pulse(poller->channel, poller->bits);
            remove_poller(slot, end, i);
        }
    }
}

static bool can_be_pulsed(handle_t handle)
{
    struct handle_info info;
    return handle_info(handle, &info) == 0 && (info.rights & RIGHT_PULSE) &&
           (info.type == OBJECT_CHANNEL || info.type == OBJECT_SESSION);
}

static int64_t poll_end(struct request *request, struct slot *slot, int end)
{
    struct message *m = request->message;
    if (m->len < sizeof(uint64_t))
        return -EINVAL;
    unsigned events = (unsigned)m->words[0] | FS_POLL_ERR | FS_POLL_HUP;
    unsigned ready = pipe_poll(&slot->pipe, (enum pipe_end)end) & events;
    if (ready != 0 || m->handle_count != 1 || m->len < 2 * sizeof(uint64_t))
        return ready;
    if (!can_be_pulsed(m->handles[0]))
        return -EINVAL;
    if (slot->poller_count[end] == POLLERS) { /* send the oldest away to ask again */
        pulse(slot->pollers[end][0].channel, slot->pollers[end][0].bits);
        remove_poller(slot, end, 0);
    }
    slot->pollers[end][slot->poller_count[end]++] =
        (struct poller){.channel = m->handles[0], .bits = m->words[1], .events = events};
    m->handle_count = 0; /* kept */
    request->reply->words[1] = 1;
    request->reply->len = 2 * sizeof(uint64_t);
    return 0;
}

/* ---- Making and ending pipes ---------------------------------------------------------------- */

static struct slot *free_slot(uint32_t client, int *error)
{
    struct slot *found = NULL;
    unsigned own = 0;
    for (size_t i = 0; i < PIPES_MAX; i++) {
        if (!kept_slots[i].badge)
            found = found ? found : &slots[i];
        else if (kept_slots[i].client == client)
            own++;
    }
    *error = own >= PIPES_A_CLIENT ? -EMFILE : found == NULL ? -ENFILE : 0;
    return *error ? NULL : found;
}

static unsigned number_of(const struct slot *slot)
{
    return (unsigned)(slot - slots);
}

static int64_t ring_map(handle_t memory)
{
    int64_t address = memory_map(0, memory, 0, 0, PIPE_CAPACITY, PROT_READ | PROT_WRITE);
    handle_close(memory);
    return address;
}

static void ring_drop(struct slot *slot)
{
    kept_drop(number_of(slot));
    slot->kept->ring = false;
}

/* The ring of a pipe: pages of its own, that go back when the pipe does. Address or -errno. */
static int64_t ring_make(struct slot *slot)
{
    int64_t memory = memory_create(PIPE_CAPACITY, 0);
    if (memory < 0)
        return memory;
    slot->kept->ring = true;
    int64_t error = kept_put(number_of(slot), (handle_t)memory);
    int64_t address = ring_map((handle_t)memory);
    if (error >= 0 && address >= 0)
        return address;
    if (address >= 0)
        memory_unmap(0, (uint64_t)address, PIPE_CAPACITY);
    ring_drop(slot);
    return error < 0 ? error : address;
}

static void slot_free(struct slot *slot)
{
    memory_unmap(0, (uint64_t)slot->pipe.ring, PIPE_CAPACITY);
    slot->kept->badge = 0;
    kept_barrier();
    ring_drop(slot);
}

static void end_close(struct slot *slot, enum pipe_end end)
{
    pipe_close(&slot->pipe, end, &transfer_mover);
    while (slot->poller_count[end] > 0)
        remove_poller(slot, end, 0);
    notify_pollers(slot);
    if (!pipe_open(&slot->pipe, PIPE_READ_END) && !pipe_open(&slot->pipe, PIPE_WRITE_END))
        slot_free(slot);
}

static int64_t mint_end(struct request *request, const struct slot *slot, enum pipe_end end)
{
    return handle_mint(request->server->channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                       slot->kept->badge | end);
}

static int64_t create(struct request *request)
{
    int error;
    uint32_t client = request->message->sender;
    struct slot *slot = free_slot(client, &error);
    if (slot == NULL)
        return error;
    int64_t ring = ring_make(slot);
    if (ring < 0)
        return ring;
    slot->kept->client = client;
    slot->kept->made = false;
    pipe_init(&slot->pipe, &slot->kept->pipe, (char *)ring);
    kept_barrier();
    slot->kept->badge = next_generation++ << 8 | (uint64_t)number_of(slot) << 1;
    int64_t reader = mint_end(request, slot, PIPE_READ_END);
    if (reader < 0) {
        slot_free(slot);
        return reader;
    }
    int64_t writer = mint_end(request, slot, PIPE_WRITE_END);
    if (writer < 0) {
        slot_free(slot);
        handle_close((handle_t)reader); /* its CLOSED will find a badge of nobody */
        return writer;
    }
    kept_barrier();
    slot->kept->made = true;
    request->reply->handles[0] = (handle_t)reader;
    request->reply->handles[1] = (handle_t)writer;
    request->reply->handle_count = 2;
    return 0;
}

/* The pipe and the end that a badge names, if that end is open. (null's badges name none.) */
static struct slot *slot_of(uint64_t badge, enum pipe_end *end)
{
    struct slot *slot = &slots[(badge & 0xff) >> 1];
    const uint64_t made = slot->kept->badge;
    *end = badge & 1 ? PIPE_WRITE_END : PIPE_READ_END;
    return made != 0 && made == (badge & ~1ul) && pipe_open(&slot->pipe, *end) ? slot : NULL;
}

/* ---- Reading and writing -------------------------------------------------------------------- */

/* Checks where the bytes of a read or write are; takes them along when they came inline. */
static int64_t check_data(const struct message *m, struct transfer *transfer)
{
    const struct fs_io_request *io = (const struct fs_io_request *)m->data;
    unsigned access = m->type == FS_READ ? WINDOW_WRITE : WINDOW_READ;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (io->offset != FS_OFFSET_CURRENT)
        return -ESPIPE;
    if (io->length > INT64_MAX)
        return -EINVAL;
    transfer->io.length = io->length;
    if (m->window_count > 0)
        return (m->windows[0].access & access) && io->length <= m->windows[0].length ? 0 : -EINVAL;
    if (io->length == 0)
        return 0;
    if (m->type == FS_READ || io->length > FS_INLINE_DATA ||
        m->len < offsetof(struct fs_io_request, data) + io->length)
        return -EINVAL;
    transfer->is_inline = true;
    memcpy(transfer->data, io->data, io->length);
    return 0;
}

static int64_t read_or_write(struct request *request, struct slot *slot, enum pipe_end end)
{
    const struct message *m = request->message;
    if (end != (m->type == FS_READ ? PIPE_READ_END : PIPE_WRITE_END))
        return -EBADF;
    struct transfer *transfer = transfer_take(request, &slot->pipe);
    if (transfer == NULL)
        return -EAGAIN;
    int64_t result = check_data(m, transfer);
    transfer->io.call = request->token;
    transfer->io.resumes = slot->kept->pipe.active[end].call == request->token;
    if (result == 0)
        result = pipe_start(&slot->pipe, end, &transfer->io, slot->kept->pipe.nonblocking[end],
                            &transfer_mover);
    if (result == PIPE_WAITS)
        transfer->waited = true;
    else
        transfer_release(transfer);
    notify_pollers(slot);
    return result == PIPE_WAITS ? SERVER_DEFERRED : result;
}

static int64_t stat_end(struct request *request, const struct slot *slot)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    reply->stat = (struct fs_stat){
        .inode = slot->kept->badge >> 1,
        .size = pipe_length(&slot->pipe),
        .mode = FS_IFIFO | 0600,
        .links = 1,
        .block_size = PIPE_ATOMIC,
    };
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t set_flags(struct request *request, struct slot *slot, enum pipe_end end)
{
    uint64_t flags;
    if (request->message->len < sizeof flags)
        return -EINVAL;
    flags = request->message->words[0];
    if (flags & ~(uint64_t)(FS_O_NONBLOCK | FS_O_APPEND))
        return -EINVAL;
    slot->kept->pipe.nonblocking[end] = (flags & FS_O_NONBLOCK) != 0;
    return 0;
}

static int64_t end_request(struct request *request)
{
    enum pipe_end end;
    const struct message *m = request->message;
    struct slot *slot = slot_of(m->badge, &end);
    if (slot == NULL) /* a close that comes again has perhaps been done */
        return m->type == FS_CLOSE && (m->flags & MESSAGE_RESENT) ? 0 : -EBADF;
    switch (m->type) {
    case FS_READ:
    case FS_WRITE:
        return read_or_write(request, slot, end);
    case FS_FSTAT:
        return stat_end(request, slot);
    case FS_POLL:
        return poll_end(request, slot, end);
    case FS_SET_FLAGS:
        return set_flags(request, slot, end);
    case FS_CLOSE:
        end_close(slot, end);
        return 0;
    case FS_SEEK:
        return -ESPIPE;
    case FS_FSYNC:
    case FS_FTRUNCATE:
        return -EINVAL;
    case FS_OPEN:
    case FS_STAT:
    case FS_READDIR:
        return -ENOTDIR;
    default:
        return -ENOSYS;
    }
}

/* ---- pipe: itself --------------------------------------------------------------------------- */

static int describe(void *context, const char *name, struct text *out)
{
    (void)context;
    (void)name;
    text_print(out, "pipe  maker  bytes  ends  waiting\n");
    for (size_t i = 0; i < PIPES_MAX; i++) {
        const struct pipe *pipe = &slots[i].pipe;
        if (!kept_slots[i].badge)
            continue;
        text_print(out, "%4zu  %5u  %5zu  %s%s    %s%s\n", i, kept_slots[i].client,
                   pipe_length(pipe), pipe_open(pipe, PIPE_READ_END) ? "r" : "-",
                   pipe_open(pipe, PIPE_WRITE_END) ? "w" : "-",
                   pipe->waiting[PIPE_READ_END] ? "reader" : "",
                   pipe->waiting[PIPE_WRITE_END] ? "writer" : "");
    }
    return 0;
}

static const struct text_file files[] = {{.name = "", .generate = describe}};
static const struct text_tree tree = {.badge = 0, .files = files, .count = 1};

/* The same numbers mean different things on the two kinds of handles, and PIPE_CREATE is FS_OPEN
 * without a path, so the badge decides first. */
static int64_t dispatch(struct request *request)
{
    const struct message *m = request->message;
    if (null_badge(m->badge))
        return null_request(request);
    if (m->badge != 0 && m->badge < BADGE_TEXT)
        return end_request(request);
    if (m->badge == 0 && m->type == PIPE_CREATE && m->len < offsetof(struct fs_path_request, path))
        return create(request);
    if ((m->type == FS_OPEN || m->type == FS_STAT) &&
        m->len < offsetof(struct fs_path_request, path))
        return -EINVAL;
    return text_server_request(&text, request);
}

static void closed(struct server *server, uint64_t badge)
{
    (void)server;
    enum pipe_end end;
    if (badge >= BADGE_TEXT) {
        text_server_closed(&text, badge);
        return;
    }
    struct slot *slot = slot_of(badge, &end);
    if (slot != NULL)
        end_close(slot, end);
}

/* ---- Taking over ---------------------------------------------------------------------------- */

static bool adopt_pipe(struct slot *slot)
{
    if (!slot->kept->made)
        return false;
    handle_t memory = kept_get(number_of(slot));
    int64_t ring = memory < 0 ? memory : ring_map(memory);
    if (ring < 0)
        return false;
    if (!pipe_adopt(&slot->pipe, &slot->kept->pipe, (char *)ring)) {
        memory_unmap(0, (uint64_t)ring, PIPE_CAPACITY);
        return false;
    }
    if (!pipe_open(&slot->pipe, PIPE_READ_END) && !pipe_open(&slot->pipe, PIPE_WRITE_END))
        slot_free(slot);
    return true;
}

/* Half-made pipes end here: whoever wanted one is not answered yet and asks again. */
static bool adopt_all(void)
{
    bool adopted;
    kept_slots = kept_state(KEPT_LAYOUT, PIPES_MAX * sizeof *kept_slots, &adopted);
    for (size_t i = 0; kept_slots != NULL && i < PIPES_MAX; i++) {
        struct slot *slot = &slots[i];
        slot->kept = &kept_slots[i];
        if (slot->kept->badge != 0 && !adopt_pipe(slot))
            slot->kept->badge = 0;
        if (slot->kept->badge == 0 && slot->kept->ring)
            ring_drop(slot);
    }
    return kept_slots != NULL;
}

/* All calls that the piped before had not answered have come again. */
static void settled(struct server *server)
{
    (void)server;
    for (size_t i = 0; i < PIPES_MAX; i++)
        if (kept_slots[i].badge != 0)
            pipe_settled(&slots[i].pipe, &transfer_mover);
}

int main(void)
{
    static struct server_operation operations[FS_SET_FLAGS];
    for (uint32_t i = 0; i < FS_SET_FLAGS; i++)
        operations[i] = (struct server_operation){.type = i + 1, .handle = dispatch};
    struct server server = {
        .channel = start_handle(SPAWN_SERVICE, 0),
        .operations = operations,
        .operation_count = FS_SET_FLAGS,
        .closed = closed,
        .settled = settled,
    };
    next_generation = (uint64_t)clock_now();
    text = (struct text_server){
        .trees = &tree,
        .tree_count = 1,
        .channel = server.channel,
        .badge_base = BADGE_TEXT | next_generation << 8,
    };
    if (!adopt_all())
        return 1;
    int64_t face = handle_dup(server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    if (face < 0 || name_register("pipe:", (handle_t)face) < 0 ||
        null_start(server.channel, BADGE_NULL) < 0)
        return 1;
    return server_run(&server) < 0;
}
