/* A port's queues. Invariant: a byte received is in exactly one of input, the line discipline and
 * held, until a reader's call was answered with it. */
#include "consoled/port/port.h"

#include "abi/errno.h"
#include "proto/fs.h"
#include "proto/process.h"
#include <string.h>

#define FEED_MAX 256 /* bytes offered to the line discipline at a time: 8 bytes of echo each */
#define ECHO_LOW (LINE_OUTPUT_MAX - FEED_MAX * 8)

void port_init(struct port *port, const struct port_backend *backend, struct line_discipline *line)
{
    memset(port, 0, sizeof *port);
    port->backend = backend;
    port->line = line;
}

/* ---- Readers ------------------------------------------------------------------------------ */

static void drop_input(struct port *port, size_t count)
{
    memmove(port->input, port->input + count, port->input_len - count);
    port->input_len -= count;
}

/* Makes something ready for a reader that wants up to length bytes; false: there is nothing. */
static bool hold(struct port *port, uint64_t length)
{
    size_t most = length < PORT_READ_MAX ? (size_t)length : PORT_READ_MAX;
    long n;
    if (port->held_at < port->held_len || port->held_end)
        return true;
    if (port->line) {
        n = line_read(port->line, port->held, most);
    } else {
        n = (long)(port->input_len < most ? port->input_len : most);
        memcpy(port->held, port->input, (size_t)n);
        drop_input(port, (size_t)n);
        if (n == 0 && !port->hung_up)
            return false;
    }
    if (n < 0)
        return false;
    port->held_at = 0;
    port->held_len = (size_t)n;
    port->held_end = n == 0;
    return true;
}

/* Gives a reader what is held. If the reader is gone, it stays for the next. */
static void deliver(struct port *port, const struct port_reader *reader)
{
    const struct port_backend *backend = port->backend;
    if (port->held_end) {
        port->held_end = false;
        backend->given(port, reader->token, 0);
        port->held_end = backend->reply(reader->token, 0) != 0;
        return;
    }
    size_t n = port->held_len - port->held_at;
    n = reader->length < n ? (size_t)reader->length : n;
    int error = backend->copy_out(reader->token, 0, port->held + port->held_at, n);
    if (error) {
        backend->reply(reader->token, error);
        return;
    }
    port->held_at += n;
    backend->given(port, reader->token, n);
    if (backend->reply(reader->token, (int64_t)n) != 0)
        port->held_at -= n;
}

static bool serve_readers(struct port *port)
{
    bool moved = false;
    while (port->reader_count > 0) {
        struct port_reader reader = port->readers[port->reader_head];
        if (!hold(port, reader.length))
            break;
        port->reader_head = (port->reader_head + 1) % PORT_READERS;
        port->reader_count--;
        deliver(port, &reader);
        moved = true;
    }
    return moved;
}

/* Forgets readers who wait no longer (they were killed, or their deadline has passed). */
static void purge_readers(struct port *port)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < port->reader_count; i++) {
        struct port_reader reader = port->readers[(port->reader_head + i) % PORT_READERS];
        if (port->backend->waits(reader.token))
            port->readers[(port->reader_head + kept++) % PORT_READERS] = reader;
    }
    port->reader_count = kept;
}

int64_t port_read(struct port *port, uint64_t token, uint64_t length, bool nonblock)
{
    if (length == 0)
        return 0;
    if (port->reader_count == PORT_READERS)
        purge_readers(port);
    if (port->reader_count == PORT_READERS)
        return -EAGAIN;
    if (nonblock && (port->reader_count > 0 || !hold(port, length)))
        return -EAGAIN;
    unsigned tail = (port->reader_head + port->reader_count++) % PORT_READERS;
    port->readers[tail] = (struct port_reader){token, length};
    port_work(port);
    return PORT_DEFERRED;
}

/* ---- Input -------------------------------------------------------------------------------- */

size_t port_room(const struct port *port)
{
    return PORT_INPUT - port->input_len;
}

void port_receive(struct port *port, const void *bytes, size_t count)
{
    memcpy(port->input + port->input_len, bytes, count);
    port->input_len += count;
    port_work(port);
}

/* ^C: what was typed before is gone, the job is told, and reads end with EINTR, so that a reader
 * who handles the signal finds it. */
