/* Request scheduling of one disk.
 *
 * Invariant: a started io is in exactly one of the lists waiting and active until finish; it holds
 * a bounce buffer only while it is active, and active means that the device has its command. */
#include "disk.h"

#include "abi/errno.h"
#include <string.h>

static void list_append(struct io_list *list, struct io *io)
{
    io->next = NULL;
    io->previous = list->last;
    if (list->last)
        list->last->next = io;
    else
        list->first = io;
    list->last = io;
}

static void list_remove(struct io_list *list, struct io *io)
{
    if (io->previous)
        io->previous->next = io->next;
    else
        list->first = io->next;
    if (io->next)
        io->next->previous = io->previous;
    else
        list->last = io->previous;
}

static bool is_update(const struct io *io)
{
    return io->command == DISK_WRITE && chunk_partial(&io->chunk);
}

static uint8_t *bounce_buffer(struct disk *disk, const struct io *io)
{
    return disk->bounce_memory + (size_t)io->bounce * CHUNK_BYTES_MAX;
}

static bool bounce_take(struct disk *disk, struct io *io)
{
    for (int i = 0; i < DISK_BOUNCES; i++) {
        if (disk->bounces_used & 1u << i)
            continue;
        disk->bounces_used |= 1u << i;
        io->bounce = i;
        return true;
    }
    return false;
}

static void bounce_release(struct disk *disk, struct io *io)
{
    if (io->bounce >= 0)
        disk->bounces_used &= ~(1u << io->bounce);
    io->bounce = -1;
}

/* Puts io (in no list) behind the waiting ones, for the next chunk of its range. */
static void wait_for_turn(struct disk *disk, struct io *io)
{
    io->modifying = false;
    if (io->command != DISK_FLUSH)
        io->chunk = chunk_next(io->position, io->remaining, io->command == DISK_WRITE);
    disk->updates += is_update(io);
    list_append(&disk->waiting, io);
}

/* The chunk is over: io is in no list any more and holds nothing. */
static void leave(struct disk *disk, struct io_list *list, struct io *io)
{
    list_remove(list, io);
    bounce_release(disk, io);
    disk->updates -= is_update(io);
}

/* Bytes that were moved before an error count: the client sees a short transfer. */
static void finish(struct disk *disk, struct io *io, int64_t result)
{
    if (result < 0 && io->done > 0)
        result = (int64_t)io->done;
    disk->backend->finish(disk, io, result);
}

static bool conflict(const struct io *a, const struct io *b)
{
    if (a->command != DISK_WRITE || b->command != DISK_WRITE || (!is_update(a) && !is_update(b)))
        return false;
    return a->chunk.sector < b->chunk.sector + b->chunk.count &&
           b->chunk.sector < a->chunk.sector + a->chunk.count;
}

/* Must io wait for one that is active? Of two that wait, whichever starts first is active then. */
static bool must_wait(const struct disk *disk, const struct io *io)
{
    if (disk->updates == 0)
        return false;
    for (const struct io *other = disk->active.first; other; other = other->next)
        if (conflict(io, other))
            return true;
    return false;
}

/* Moves the client's data for a write into the bounce buffer, at its place in the sectors. */
static int fill_bounce(struct disk *disk, struct io *io)
{
    uint8_t *to = bounce_buffer(disk, io) + io->chunk.skip;
    if (io->inline_length > 0) {
        memcpy(to, io->inline_data + io->offset, io->chunk.bytes);
        return 0;
    }
    return disk->backend->copy_in(io, io->offset, to, io->chunk.bytes);
}

/* Gives io's next command to the device. 0, -ENOSPC if it has to wait, or the request's error. */
static int submit(struct disk *disk, struct io *io)
{
    uint64_t physical = io->physical;
    enum disk_command command = io->command;
    int error = 0;
    if (command == DISK_FLUSH)
        return disk->backend->submit(disk, io, command, 0, 0, 0);
    if (!io->direct) {
        if (io->bounce < 0 && !bounce_take(disk, io))
            return -ENOSPC;
        physical = disk->bounce_physical + (uint64_t)io->bounce * CHUNK_BYTES_MAX;
        if (is_update(io) && !io->modifying)
            command = DISK_READ;
        else if (command == DISK_WRITE)
            error = fill_bounce(disk, io);
    }
    if (!error)
        error =
            disk->backend->submit(disk, io, command, io->chunk.sector, io->chunk.count, physical);
    if (!error)
        io->modifying = command != io->command;
    else if (error == -ENOSPC && !io->modifying)
        bounce_release(disk, io);
    return error;
}

/* exercise 5.8 */
void disk_pump(struct disk *disk)
{
    struct io *next;
    for (struct io *io = disk->waiting.first; io; io = next) {
        next = io->next;
        if (must_wait(disk, io))
            continue;
        int error = submit(disk, io);
        if (error == -ENOSPC)
            continue; /* another may still fit: a direct one needs no buffer */
        if (error) {
            leave(disk, &disk->waiting, io);
            finish(disk, io, error);
            continue;
        }
        list_remove(&disk->waiting, io);
        list_append(&disk->active, io);
    }
    disk->backend->kick(disk);
}
/* end 5.8 */

void disk_start(struct disk *disk, struct io *io)
{
    io->done = 0;
    io->bounce = -1;
    io->chunk = (struct chunk){0};
    wait_for_turn(disk, io);
    disk_pump(disk);
}

/* One chunk has moved between client and disk: forward to the next, or to the end. */
static void advance(struct disk *disk, struct io *io)
{
    io->position += io->chunk.bytes;
    io->offset += io->chunk.bytes;
    io->remaining -= io->chunk.bytes;
    io->done += io->chunk.bytes;
    if (io->remaining > 0)
        wait_for_turn(disk, io);
    else
        finish(disk, io, (int64_t)io->done);
}

/* exercise 5.9 */
void disk_complete(struct disk *disk, struct io *io, bool ok)
{
    int error = ok ? 0 : -EIO;
    if (!error && io->modifying) { /* the sector is read: change it and write it back */
        error = submit(disk, io);
        if (!error)
            return;
        if (error == -ENOSPC) /* cannot be: the read has just left the device's queue */
            error = -EIO;
    }
    if (!error && io->command == DISK_READ && !io->direct)
        error = disk->backend->copy_out(io, io->offset, bounce_buffer(disk, io) + io->chunk.skip,
                                        io->chunk.bytes);
    leave(disk, &disk->active, io);
    if (error)
        finish(disk, io, error);
    else if (io->command == DISK_FLUSH)
        finish(disk, io, 0);
    else
        advance(disk, io);
}
/* end 5.9 */

void disk_fail(struct disk *disk)
{
    struct io_list *lists[] = {&disk->active, &disk->waiting};
    for (unsigned i = 0; i < 2; i++) {
        for (struct io *io; (io = lists[i]->first) != NULL;) {
            leave(disk, lists[i], io);
            finish(disk, io, -EIO);
        }
    }
}
