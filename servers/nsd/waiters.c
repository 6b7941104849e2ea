/* Requests that wait for a name. Invariant: none of them could be answered as things stand. */
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "nsd/nsd.h"
#include <string.h>

static struct waiter {
    uint64_t token;
    uint32_t client;
    int view;
    size_t len;
    char uri[NS_URI_MAX];
} waiters[WAITERS_MAX]; /* in order of arrival */
static size_t count;

static void forget(size_t index)
{
    count--;
    memmove(&waiters[index], &waiters[index + 1], (count - index) * sizeof waiters[0]);
}

/* A caller whose deadline passed or who died left a stale token. */
static void forget_stale(void)
{
    char nothing;
    for (size_t i = count; i-- > 0;)
        if (copy_in(waiters[i].token, 0, 0, &nothing, 0) == -ESTALE)
            forget(i);
}

static bool has_room(uint32_t client)
{
    unsigned own = 0;
    for (size_t i = 0; i < count; i++)
        own += waiters[i].client == client;
    return count < WAITERS_MAX && own < WAITERS_A_CLIENT;
}

int64_t waiters_add(struct request *request, int view, const char *uri, size_t len)
{
    uint32_t client = request->message->sender;
    if (!has_room(client))
        forget_stale();
    if (!has_room(client))
        return -EAGAIN;
    struct waiter *waiter = &waiters[count++];
    *waiter = (struct waiter){.token = request->token, .client = client, .view = view, .len = len};
    memcpy(waiter->uri, uri, len);
    return SERVER_DEFERRED;
}

/* An answer that finds its caller gone closes the handle that it carried: that is all. */
/* exercise 4.7 */
void waiters_wake(void)
{
    for (size_t i = 0; i < count;) {
        struct message reply = {.type = REPLY_TYPE(NS_WAIT), .len = sizeof(int64_t)};
        int64_t result = namespace_resolve(waiters[i].view, waiters[i].uri, waiters[i].len, &reply);
        if (result == -ENOENT) {
            i++;
            continue;
        }
        reply.words[0] = (uint64_t)result;
        channel_reply(waiters[i].token, &reply);
        forget(i);
    }
}
/* end 4.7 */

void waiters_drop(int view)
{
    for (size_t i = count; i-- > 0;)
        if (waiters[i].view == view) {
            server_reply(waiters[i].token, -EBADF, NULL, 0);
            forget(i);
        }
}