static void interrupted(struct port *port)
{
    int signal = port->line->interrupt ? SIGNAL_INT : SIGNAL_QUIT;
    port->line->interrupt = port->line->quit = false;
    port->held_at = port->held_len = 0;
    port->held_end = false;
    port->backend->signal(port, signal);
    while (port->reader_count > 0) {
        uint64_t token = port->readers[port->reader_head].token;
        port->reader_head = (port->reader_head + 1) % PORT_READERS;
        port->reader_count--;
        port->backend->reply(token, -EINTR);
    }
}

/* Offers received bytes to the line discipline; false if it takes none. Normally a few at a time,
 * so that there is room for their echo; when it is full, all, so that it finds a ^C among them. */
static bool feed_line(struct port *port)
{
    if (port->input_len == 0 || port->line->output_len > ECHO_LOW)
        return false;
    size_t few = port->input_len < FEED_MAX ? port->input_len : FEED_MAX;
    size_t taken = line_input(port->line, port->input, few);
    if (taken == 0)
        taken = line_input(port->line, port->input, port->input_len);
    drop_input(port, taken);
    if (port->line->interrupt || port->line->quit)
        interrupted(port);
    return taken > 0;
}

bool port_work(struct port *port)
{
    bool moved = false;
    for (bool again = true; again; moved |= again) {
        again = serve_readers(port);
        if (port->line)
            again |= feed_line(port);
    }
    return moved;
}

void port_hang_up(struct port *port, bool hung_up)
{
    port->hung_up = hung_up;
    port_work(port);
}

/* ---- Writers and output ------------------------------------------------------------------- */

static void purge_writers(struct port *port)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < port->writer_count; i++) {
        struct port_writer *from = &port->writers[(port->writer_head + i) % PORT_WRITERS];
        struct port_writer *to = &port->writers[(port->writer_head + kept) % PORT_WRITERS];
        if (!port->backend->waits(from->token))
            continue;
        if (to != from)
            *to = *from;
        kept++;
    }
    port->writer_count = kept;
}

int64_t port_write(struct port *port, uint64_t token, uint64_t length, uint64_t done,
                   const void *data, int64_t result, bool nonblock)
{
    if (length <= done)
        return result;
    if (data && length > PORT_INLINE_MAX)
        return -EINVAL;
    if (nonblock && port->writer_count > 0)
        return -EAGAIN;
    if (port->writer_count == PORT_WRITERS)
        purge_writers(port);
    if (port->writer_count == PORT_WRITERS)
        return -EAGAIN;
    unsigned tail = (port->writer_head + port->writer_count++) % PORT_WRITERS;
    struct port_writer *writer = &port->writers[tail];
    writer->token = token;
    writer->length = length;
    writer->done = done;
    writer->result = result;
    writer->window = data == NULL;
    if (data)
        memcpy(writer->data, data, (size_t)length);
    return PORT_DEFERRED;
}

unsigned port_poll(const struct port *port)
{
    bool readable = port->held_at < port->held_len || port->held_end;
    if (port->line)
        readable |= line_readable(port->line);
    else
        readable |= port->input_len > 0 || port->hung_up;
    return (readable ? FS_POLL_IN : 0) | (port->writer_count == 0 ? FS_POLL_OUT : 0) |
           (port->hung_up ? FS_POLL_HUP : 0);
}

static size_t take_echo(struct line_discipline *line, char *out, size_t size)
{
    size_t n = line->output_len < size ? line->output_len : size;
    memcpy(out, line->output, n);
    memmove(line->output, line->output + n, line->output_len - n);
    line->output_len -= n;
    return n;
}

/* Takes the writer's next bytes, as the terminal is to see them; 0 or the copy's error. */
static int take_written(struct port *port, struct port_writer *writer, char *out, size_t size,
                        size_t *filled)
{
    char part[PORT_READ_MAX];
    uint64_t left = writer->length - writer->done;
    size_t n = size < sizeof part ? size : sizeof part;
    n = left < n ? (size_t)left : n;
    if (writer->window) {
        int error = port->backend->copy_in(writer->token, writer->done, part, n);
        if (error)
            return error;
    } else {
        memcpy(part, writer->data + writer->done, n);
    }
    if (port->line) {
        writer->done += line_process_output(port->line, part, n, out, size, filled);
    } else {
        memcpy(out, part, n);
        *filled = n;
        writer->done += n;
    }
    return 0;
}

