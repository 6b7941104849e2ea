/* One client, as a state machine: read a request, write the answer, again. */
#include "connection.h"

#include "../common/socket.h"

#define IDLE_NS (15 * 1000000000ull) /* without a byte, in either direction */

static char block[BUFFER_SIZE]; /* between a file and a socket, for whoever is being called */

static void stay(struct connection *connection) { connection->until = monotonic_ns() + IDLE_NS; }

void connection_begin(struct connection *connection, int fd)
{
    connection->fd = fd;
    connection->writing = connection->closing = false;
    connection->keep = true;
    connection->used = 0;
    connection->page = NULL;
    connection->file = -1;
    stay(connection);
}

/* drop_answer: what belongs to the answer that has been sent, or will not be. */
static void drop_answer(struct connection *connection)
{
    if (connection->file >= 0)
        close(connection->file);
    free(connection->page);
    connection->file = -1;
    connection->page = NULL;
}

void connection_end(struct connection *connection)
{
    drop_answer(connection);
    close(connection->fd);
    connection->fd = -1;
}

static bool would_wait(void) { return errno == EAGAIN || errno == EINTR; }

/* begin_answer: a whole request is there, or something that will never be one. */
static bool begin_answer(struct connection *connection)
{
    struct http_head head;
    size_t length = http_head_length(connection->request, connection->used);

    if (length == 0 && connection->used < REQUEST_MAX)
        return false;
    connection->head_length = length;
    connection->writing = true;
    if (length == 0)
        respond_error(connection, 431);
    else if (http_head_request(connection->request, length, &head) != 0)
        respond_error(connection, 400);
    else
        respond(connection, &head);
    return true;
}

/* read_request: true as long as the connection lives. */
static bool read_request(struct connection *connection)
{
    ssize_t n = recv(connection->fd, connection->request + connection->used,
                     REQUEST_MAX - connection->used, 0);
    if (n <= 0)
        return n < 0 && would_wait();
    connection->used += (size_t)n;
    stay(connection);
    return true;
}

/* write_out: bytes of the head or the page; write_file: of the file behind it. -1: would wait, or
 * broken (errno). */
static ssize_t write_out(struct connection *connection)
{
    const char *from = connection->page ? connection->page : connection->head;
    ssize_t n = send(connection->fd, from + connection->out_start,
                     connection->out_end - connection->out_start, MSG_NOSIGNAL);
    connection->out_start += n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t write_file(struct connection *connection)
{
    size_t want =
        connection->file_left < sizeof(block) ? (size_t)connection->file_left : sizeof(block);
    ssize_t n = pread(connection->file, block, want, (off_t)connection->file_at);
    if (n <= 0) { /* it has become shorter: the length that we promised cannot be kept */
        errno = EIO;
        return -1;
    }
    n = send(connection->fd, block, (size_t)n, MSG_NOSIGNAL);
    if (n > 0) {
        connection->file_at += (uint64_t)n;
        connection->file_left -= (uint64_t)n;
    }
    return n;
}

/* next_request: what came behind the one that has been answered moves to the front. */
static void next_request(struct connection *connection)
{
    connection->used -= connection->head_length;
    memmove(connection->request, connection->request + connection->head_length, connection->used);
    connection->writing = false;
}

/* linger: we have said everything, but closing now, with something unread, would reset the
 * connection and might take our answer away (RFC 9112 9.6). */
static bool linger(struct connection *connection)
{
    ssize_t n = recv(connection->fd, block, sizeof(block), 0);
    return n > 0 || (n < 0 && would_wait());
}

/* write_answer: true as long as the connection lives. */
static bool write_answer(struct connection *connection)
{
    ssize_t n = 1;
    while (n > 0 && (connection->out_start < connection->out_end || connection->file_left > 0))
        n = connection->out_start < connection->out_end ? write_out(connection)
                                                        : write_file(connection);
    if (n < 0)
        return would_wait();
    stay(connection);
    drop_answer(connection);
    if (connection->keep) {
        next_request(connection);
        return true;
    }
    connection->closing = true;
    return shutdown(connection->fd, SHUT_WR) == 0;
}

static bool advance(struct connection *connection)
{
    if (connection->closing)
        return linger(connection);
    if (!connection->writing && !read_request(connection))
        return false;
    /* several requests may have come at once */
    while (!connection->closing && (connection->writing || begin_answer(connection))) {
        if (!write_answer(connection))
            return false;
        if (connection->writing)
            break;
    }
    return true;
}

bool connection_ready(struct connection *connection)
{
    bool lives = advance(connection);
    if (!lives)
        connection_end(connection);
    return lives;
}
