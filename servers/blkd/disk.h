/* One disk's request scheduling: transfers in, device commands out, many at once.
 *
 * A pure state machine: it reaches the device, the clients' memory and the replies through struct
 * disk_backend. Data either moves by DMA between the device and memory that the client attached
 * (direct), or through one of a few bounce buffers. A transfer longer than a bounce buffer takes
 * turns with the others, chunk by chunk.
 *
 * Order: what overlaps a read-modify-write of a sector waits for it, and the other way round, so
 * that neither loses the other's bytes. Otherwise commands run in any order, as on any disk. */
#pragma once

#include "request.h"

#define DISK_BOUNCES  16  /* buffers of CHUNK_BYTES_MAX each */
#define IO_INLINE_MAX 200 /* bytes of a write that came in the message itself */

enum disk_command { DISK_READ, DISK_WRITE, DISK_FLUSH };

/* One client's request on its way. The owner fills in the part above the line, with zeros below. */
struct io {
    uint64_t token; /* to be answered, or to copy with */
    enum disk_command command;
    bool direct;            /* DMA to physical; one command, whole sectors */
    bool moves_offset;      /* the owner's business */
    uint16_t inline_length; /* > 0: a write's data is in inline_data, not in the window */
    uint64_t physical;
    uint64_t position, remaining; /* bytes still to be moved, from where on the disk */
    uint64_t offset;              /* and where in the window or inline data */
    void *owner;
    /* ---- the scheduler's */
    struct io *next, *previous;
    uint64_t done; /* bytes moved */
    struct chunk chunk;
    int bounce;     /* index of the buffer held, or -1 */
    bool modifying; /* the first half of a read-modify-write is under way */
    uint8_t inline_data[IO_INLINE_MAX];
};

struct disk;

struct disk_backend {
    /* Gives one command to the device; disk_complete(disk, io, ok) follows. 0, -ENOSPC: its queue
     * is full for now; any other error ends the request. */
    int (*submit)(struct disk *disk, struct io *io, enum disk_command command, uint64_t sector,
                  uint32_t count, uint64_t physical);
    /* Makes the device look at what was submitted. */
    void (*kick)(struct disk *disk);
    /* Move all bytes between window 0 of the io's caller and buffer: 0 or -errno. */
    int (*copy_in)(struct io *io, uint64_t offset, void *buffer, size_t length);
    int (*copy_out)(struct io *io, uint64_t offset, const void *buffer, size_t length);
    /* The request is over; the io belongs to the owner again. result: bytes or -errno. */
    void (*finish)(struct disk *disk, struct io *io, int64_t result);
};

struct io_list {
    struct io *first, *last;
};

struct disk {
    const struct disk_backend *backend;
    uint64_t sectors;
    bool read_only, has_flush;
    uint8_t *bounce_memory; /* DISK_BOUNCES buffers, physically contiguous */
    uint64_t bounce_physical;
    /* ---- the scheduler's */
    uint32_t bounces_used; /* bit per buffer */
    unsigned updates;      /* partial writes among waiting and active */
    struct io_list waiting, active;
};

/* disk_start: takes a checked request; finish is called sooner or later, perhaps within. */
void disk_start(struct disk *disk, struct io *io);

/* disk_complete: the device has done io's command (ok) or failed. Call disk_pump behind a batch. */
void disk_complete(struct disk *disk, struct io *io, bool ok);

/* disk_pump: submits what can be submitted. */
void disk_pump(struct disk *disk);

/* disk_fail: the device was reset: ends everything, under way and waiting, with -EIO. */
void disk_fail(struct disk *disk);
