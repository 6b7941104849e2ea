/* blkcopy: copies pieces from disk to disk, many at once, by DMA to and from one object that both
 * disks know; no byte passes through this program.
 *
 *     blkcopy FROM TO SECTOR,SECTOR,COUNT...    from where, to where, sectors */
#include "abi/memory.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"
#include "proto/blk.h"
#include "proto/fs.h"
#include "proto/ns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS    8
#define SLOT_BYTES (BLK_SECTORS_MAX * BLK_SECTOR_SIZE)

static handle_t from, to;
static char **pieces;
static int piece_count, next_piece, failures;

static int64_t call(handle_t session, struct message *m)
{
    int error = channel_call(session, m);
    return error ? error : (int64_t)m->words[0];
}

static handle_t open_disk(const char *number, handle_t object)
{
    char uri[32], rest[NS_URI_MAX];
    snprintf(uri, sizeof uri, "block:virtio:%s", number);
    handle_t blkd = name_resolve(uri, rest);
    struct message m = {.type = BLK_CHANNEL, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *request = (struct fs_path_request *)m.data;
    request->path_len = (uint32_t)strlen(rest);
    memcpy(request->path, rest, request->path_len);
    int64_t error = blkd < 0 ? blkd : call(blkd, &m);
    if (error < 0)
        return (handle_t)error;
    handle_t session = m.handles[0];
    int64_t mine = handle_dup(object, RIGHT_MAP_R | RIGHT_MAP_W | RIGHT_DUP | RIGHT_TRANSFER);
    m = (struct message){.type = BLK_ATTACH, .handle_count = 1, .handles = {(handle_t)mine}};
    error = mine < 0 ? mine : call(session, &m);
    return error < 0 ? (handle_t)error : session;
}

static int64_t move(handle_t session, uint32_t type, uint64_t sector, uint32_t count, unsigned slot)
{
    struct message m = {.type = type, .len = sizeof(struct blk_request)};
    *(struct blk_request *)m.data =
        (struct blk_request){.sector = sector, .count = count, .offset = slot * SLOT_BYTES};
    return call(session, &m);
}

static void *copy(void *argument)
{
    unsigned slot = (unsigned)(uintptr_t)argument;
    for (;;) {
        int mine = __atomic_fetch_add(&next_piece, 1, __ATOMIC_SEQ_CST);
        unsigned long source, target;
        unsigned count;
        if (mine >= piece_count)
            return NULL;
        if (sscanf(pieces[mine], "%lu,%lu,%u", &source, &target, &count) != 3)
            exit(2);
        int64_t bytes = count * (int64_t)BLK_SECTOR_SIZE;
        int64_t got = move(from, BLK_READ, source, count, slot);
        int64_t put = got == bytes ? move(to, BLK_WRITE, target, count, slot) : -1;
        if (got != bytes || put != bytes) {
            printf("piece %s: read %lld, written %lld\n", pieces[mine], (long long)got,
                   (long long)put);
            __atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
        }
    }
}

int main(int argc, char **argv)
{
    struct thread *threads[THREADS];
    if (argc < 3)
        return 2;
    handle_t object = (handle_t)memory_create(THREADS * SLOT_BYTES, MEMORY_CONTIGUOUS);
    from = object < 0 ? object : open_disk(argv[1], object);
    to = object < 0 ? object : open_disk(argv[2], object);
    if (from < 0 || to < 0) {
        printf("the disks cannot be opened: %d, %d\n", from, to);
        return 2;
    }
    pieces = argv + 3;
    piece_count = argc - 3;
    for (unsigned i = 0; i < THREADS; i++) {
        int error;
        threads[i] = thread_start(copy, (void *)(uintptr_t)i, 0, &error);
        if (!threads[i])
            return 2;
    }
    for (unsigned i = 0; i < THREADS; i++)
        thread_join(threads[i], NULL);
    struct message m = {.type = BLK_FLUSH};
    if (call(to, &m) != 0)
        failures++;
    return failures ? 1 : 0;
}
