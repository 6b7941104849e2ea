/* Pollers and their channels, from bounded pools. Invariant: a channel's handle is open as long as
 * a poller refers to it. */
#include "netd/pollers.h"

#include "cairn/syscall.h"
#include <errno.h>
#include <stddef.h>

#define CHANNELS_MAX 1024

struct poll_channel {
    handle_t handle; /* 0 = free */
    uint32_t pollers;
    uint64_t id; /* the kernel's: two handles to one channel have the same */
};

static struct poll_channel channels[CHANNELS_MAX];
static struct poller pollers[POLLERS_MAX];
static struct poller *free_pollers;
static unsigned ever_used; /* of the table: what is behind was never touched */

static bool poller_available(void) { return free_pollers || ever_used < POLLERS_MAX; }

static struct poller *poller_take(void)
{
    struct poller *poller = free_pollers;
    if (!poller)
        return &pollers[ever_used++];
    free_pollers = poller->next;
    return poller;
}

/* The entry of a channel, with the handle taken over: a second one to it is closed. */
static struct poll_channel *channel_take(handle_t handle, uint64_t id)
{
    struct poll_channel *free = NULL;
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        if (channels[i].handle && channels[i].id == id) {
            handle_close(handle);
            channels[i].pollers++;
            return &channels[i];
        }
        if (!channels[i].handle && !free)
            free = &channels[i];
    }
    if (free)
        *free = (struct poll_channel){.handle = handle, .pollers = 1, .id = id};
    return free;
}

static void poller_remove(struct poller **at)
{
    struct poller *poller = *at;
    *at = poller->next;
    if (--poller->channel->pollers == 0) {
        handle_close(poller->channel->handle);
        poller->channel->handle = 0;
    }
    poller->next = free_pollers;
    free_pollers = poller;
}

static void poller_pulse(const struct poller *poller)
{
    pulse(poller->channel->handle, poller->bits);
}

int poller_add(struct poller **list, handle_t channel, uint32_t events, uint64_t bits,
               bool standing)
{
    struct handle_info info;
    if (handle_info(channel, &info) != 0 || !(info.rights & RIGHT_PULSE) ||
        (info.type != OBJECT_CHANNEL && info.type != OBJECT_SESSION))
        return -EINVAL;
    unsigned count = 0;
    for (struct poller **at = list; *at;) {
        if ((*at)->channel->id == info.id && (*at)->standing == standing) {
            if (!standing) { /* each of them is to be pulsed */
                events |= (*at)->events;
                bits |= (*at)->bits;
            }
            poller_remove(at);
            continue;
        }
        count++;
        at = &(*at)->next;
    }
    if (count >= POLLERS_A_SOCKET) { /* the oldest is asked to ask again */
        poller_pulse(*list);
        poller_remove(list);
    }
    if (!poller_available())
        return -ENOBUFS;
    struct poll_channel *kept = channel_take(channel, info.id);
    if (!kept)
        return -ENOBUFS;
    struct poller *poller = poller_take();
    *poller =
        (struct poller){.channel = kept, .bits = bits, .events = events, .standing = standing};
    while (*list)
        list = &(*list)->next;
    *list = poller;
    return 0;
}

void pollers_pulse(struct poller **list, uint32_t ready, uint32_t changed)
{
    while (*list) {
        struct poller *poller = *list;
        if (poller->events & (poller->standing ? ready & changed : ready)) {
            poller_pulse(poller);
            if (!poller->standing) {
                poller_remove(list);
                continue;
            }
        }
        list = &poller->next;
    }
}

void pollers_clear(struct poller **list)
{
    while (*list) {
        poller_pulse(*list); /* they ask again, and learn that it is gone */
        poller_remove(list);
    }
}

void pollers_unsubscribe(struct poller **list)
{
    while (*list)
        if ((*list)->standing)
            poller_remove(list);
        else
            list = &(*list)->next;
}
