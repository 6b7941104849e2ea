/* Objects and their lives. Invariant: an object is freed when its last reference goes, and a
 * session then tells the server. */
#include "internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned host_sessions;
static uint64_t last_id;

void host_bug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "host: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

struct host_object *object_new(uint32_t type)
{
    struct host_object *object = calloc(1, sizeof *object);
    if (object == NULL)
        abort();
    object->type = type;
    object->refs = 1;
    object->id = ++last_id;
    host_sessions += type == OBJECT_SESSION;
    return object;
}

struct host_object *object_retain(struct host_object *object)
{
    object->refs++;
    return object;
}

void object_release(struct host_object *object)
{
    if (object->refs == 0)
        host_bug("an object was released too often");
    if (--object->refs > 0)
        return;
    if (object->type == OBJECT_SESSION) {
        closed_push(object->channel, object->badge);
        object_release(object->channel);
        host_sessions--;
    }
    if (object->type == OBJECT_PROCESS) {
        process_free((struct host_process *)object);
        return;
    }
    free(object->bytes);
    free(object);
}

void host_release(struct host_object *object)
{
    object_release(object);
}

struct host_object *host_channel(host_serve *serve, void *context)
{
    struct host_object *channel = object_new(OBJECT_CHANNEL);
    channel->serve = serve;
    channel->context = context;
    return channel;
}

uint64_t host_pulses(struct host_object *channel)
{
    uint64_t bits = channel->pulses;
    channel->pulses = 0;
    return bits;
}

void host_channel_dead(struct host_object *channel)
{
    channel->dead = true;
}

struct host_object *host_device(void)
{
    return object_new(OBJECT_DEVICE);
}
