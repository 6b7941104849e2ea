/* stuck: a service that misbehaves when it is asked to: opening stuck:WAY does it. A call that
 * comes again after a death is refused with EEXIST, but for those that are to kill every process.
 */
#include "abi/memory.h"
#include "cairn/kept.h"
#include "cairn/names.h"
#include "cairn/server.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include <string.h>

#define WORK 1500000000l /* ns: less than the heartbeat of its section, and often */

static uint64_t *lives; /* kept: how many processes there were */

static void spin(void)
{
    for (volatile unsigned long count = 0;; count++)
        continue;
}

/* Waits for what never comes. */
static void wait(void)
{
    for (;;)
        sleep_until(NO_DEADLINE);
}

/* Computes for a while, as a server may. */
static void work(void)
{
    int64_t end = clock_now() + WORK;
    while (clock_now() < end)
        continue;
}

/* A driver gone mad: it writes wherever it can think of, and to handles that it has not got. */
static void rave(void)
{
    char garbage[64] = "garbage";
    for (int handle = 5; handle < 4096; handle++) {
        if (handle == (start_handle(SPAWN_SERVICE, 0) & 0xfff))
            continue;
        pulse(handle, ~0ul);
        handle_close(handle);
        memory_unmap(0, 0x40000000ul + (uint64_t)handle * PAGE_SIZE, PAGE_SIZE);
        copy_out((uint64_t)handle, 0, 0, garbage, sizeof garbage);
    }
    for (uint64_t at = PAGE_SIZE; at != 0; at *= 2)
        *(volatile uint64_t *)(at | 1ul << 62) = at;
}

static void fault(void)
{
    volatile int *volatile nowhere = (int *)8;
    *nowhere = 1;
}

static int64_t open_way(struct request *request)
{
    static const struct {
        const char *name;
        void (*go)(void);
        bool always;
    } ways[] = {{"spin", spin, false}, {"wait", wait, false},   {"work", work, false},
                {"rave", rave, false}, {"fault", fault, false}, {"fatal", fault, true}};
    char path[16];
    int len = request_path(request, path, sizeof path);
    for (size_t i = 0; len > 0 && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].name, path) != 0)
            continue;
        if ((request->message->flags & MESSAGE_RESENT) && !ways[i].always)
            return -EEXIST;
        ways[i].go();
        return -ENOENT;
    }
    if (len > 0 && strcmp(path, "lives") == 0)
        return *lives == 1 ? -ENOENT : -EEXIST;
    return -ENOTDIR;
}

int main(void)
{
    static const struct server_operation operations[] = {{FS_OPEN, 0, open_way}};
    struct server server = {
        .channel = start_handle(SPAWN_SERVICE, 0), .operations = operations, .operation_count = 1};
    bool adopted;
    lives = kept_state(1, sizeof *lives, &adopted);
    if (lives == NULL)
        return 1;
    ++*lives;
    int64_t face = handle_dup(server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    if (face < 0 || name_register("stuck:", (handle_t)face) < 0)
        return 1;
    return server_run(&server) < 0;
}
