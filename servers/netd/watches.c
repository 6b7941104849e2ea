/* A small table of watches, each with its poller. */
#include "netd/watches.h"

#include "cairn/syscall.h"
#include "netd/netd.h"
#include "netd/pollers.h"
#include <errno.h>

static struct watch {
    uint64_t badge; /* 0 = free */
    uint32_t client;
    struct poller *poller;
} watches[WATCHES_MAX];
static uint64_t next_badge;

static struct watch *watch_new(uint32_t client, int *error)
{
    struct watch *free = NULL;
    unsigned own = 0;
    for (struct watch *watch = watches; watch < watches + WATCHES_MAX; watch++) {
        if (!watch->badge)
            free = watch;
        else
            own += watch->client == client;
    }
    *error = own >= WATCHES_A_CLIENT ? -EMFILE : free ? 0 : -ENFILE;
    return free;
}

int64_t watch_request(struct request *request)
{
    struct message *m = request->message;
    int error;
    if (m->handle_count != 1 || m->len < 2 * sizeof(uint64_t))
        return -EINVAL;
    struct watch *watch = watch_new(m->sender, &error);
    if (error)
        return error;
    error = poller_add(&watch->poller, m->handles[0], (uint32_t)m->words[0], m->words[1], true);
    if (error)
        return error;
    m->handle_count = 0; /* kept */
    if (next_badge == 0)
        next_badge = (uint64_t)clock_now(); /* not those of an earlier netd */
    watch->badge = BADGE_WATCH | next_badge++;
    watch->client = m->sender;
    int64_t handle =
        handle_mint(netd.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, watch->badge);
    if (handle < 0) {
        pollers_unsubscribe(&watch->poller);
        watch->badge = 0;
        return handle;
    }
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

void watch_closed(uint64_t badge)
{
    for (struct watch *watch = watches; watch < watches + WATCHES_MAX; watch++) {
        if (watch->badge != badge)
            continue;
        pollers_unsubscribe(&watch->poller);
        watch->badge = 0;
    }
}

void watches_tell(uint32_t event)
{
    for (struct watch *watch = watches; watch < watches + WATCHES_MAX; watch++)
        if (watch->badge)
            pollers_pulse(&watch->poller, event, event);
}
