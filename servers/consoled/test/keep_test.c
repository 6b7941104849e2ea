/* What is kept of a port is the port: saved and loaded at any moment, it gives the same lines. */
#include "abi/errno.h"
#include "consoled/port/port.h"
#include "proto/console.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TYPED 20000

static char typed[TYPED], got[2 * TYPED];
static size_t got_len;
static struct line_discipline lines[2];
static struct port ports[2];
static struct port_saved saved;

static int copy_in(uint64_t token, uint64_t offset, void *buffer, size_t length)
{
    (void)token, (void)offset, (void)buffer, (void)length;
    return -EFAULT;
}

static int copy_out(uint64_t token, uint64_t offset, const void *buffer, size_t length)
{
    (void)token, (void)offset;
    memcpy(got + got_len, buffer, length);
    return 0;
}

static int reply(uint64_t token, int64_t result)
{
    (void)token;
    if (rand() % 4 == 0)
        return -ESTALE; /* the reader is gone: the bytes are the next one's */
    if (result > 0)
        got_len += (size_t)result;
    return 0;
}

static bool waits(uint64_t token)
{
    (void)token;
    return true;
}

static void signal_job(struct port *port, int signal) { (void)port, (void)signal; }

/* From here on the bytes are the reader's; a death before the answer must not change that. */
static void given(const struct port *port, uint64_t token, size_t n)
{
    (void)token, (void)n;
    port_save(port, &saved);
}

static void written(uint64_t token, uint64_t done) { (void)token, (void)done; }

static const struct port_backend backend = {copy_in,    copy_out, reply,  waits,
                                            signal_job, given,    written};

/* The port dies, and another takes over what was kept. */
static struct port *die(struct port *port)
{
    struct port *next = &ports[port == &ports[0]];
    struct line_discipline *line = &lines[port == &ports[0]];
    memset(line, 0xaa, sizeof *line);
    line_init(line, CON_MODE_COOKED);
    port_init(next, &backend, line);
    port_load(next, &saved);
    return next;
}

static bool run(void)
{
    struct port *port = &ports[0];
    char out[512];
    uint64_t token = 1;
    size_t at = 0;
    got_len = 0;
    line_init(&lines[0], CON_MODE_COOKED);
    port_init(port, &backend, &lines[0]);
    for (size_t i = 0; i < TYPED; i++)
        typed[i] = (char)(i + 1 == TYPED || rand() % 50 == 0 ? '\n' : 'a' + rand() % 26);
    while (got_len < TYPED) {
        size_t n = 1 + (size_t)rand() % 300, room = port_room(port);
        n = n < TYPED - at ? n : TYPED - at;
        n = n < room ? n : room;
        port_receive(port, typed + at, n);
        at += n;
        port_save(port, &saved);
        if (rand() % 3 == 0)
            port = die(port);
        if (port_read(port, 1, ++token, 1 + (size_t)rand() % 100, true) == -EAGAIN && at == TYPED)
            return false; /* something was lost */
        port_save(port, &saved); /* as at the end of each round of the driver */
        if (rand() % 3 == 0)
            port = die(port);
        while (port_output(port, out, sizeof out) > 0)
            continue;
        port_save(port, &saved);
    }
    return got_len == TYPED && memcmp(got, typed, TYPED) == 0;
}

static bool rejects_nonsense(void)
{
    static struct port_saved other;
    port_save(&ports[0], &saved);
    bool ok = port_saved_valid(&saved);
    other = saved;
    other.input_len = PORT_INPUT + 1;
    ok &= !port_saved_valid(&other);
    other = saved;
    other.line.ready_head = LINE_READY_MAX;
    ok &= !port_saved_valid(&other);
    other = saved;
    other.received.parts[3].buffer = PORT_BUFFERS;
    return ok && !port_saved_valid(&other);
}

int main(void)
{
    int passed = 0, failed = 0;
    srand((unsigned)time(NULL));
    for (int i = 0; i < 30; i++)
        *(run() ? &passed : &failed) += 1;
    *(rejects_nonsense() ? &passed : &failed) += 1;
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
