/* nsd: the name server. One channel carries three kinds of handles, told apart by their badges:
 * views (proto/ns.h), ns: itself and its opened files (proto/fs.h). */
#include "abi/errno.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "nsd/nsd.h"
#include "proto/fs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name_table *name_table;
handle_t service;

uint64_t badge_generation;

uint64_t badge_new(unsigned class, unsigned slot)
{
    return (uint64_t) class << 56 | (++badge_generation << 8 & 0xffffffffffff00) | slot;
}

static int64_t dispatch(struct request *request)
{
    uint64_t badge = request->message->badge;
    switch (BADGE_CLASS(badge)) {
    case CLASS_ROOT:
    case CLASS_VIEW: {
        int view = view_of_badge(badge);
        return view < 0 ? view : namespace_request(request, view);
    }
    default:
        return listing_request(request);
    }
}

static void closed(struct server *server, uint64_t badge)
{
    (void)server;
    if (BADGE_CLASS(badge) == CLASS_VIEW)
        view_closed(badge);
    else if (BADGE_CLASS(badge) == CLASS_OPEN)
        listing_closed(badge);
}

static void register_first(const char *name, int64_t place)
{
    if (place < 0 || name_table_register(name_table, 0, name, strlen(name), place, 0) < 0) {
        char line[64 + NAME_MAX_LEN];
        int len = snprintf(line, sizeof line, "nsd: cannot register '%.*s'\n", NAME_MAX_LEN, name);
        debug_write(line, (size_t)len);
    }
}

/* What whoever started nsd gave it under a name, and ns: itself. */
static void register_given(void)
{
    const struct spawn_block *block = start_block();
    for (uint32_t i = 0; i < block->handle_count; i++) {
        const struct spawn_entry *entry = &block->handles[i];
        if (entry->id == SPAWN_KERNEL && entry->name != 0)
            register_first(start_string(entry->name), place_take(entry->handle));
    }
    register_first("ns:", PLACE_FACE);
    keep_changes(0);
}

int main(void)
{
    static struct server_operation operations[FS_SET_FLAGS]; /* NS_* have numbers among these */
    for (uint32_t i = 0; i < FS_SET_FLAGS; i++)
        operations[i] = (struct server_operation){.type = i + 1, .handle = dispatch};
    service = start_handle(SPAWN_SERVICE, 0);
    struct server server = {
        .channel = service,
        .operations = operations,
        .operation_count = FS_SET_FLAGS,
        .closed = closed,
    };
    badge_generation = (uint64_t)clock_now();
    name_table = malloc(name_table_size());
    if (service < 0 || name_table == NULL)
        return 1;
    name_table_init(name_table);
    if (view_face(0) < 0)
        return 1;
    if (!keep_start())
        register_given();
    listing_start();
    return server_run(&server) < 0;
}
