/* Moves bytes between packets and callers. The buffer belongs to one send or receive at a time: it
 * is empty between them. */
#include "netd/client_memory.h"

#include "cairn/syscall.h"
#include <errno.h>
#include <string.h>

#define BUFFER_SIZE 65536u
#define READ_AHEAD  4096u /* what is sent may be less than what is offered */
#define ALIGNMENT   7u    /* the kernel copies words where both sides are aligned */

static uint8_t buffer[BUFFER_SIZE] __attribute__((aligned(64)));

void client_memory_begin(struct client_memory *memory, uint64_t base)
{
    memory->base = base;
    memory->held_from = memory->held_to = base;
}

static int move(struct client_memory *memory, uint64_t at, uint8_t *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        int64_t moved = memory->to_client
                            ? copy_out(memory->token, 0, at + done, data + done, length - done)
                            : copy_in(memory->token, 0, at + done, data + done, length - done);
        if (moved <= 0)
            return moved < 0 ? (int)moved : -EFAULT;
        done += (size_t)moved;
    }
    return 0;
}

int client_memory_end(struct client_memory *memory)
{
    if (memory->inline_data || !memory->to_client || memory->held_from == memory->held_to)
        return 0;
    uint64_t from = memory->held_from;
    size_t length = memory->held_to - from;
    memory->held_from = memory->held_to;
    return move(memory, from, buffer, length);
}

/* Received bytes, which come one behind the other: kept until there are many. */
static int put(struct client_memory *memory, uint64_t at, const uint8_t *data, size_t length)
{
    while (length > 0) {
        uint64_t used = memory->held_to - memory->held_from;
        if (at != memory->held_to || used == BUFFER_SIZE) {
            int error = client_memory_end(memory);
            if (error)
                return error;
            memory->held_from = memory->held_to = at;
            used = 0;
        }
        size_t piece = length < BUFFER_SIZE - used ? length : BUFFER_SIZE - used;
        memcpy(buffer + used, data, piece);
        memory->held_to += piece;
        at += piece;
        data += piece;
        length -= piece;
    }
    return 0;
}

/* Bytes to be sent: read some way ahead. */
static int get(struct client_memory *memory, uint64_t at, uint8_t *data, size_t length)
{
    while (length > 0) {
        if (at < memory->held_from || at >= memory->held_to) {
            uint64_t from = at & ~(uint64_t)ALIGNMENT;
            uint64_t to = at + (length > READ_AHEAD ? length : READ_AHEAD);
            to = to < memory->length ? to : memory->length;
            to = to - from < BUFFER_SIZE ? to : from + BUFFER_SIZE;
            int error = move(memory, from, buffer, to - from);
            if (error)
                return error;
            memory->held_from = from;
            memory->held_to = to;
        }
        size_t there = memory->held_to - at;
        size_t piece = length < there ? length : there;
        memcpy(data, buffer + (at - memory->held_from), piece);
        at += piece;
        data += piece;
        length -= piece;
    }
    return 0;
}

int client_copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct client_memory *memory = (struct client_memory *)transfer;
    uint64_t at = memory->base + offset;
    if (at > memory->length || length > memory->length - at)
        return -EFAULT;
    if (!memory->inline_data)
        return memory->to_client ? put(memory, at, data, length) : get(memory, at, data, length);
    if (memory->to_client)
        memcpy(memory->inline_data + at, data, length);
    else
        memcpy(data, memory->inline_data + at, length);
    return 0;
}
