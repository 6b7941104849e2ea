/* One port: a stream of bytes to and from outside, with those who wait to read and write.
 *
 * A pure state machine between a driver (which hands in what was received and takes what is to be
 * sent) and clients (whose reads and writes are answered later). With a line discipline it is a
 * terminal, without one a raw stream. Nothing received is ever dropped: what finds no reader stays,
 * and when the buffer is full, port_room tells the driver to receive no more. */
#pragma once

#include "consoled/line_discipline.h"
#include "consoled/port/cursor.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_DEFERRED   INT64_MIN /* the token will be answered later */
#define PORT_READERS    64
#define PORT_WRITERS    32
#define PORT_A_CLIENT   16   /* of one client: readers, and writers */
#define PORT_INPUT      8192 /* received bytes kept besides those in the line discipline */
#define PORT_READ_MAX   4096 /* bytes that one read gives at most */
#define PORT_INLINE_MAX 240  /* bytes of a write that came in the message */

struct port;

/* What a port needs of the world. */
struct port_backend {
    /* Move all bytes from or to window 0 of a waiting call; 0 or -errno. */
    int (*copy_in)(uint64_t token, uint64_t offset, void *buffer, size_t length);
    int (*copy_out)(uint64_t token, uint64_t offset, const void *buffer, size_t length);
    /* Answers a call; -ESTALE if the caller is gone. */
    int (*reply)(uint64_t token, int64_t result);
    /* Does the caller still wait? */
    bool (*waits)(uint64_t token);
    /* ^C or ^\ was typed: signals the foreground job. */
    void (*signal)(struct port *port, int signal);
    /* n bytes that are in a reader's buffer are his from here on: he is about to be answered. */
    void (*given)(const struct port *port, uint64_t token, size_t n);
    /* done bytes of a write are on their way, and more is to come. */
    void (*written)(uint64_t token, uint64_t done);
};

struct port_reader {
    uint64_t token, length;
    uint32_t client; /* pid */
};

struct port_writer {
    uint64_t token, length, done;
    int64_t result;  /* to be answered when all is sent */
    uint32_t client; /* pid */
    bool window;
    char data[PORT_INLINE_MAX];
};

/* What the driver has received and the port has not taken: the driver's own, but it must be kept
 * together with the port, so that each byte is in one of them. */
#define PORT_BUFFERS 8
struct port_received {
    struct {
        uint32_t buffer, at, length;
    } parts[PORT_BUFFERS]; /* ring */
    uint32_t head, count;
    uint16_t taken;  /* how many the device had given, modulo 2^16 */
    uint16_t active; /* the device has been told of buffers */
};

struct port {
    const struct port_backend *backend;
    struct line_discipline *line; /* NULL: raw */
    struct cursor cursor;         /* terminals only */
    bool hung_up;                 /* the other side has closed: end of file, once all is read */
    char input[PORT_INPUT];
    size_t input_len;
    char held[PORT_READ_MAX]; /* taken for a reader, not yet accepted by one */
    size_t held_at, held_len;
    bool held_end;                            /* an end of file in its place */
    struct port_reader readers[PORT_READERS]; /* rings */
    unsigned reader_head, reader_count;
    struct port_writer writers[PORT_WRITERS];
    unsigned writer_head, writer_count;
    struct {
        uint64_t token;
        int64_t result;
    } finished[PORT_WRITERS]; /* writers to be answered when their bytes are on their way */
    unsigned finished_count;
    struct port_received received;
};

/* A port as it can be kept: all but those who wait, who will come again. */
struct port_saved {
    struct port_received received;
    struct cursor cursor;
    struct line_discipline line; /* of arrays, here and below, only what is in use is valid */
    uint32_t input_len, held_len, held_end;
    char input[PORT_INPUT];
    char held[PORT_READ_MAX];
};
void port_save(const struct port *port, struct port_saved *saved);
bool port_saved_valid(const struct port_saved *saved);
void port_load(struct port *port, const struct port_saved *saved);

void port_init(struct port *port, const struct port_backend *backend, struct line_discipline *line);

/* port_read, port_write: requests of clients (pids); the result at once, or PORT_DEFERRED. data
 * NULL: the bytes are in window 0; the first done of them were written before. A write is answered
 * with result by port_answer, once all its bytes were taken by the driver. -EAGAIN: it would wait
 * (nonblock), or too many wait already. */
int64_t port_read(struct port *port, uint32_t client, uint64_t token, uint64_t length,
                  bool nonblock);
int64_t port_write(struct port *port, uint32_t client, uint64_t token, uint64_t length,
                   uint64_t done, const void *data, int64_t result, bool nonblock);

/* port_poll: FS_POLL_* bits. */
unsigned port_poll(const struct port *port);

/* port_room: how many received bytes the port can take; port_receive: takes them. */
size_t port_room(const struct port *port);
void port_receive(struct port *port, const void *bytes, size_t count);

/* port_output: up to size (at least 16) bytes to be sent; 0 = nothing. Call it, too, after
 * port_receive (echo) and whenever the driver can send again, until it gives 0. port_answer: the
 * device knows of all that port_output gave: answers the writers whose bytes these were. */
size_t port_output(struct port *port, char *out, size_t size);
void port_answer(struct port *port);

/* port_work: serves readers and the line discipline as far as possible. True: something moved, so
 * that there may be room or output now. */
bool port_work(struct port *port);

void port_hang_up(struct port *port, bool hung_up);