static void writer_finish(struct port *port, int64_t result)
{
    unsigned i = port->finished_count++;
    port->finished[i].token = port->writers[port->writer_head].token;
    port->finished[i].result = result;
    port->writer_head = (port->writer_head + 1) % PORT_WRITERS;
    port->writer_count--;
}

void port_answer(struct port *port)
{
    const struct port_writer *next = &port->writers[port->writer_head];
    if (port->writer_count > 0 && next->done > 0)
        port->backend->written(next->token, next->done);
    for (unsigned i = 0; i < port->finished_count; i++)
        port->backend->reply(port->finished[i].token, port->finished[i].result);
    port->finished_count = 0;
}

size_t port_output(struct port *port, char *out, size_t size)
{
    size_t n = port->line ? take_echo(port->line, out, size) : 0;
    while (port->writer_count > 0 && port->finished_count < PORT_WRITERS && n < size) {
        struct port_writer *writer = &port->writers[port->writer_head];
        size_t filled = 0;
        int error = take_written(port, writer, out + n, size - n, &filled);
        if (error) {
            writer_finish(port, writer->done > 0 ? (int64_t)writer->done : error);
            continue;
        }
        if (filled == 0)
            break; /* a newline needs two bytes, and one is left */
        n += filled;
        if (writer->done == writer->length)
            writer_finish(port, writer->result);
    }
    if (port->line)
        cursor_track(&port->cursor, out, n);
    return n;
}

/* ---- Keeping ------------------------------------------------------------------------------ */

static void line_copy(struct line_discipline *to, const struct line_discipline *from)
{
    to->mode = from->mode;
    to->line_len = from->line_len;
    memcpy(to->line, from->line, from->line_len);
    to->literal = from->literal;
    to->ready_head = from->ready_head;
    to->ready_len = from->ready_len;
    if (from->ready_len > 0)
        memcpy(to->ready, from->ready, sizeof to->ready);
    to->end_of_file = from->end_of_file;
    to->mark_head = from->mark_head;
    to->mark_count = from->mark_count;
    memcpy(to->marks, from->marks, sizeof to->marks);
    to->output_len = from->output_len;
    memcpy(to->output, from->output, from->output_len);
    to->interrupt = from->interrupt;
    to->quit = from->quit;
}

void port_save(const struct port *port, struct port_saved *saved)
{
    saved->received = port->received;
    saved->cursor = port->cursor;
    if (port->line)
        line_copy(&saved->line, port->line);
    saved->input_len = (uint32_t)port->input_len;
    memcpy(saved->input, port->input, port->input_len);
    saved->held_len = (uint32_t)(port->held_len - port->held_at);
    memcpy(saved->held, port->held + port->held_at, saved->held_len);
    saved->held_end = port->held_end;
}

bool port_saved_valid(const struct port_saved *saved)
{
    const struct line_discipline *line = &saved->line;
    bool valid = saved->input_len <= PORT_INPUT && saved->held_len <= PORT_READ_MAX &&
                 line->line_len <= LINE_MAX_LEN && line->output_len <= LINE_OUTPUT_MAX &&
                 line->ready_len < LINE_READY_MAX && line->ready_head < LINE_READY_MAX &&
                 line->mark_count <= LINE_MARKS_MAX && line->mark_head < LINE_MARKS_MAX &&
                 saved->received.count <= PORT_BUFFERS && saved->received.head < PORT_BUFFERS;
    for (unsigned i = 0; i < PORT_BUFFERS && valid; i++)
        valid = saved->received.parts[i].buffer < PORT_BUFFERS &&
                saved->received.parts[i].at <= saved->received.parts[i].length;
    return valid;
}

void port_load(struct port *port, const struct port_saved *saved)
{
    port->cursor = saved->cursor;
    if (port->line)
        line_copy(port->line, &saved->line);
    port->input_len = saved->input_len;
    memcpy(port->input, saved->input, saved->input_len);
    port->held_at = 0;
    port->held_len = saved->held_len;
    memcpy(port->held, saved->held, saved->held_len);
    port->held_end = saved->held_end;
}
