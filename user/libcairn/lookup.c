/* The resolver: asks the process's namespace once per prefix, and answers from the cache after.
 *
 * Invariant: the lock is never held across a call to the name server, so that a thread that
 * waits for a name does not stop the others. */
#include "abi/memory.h"
#include "cairn/name_cache.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"
#include "internal.h"
#include "proto/ns.h"
#include <string.h>

static struct mutex lock;
static struct name_cache cache;
static handle_t current; /* 0 = what the process was started with */

/* Handles that the cache could not keep stay open until as many more have come. */
#define TRANSIENTS 8
static handle_t transients[TRANSIENTS];
static unsigned next_transient;

handle_t namespace_get(void)
{
    return current ? current : start_handle(SPAWN_NAMESPACE, 0);
}

void namespace_set(handle_t namespace)
{
    handle_t dropped;
    mutex_lock(&lock);
    current = namespace;
    while ((dropped = name_cache_drop(&cache, NULL)) >= 0)
        if (dropped > 0)
            handle_close(dropped);
    mutex_unlock(&lock);
}

int64_t names_request(handle_t namespace, uint32_t operation, uint32_t flags, const char *text,
                      size_t len, handle_t handle, struct message *m)
{
    if (len > NS_URI_MAX)
        return -ENAMETOOLONG;
    struct ns_request *request = (struct ns_request *)m->data;
    m->type = operation;
    m->len = (uint16_t)(offsetof(struct ns_request, text) + len);
    m->handle_count = handle ? 1 : 0;
    m->window_count = 0;
    m->request_id = 0;
    m->handles[0] = handle;
    request->flags = flags;
    request->len = (uint32_t)len;
    memcpy(request->text, text, len);
    int error = channel_call(namespace, m);
    if (error)
        return error;
    return m->len >= sizeof(int64_t) ? (int64_t)m->words[0] : -EPROTO;
}

static handle_t ask(const char *uri, char *rest, bool *deeper, bool wait, uint64_t deadline)
{
    struct message m = {.type = wait ? NS_WAIT : NS_RESOLVE};
    struct ns_request *request = (struct ns_request *)m.data;
    handle_t namespace = namespace_get();
    size_t len = strlen(uri);
    if (namespace < 0)
        return -ENOENT;
    if (len > NS_URI_MAX)
        return -ENAMETOOLONG;
    m.len = (uint16_t)(offsetof(struct ns_request, text) + len);
    request->len = (uint32_t)len;
    memcpy(request->text, uri, len);
    int error = channel_call_deadline(namespace, &m, deadline);
    if (error)
        return error;

    const struct ns_resolve_reply *reply = (const struct ns_resolve_reply *)m.data;
    if (reply->result < 0)
        return (handle_t)reply->result;
    if (m.handle_count != 1)
        return -EPROTO;
    if (m.len < offsetof(struct ns_resolve_reply, rest) || reply->rest_len > sizeof reply->rest ||
        reply->rest_len >= NS_URI_MAX) {
        handle_close(m.handles[0]);
        return -EPROTO;
    }
    *deeper = (reply->matched & NS_MATCHED_DEEPER) != 0;
    memcpy(rest, reply->rest, reply->rest_len);
    rest[reply->rest_len] = '\0';
    return m.handles[0];
}

/* A path that is longer than a name server takes, under a prefix that is not known yet: ask for
 * the scheme and its first segment ("fs:root:") alone, which teaches the cache the prefix. */
static handle_t learn_prefix(const char *uri, bool wait, uint64_t deadline)
{
    char prefix[NAME_CACHE_TEXT], rest[NS_URI_MAX];
    size_t len = 0;
    for (const char *at = uri; *at && *at != '/'; at++)
        if (*at == ':')
            len = (size_t)(at - uri) + 1;
    if (len == 0 || len >= sizeof prefix)
        return -ENAMETOOLONG;
    memcpy(prefix, uri, len);
    prefix[len] = '\0';
    return names_lookup(prefix, rest, wait, deadline);
}

handle_t names_lookup_long(const char *uri, char *rest, size_t size, bool wait, uint64_t deadline)
{
    mutex_lock(&lock);
    handle_t handle = name_cache_find(&cache, uri, rest, size);
    mutex_unlock(&lock);
    if (handle != 0)
        return handle;

    if (strlen(uri) > NS_URI_MAX) {
        handle = learn_prefix(uri, wait, deadline);
        if (handle < 0)
            return handle;
        mutex_lock(&lock);
        handle = name_cache_find(&cache, uri, rest, size);
        mutex_unlock(&lock);
        return handle ? handle : -ENAMETOOLONG;
    }
    bool deeper = false;
    char answer[NS_URI_MAX];
    handle = ask(uri, answer, &deeper, wait, deadline);
    if (handle < 0)
        return handle;
    if (strlen(answer) >= size) {
        handle_close(handle);
        return -ENAMETOOLONG;
    }
    strcpy(rest, answer);
    mutex_lock(&lock);
    handle_t surplus = name_cache_add(&cache, uri, answer, handle, deeper);
    if (surplus == handle) {
        surplus = transients[next_transient];
        transients[next_transient] = handle;
        next_transient = (next_transient + 1) % TRANSIENTS;
    }
    mutex_unlock(&lock);
    if (surplus > 0)
        handle_close(surplus);
    return handle;
}

handle_t names_lookup(const char *uri, char *rest, bool wait, uint64_t deadline)
{
    return names_lookup_long(uri, rest, NS_URI_MAX, wait, deadline);
}

void names_pin(const char *uri)
{
    mutex_lock(&lock);
    name_cache_pin(&cache, uri);
    mutex_unlock(&lock);
}

void names_forget(const char *uri)
{
    mutex_lock(&lock);
    handle_t handle = name_cache_drop(&cache, uri);
    mutex_unlock(&lock);
    if (handle > 0)
        handle_close(handle);
}
