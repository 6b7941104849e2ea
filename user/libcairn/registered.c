/* The names that this process has registered: a name service that was started again has forgotten
 * them. init then pulses each server (SERVER_PULSE_NAMES), whose loop registers them once more. */
#include "cairn/names.h"

#include "cairn/syscall.h"
#include "cairn/thread.h"
#include "internal.h"
#include "proto/ns.h"
#include <stdlib.h>
#include <string.h>

struct registered {
    struct registered *next;
    handle_t channel; /* a copy of our own */
    char prefix[];
};

static struct mutex lock;
static struct registered *list;

static int request(const char *prefix, handle_t channel)
{
    struct message m;
    return (int)names_request(namespace_get(), NS_REGISTER, 0, prefix, strlen(prefix), channel, &m);
}

static void release(struct registered *name)
{
    handle_close(name->channel);
    free(name);
}

/* Takes prefix out of the list; NULL if it is not there. */
static struct registered *take(const char *prefix)
{
    mutex_lock(&lock);
    struct registered **at = &list, *found;
    while (*at && strcmp((*at)->prefix, prefix) != 0)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = found->next;
    mutex_unlock(&lock);
    return found;
}

int name_register(const char *prefix, handle_t channel)
{
    size_t size = strlen(prefix) + 1;
    struct registered *name = malloc(sizeof *name + size);
    if (!name)
        return -ENOMEM;
    memcpy(name->prefix, prefix, size);
    int64_t copy = handle_dup(channel, RIGHTS_ALL);
    if (copy < 0) {
        free(name);
        return (int)copy;
    }
    name->channel = (handle_t)copy;
    int error = request(prefix, channel);
    if (error < 0) {
        release(name);
        return error;
    }
    struct registered *before = take(prefix); /* the same channel once more */
    if (before)
        release(before);
    mutex_lock(&lock);
    name->next = list;
    list = name;
    mutex_unlock(&lock);
    return error;
}

int name_unregister(const char *prefix)
{
    struct message m;
    struct registered *name = take(prefix);
    if (name)
        release(name);
    names_forget(prefix);
    return (int)names_request(namespace_get(), NS_UNREGISTER, 0, prefix, strlen(prefix), 0, &m);
}

void names_register_again(void)
{
    mutex_lock(&lock);
    for (const struct registered *name = list; name; name = name->next)
        request(name->prefix, name->channel);
    mutex_unlock(&lock);
}
