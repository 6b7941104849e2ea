/* Runs the server's main and its loop; what it finds at its start; names. */
#include "abi/kernel_services.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "internal.h"
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX   16
#define STRINGS_MAX 512

int __real_server_run(struct server *server);
int __wrap_server_run(struct server *server);

struct server *host_server;
static struct server copy;
static jmp_buf started;
static void (*test_body)(void);

static struct spawn_block block = {.magic = SPAWN_MAGIC};
static char strings[STRINGS_MAX];
static size_t strings_len = 1;

static struct name {
    char uri[128];
    struct host_object *channel;
    handle_t handle; /* of names that the server looked up */
} known[NAMES_MAX], registered[NAMES_MAX];

/* ---- The loop --------------------------------------------------------------------------------- */

/* What is static stays where it is; what lies on the stack of a main that is left must not. */
static bool is_static(const void *at)
{
    extern char __data_start[], _end[];
    return (const char *)at >= __data_start && (const char *)at < _end;
}

int __wrap_server_run(struct server *server)
{
    if (test_body != NULL) {
        host_server = server;
        test_body();
        return 0;
    }
    copy = *server;
    host_server = is_static(server) ? server : &copy;
    longjmp(started, 1);
}

struct host_object *host_service(void)
{
    int64_t error;
    struct host_entry *entry =
        host_server ? entry_find(host_server->channel, 0, &error) : NULL;
    return entry ? entry->object : NULL;
}

void host_turn(void)
{
    if (host_server == NULL)
        host_bug("the test begins before the server serves");
    __real_server_run(host_server);
}

void host_pulse(uint64_t bits)
{
    host_service()->pulses |= bits;
    host_turn();
}

void host_run(void (*server_main)(void), void (*test)(void))
{
    test_body = test;
    server_main();
    if (host_server == NULL)
        host_bug("the server ended before it served");
}

void host_start(void (*server_main)(void))
{
    if (setjmp(started))
        return;
    server_main();
    host_bug("the server ended before it served");
}

/* ---- The spawn block -------------------------------------------------------------------------- */

static void add_string(uint32_t *offset, const char *text)
{
    size_t len = text ? strlen(text) + 1 : 0;
    *offset = 0;
    if (len == 0)
        return;
    if (strings_len + len > sizeof strings)
        host_bug("too many strings for the spawn block");
    *offset = (uint32_t)strings_len;
    memcpy(strings + strings_len, text, len);
    strings_len += len;
}

handle_t host_give(uint32_t id, struct host_object *object, uint32_t rights, const char *name)
{
    struct spawn_entry *entry = &block.handles[block.handle_count++];
    entry->id = id;
    entry->handle = entry_insert(object, rights);
    add_string(&entry->name, name);
    return entry->handle;
}

void host_give_service(void)
{
    struct host_object *service = host_channel(NULL, NULL);
    host_give(SPAWN_SERVICE, service, RIGHTS_ALL, NULL);
    host_release(service);
}

const struct spawn_block *start_block(void)
{
    return &block;
}

const char *start_string(uint32_t offset)
{
    return strings + offset;
}

handle_t start_handle(uint32_t id, unsigned n)
{
    for (uint32_t i = 0; i < block.handle_count; i++)
        if (block.handles[i].id == id && n-- == 0)
            return block.handles[i].handle;
    return -ENOENT;
}

/* ---- Names ------------------------------------------------------------------------------------ */

static struct name *name_in(struct name *names, const char *uri)
{
    for (unsigned i = 0; i < NAMES_MAX; i++)
        if (names[i].channel != NULL && strcmp(names[i].uri, uri) == 0)
            return &names[i];
    return NULL;
}

static struct name *name_add(struct name *names, const char *uri, struct host_object *channel)
{
    struct name *name = names;
    while (name < names + NAMES_MAX && name->channel != NULL)
        name++;
    if (name == names + NAMES_MAX || strlen(uri) >= sizeof name->uri)
        host_bug("no room for the name %s", uri);
    strcpy(name->uri, uri);
    name->channel = object_retain(channel);
    name->handle = 0;
    return name;
}

void host_name(const char *uri, struct host_object *channel)
{
    name_add(known, uri, channel);
}

struct host_object *host_registered(const char *prefix)
{
    const struct name *name = name_in(registered, prefix);
    return name ? name->channel : NULL;
}

int name_register(const char *prefix, handle_t channel)
{
    int64_t error;
    struct host_entry *entry = entry_find(channel, RIGHT_SEND | RIGHT_TRANSFER, &error);
    if (entry == NULL)
        return (int)error;
    if (name_in(registered, prefix) != NULL)
        return -EEXIST;
    name_add(registered, prefix, entry->object);
    return 0;
}

int name_unregister(const char *prefix)
{
    struct name *name = name_in(registered, prefix);
    if (name == NULL)
        return -ENOENT;
    object_release(name->channel);
    name->channel = NULL;
    return 0;
}

handle_t name_wait(const char *uri, char *rest, uint64_t deadline)
{
    struct name *name = name_in(known, uri);
    rest[0] = '\0';
    if (name == NULL) {
        sleep_until(deadline);
        return -ETIMEDOUT;
    }
    if (name->handle == 0)
        name->handle = entry_insert(name->channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    return name->handle;
}

int64_t debug_write(const char *text, size_t len)
{
    static int verbose = -1;
    if (verbose < 0)
        verbose = getenv("HOST_VERBOSE") != NULL;
    if (verbose)
        fwrite(text, 1, len, stderr);
    return (int64_t)len;
}
