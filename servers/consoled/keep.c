/* Kept state of consoled. Of each port there are two copies; the one that is written becomes the
 * valid one by a single store of its version. */
#include "consoled/keep.h"

#include "cairn/kept.h"
#include <string.h>

#define LAYOUT 1

/* A note is about a call that is being answered: bytes it has written, or, together with the
 * version of the port that goes with it, bytes that were given to it. */
#define NOTE_WRITTEN       (1ul << 63)
#define NUMBER_BITS        3
#define LENGTH_BITS        13
#define NOTE_LENGTH(note)  ((note) & ((1ul << LENGTH_BITS) - 1))
#define NOTE_NUMBER(note)  ((note) >> LENGTH_BITS & (PORTS_MAX - 1))
#define NOTE_VERSION(note) ((note) >> (LENGTH_BITS + NUMBER_BITS))
_Static_assert(PORTS_MAX == 1 << NUMBER_BITS && PORT_READ_MAX < 1 << LENGTH_BITS, "a note fits");

static struct {
    struct kept_port {
        uint64_t version; /* of copies[version % 2]; 0 = none yet */
        struct port_saved copies[2];
    } ports[PORTS_MAX];
    struct kept_calls calls;
    int foreground; /* there is a job in its place */
    int untaken;
} *kept;

/* Answers that were about to be given when consoled died, and then were not valid yet. */
static void forget_invalid(void)
{
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        uint64_t note = kept->calls.of[i].value;
        if (!(note & NOTE_WRITTEN) && NOTE_VERSION(note) > kept->ports[NOTE_NUMBER(note)].version)
            kept->calls.of[i].call = 0;
    }
}

bool keep_start(void)
{
    bool adopted;
    kept = kept_state(LAYOUT, sizeof *kept, &adopted);
    if (!kept)
        return false;
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        struct kept_port *port = &kept->ports[i];
        if (port->version != 0 && !port_saved_valid(&port->copies[port->version % 2]))
            kept_reset();
    }
    forget_invalid();
    return true;
}

struct port_received keep_received(unsigned number)
{
    struct kept_port *port = &kept->ports[number];
    return port->version ? port->copies[port->version % 2].received : (struct port_received){0};
}

void keep_driver(unsigned number, const struct port_received *received)
{
    struct kept_port *port = &kept->ports[number];
    struct port_saved *next = &port->copies[(port->version + 1) % 2];
    *next = port->copies[port->version % 2];
    next->received = *received;
    kept_barrier();
    port->version++;
    kept_barrier();
}

void keep_adopt(unsigned number, struct port *port)
{
    struct kept_port *from = &kept->ports[number];
    if (from->version != 0)
        port_load(port, &from->copies[from->version % 2]);
}

void keep_port(unsigned number, const struct port *port)
{
    struct kept_port *to = &kept->ports[number];
    port_save(port, &to->copies[(to->version + 1) % 2]);
    kept_barrier();
    to->version++;
    kept_barrier();
}

void keep_given(unsigned number, const struct port *port, uint64_t token, size_t n)
{
    uint64_t version = kept->ports[number].version + 1;
    kept_note(&kept->calls, token, (version << NUMBER_BITS | number) << LENGTH_BITS | n);
    keep_port(number, port);
}

void keep_written(uint64_t token, uint64_t done)
{
    kept_note(&kept->calls, token, NOTE_WRITTEN | done);
}

int64_t keep_noted(uint64_t token)
{
    const uint64_t *note = kept_noted(&kept->calls, token);
    if (!note)
        return -1;
    return (int64_t)(*note & NOTE_WRITTEN ? *note & ~NOTE_WRITTEN : NOTE_LENGTH(*note));
}

/* ---- The foreground job ----------------------------------------------------------------------- */

void keep_foreground(handle_t job)
{
    kept->foreground = false;
    kept_barrier();
    if (kept_put(PLACE_FOREGROUND, job) == 0)
        kept->foreground = job > 0;
}

handle_t kept_foreground(void)
{
    handle_t job = kept->foreground ? kept_get(PLACE_FOREGROUND) : 0;
    return job > 0 ? job : 0;
}

int *kept_untaken(void)
{
    return &kept->untaken;
}
