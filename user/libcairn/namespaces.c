/* Views of the name server, messages to a name, and the registry under its other spelling. */
#include "cairn/names.h"

#include "internal.h"
#include "proto/ns.h"
#include <string.h>

int names_pair(handle_t namespace, uint32_t operation, const char *name, const char *target)
{
    struct message m;
    char text[NS_URI_MAX];
    size_t len = strlen(name), target_len = strlen(target);
    if (len + 1 + target_len > sizeof text)
        return -ENAMETOOLONG;
    memcpy(text, name, len + 1);
    memcpy(text + len + 1, target, target_len);
    return (int)names_request(namespace, operation, 0, text, len + 1 + target_len, 0, &m);
}

handle_t namespace_view(handle_t namespace, unsigned flags)
{
    struct message m;
    int64_t result = names_request(namespace, NS_VIEW, flags, "", 0, 0, &m);
    if (result < 0)
        return (handle_t)result;
    return m.handle_count == 1 ? m.handles[0] : -EPROTO;
}

int namespace_bind(handle_t namespace, const char *prefix, handle_t channel)
{
    struct message m;
    return (int)names_request(namespace, NS_BIND, 0, prefix, strlen(prefix), channel, &m);
}

int namespace_rebind(handle_t namespace, const char *name, const char *target)
{
    return names_pair(namespace, NS_REBIND, name, target);
}

int namespace_restrict(handle_t namespace, const char *prefix)
{
    struct message m;
    return (int)names_request(namespace, NS_RESTRICT, 0, prefix, strlen(prefix), 0, &m);
}

int namespace_hide(handle_t namespace, const char *prefix)
{
    struct message m;
    return (int)names_request(namespace, NS_HIDE, 0, prefix, strlen(prefix), 0, &m);
}

/* A server that died or was replaced leaves a dead handle in the cache: forget it and try the
 * name once more. After EPEER the outcome of the first try is unknown, but the caller asked a
 * name, not a session, so there is no state of its own to repeat. */
int ipc_send(const char *uri, struct message *m)
{
    char rest[NS_URI_MAX];
    for (int tries = 0;; tries++) {
        handle_t handle = names_lookup(uri, rest, false, NO_DEADLINE);
        if (handle < 0)
            return handle;
        struct message attempt = *m;
        int error = channel_call(handle, &attempt);
        if (error == 0)
            *m = attempt;
        if ((error != -EPEER && error != -EBADF) || tries > 0)
            return error;
        names_forget(uri);
    }
}

/* "SYSTEM::PROCESS" is a name as it stands; a bare word gets a ':' behind it. */
static int assigned_name(const char *name, char *uri)
{
    size_t len = strlen(name);
    bool bare = !strchr(name, ':');
    if (len + bare >= NS_URI_MAX)
        return -ENAMETOOLONG;
    memcpy(uri, name, len);
    strcpy(uri + len, bare ? ":" : "");
    return 0;
}

int assign_set(const char *name, handle_t channel)
{
    struct message m;
    char uri[NS_URI_MAX];
    int error = assigned_name(name, uri);
    if (error)
        return error;
    return (int)names_request(namespace_get(), NS_REGISTER, 0, uri, strlen(uri), channel, &m);
}

int assign_get(const char *name, handle_t *channel)
{
    char uri[NS_URI_MAX], rest[NS_URI_MAX];
    int error = assigned_name(name, uri);
    if (error)
        return error;
    handle_t handle = names_lookup(uri, rest, false, NO_DEADLINE);
    if (handle < 0)
        return handle;
    names_pin(uri);
    *channel = handle;
    return 0;
}
