/* The operations of proto/ns.h: each checks its text and handle, asks the table, and answers. */
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "nsd/nsd.h"
#include <string.h>

/* A request's text; name and target of the operations that take two. */
struct arguments {
    uint32_t flags;
    const char *text, *target;
    size_t len, target_len;
};

static int arguments_get(const struct message *m, bool two, struct arguments *arguments)
{
    const struct ns_request *r = (const struct ns_request *)m->data;
    const size_t fixed = offsetof(struct ns_request, text);
    if (m->len < fixed || r->len > NS_URI_MAX || m->len < fixed + r->len)
        return -EINVAL;
    *arguments = (struct arguments){.flags = r->flags, .text = r->text, .len = r->len};
    if (!two)
        return 0;
    const char *end = memchr(r->text, '\0', r->len);
    if (end == NULL)
        return -EINVAL;
    arguments->len = (size_t)(end - r->text);
    arguments->target = end + 1;
    arguments->target_len = r->len - arguments->len - 1;
    return 0;
}

static uint64_t channel_id(handle_t handle)
{
    struct handle_info info;
    return handle_info(handle, &info) == 0 ? info.id : 0;
}

/* The handle of a request: one that can be called and passed on. Not one of nsd's own: a view that
 * holds its own handle, or two that hold each other's, would never close. */
static int64_t check_handle(const struct message *m)
{
    struct handle_info info;
    if (m->handle_count != 1)
        return -EINVAL;
    int64_t error = handle_info(m->handles[0], &info);
    if (error)
        return error;
    if (info.type != OBJECT_CHANNEL && info.type != OBJECT_SESSION)
        return -EINVAL;
    if (info.id == channel_id(service))
        return -ELOOP;
    return (info.rights & CLIENT_RIGHTS) != CLIENT_RIGHTS ? -EACCES : 0;
}

/* A place for the handle of a request as nsd keeps it: whatever more the server's own could do. */
static int64_t take_handle(const struct message *m)
{
    int64_t handle = handle_dup(m->handles[0], CLIENT_RIGHTS);
    int64_t place = handle < 0 ? handle : place_take((handle_t)handle);
    if (handle > 0 && place < 0)
        handle_close((handle_t)handle);
    return place;
}

/* Whether nobody will ever receive on the channel again. The call never waits: its deadline has
 * passed. A server that lives gets, at most, a message of a type that nobody serves. */
static bool is_dead(handle_t handle)
{
    struct message m = {.type = 0};
    int error = channel_call_deadline(handle, &m, 1);
    for (unsigned i = 0; error == 0 && i < m.handle_count; i++)
        handle_close(m.handles[i]);
    return error == -EPEER;
}

/* The table is full: what programs left behind that died makes way. True if there was any. */
static bool forget_dead(void)
{
    struct name_entry_info info;
    bool any = false;
    for (size_t i = 0; name_table_list(name_table, 0, i, &info) == 0;) {
        char name[NAME_MAX_LEN];
        uint32_t owner;
        int64_t place = name_table_find(name_table, 0, info.name, info.len, &owner);
        if (place <= 0 || owner == 0 || !is_dead(place_handle(place))) {
            i++;
            continue;
        }
        memcpy(name, info.name, info.len); /* the table's own copy is about to go */
        name_table_unregister(name_table, 0, name, info.len, owner);
        place_leave(place);
        any = true;
    }
    return any;
}

/* The name is taken. That is no error when it is by the same channel: a server that registers again
 * because it or nsd was started anew. */
static bool is_registered(int view, const struct arguments *a, handle_t handle)
{
    uint32_t owner;
    int64_t taken = name_table_find(name_table, view, a->text, a->len, &owner);
    return taken > 0 && channel_id(place_handle(taken)) == channel_id(handle);
}

/* What a program left behind that died makes way. */
static int64_t register_again(int view, const struct arguments *a, int64_t place, uint32_t client)
{
    uint32_t owner;
    int64_t taken = name_table_find(name_table, view, a->text, a->len, &owner);
    if (taken <= 0 || owner == 0 || !is_dead(place_handle(taken)))
        return -EEXIST;
    name_table_unregister(name_table, view, a->text, a->len, owner);
    place_leave(taken);
    return name_table_register(name_table, view, a->text, a->len, place, client);
}

static int64_t do_register(struct request *request, int view, const struct arguments *a)
{
    uint32_t client = request->message->sender;
    int64_t error = check_handle(request->message);
    if (error < 0)
        return error;
    if (is_registered(view, a, request->message->handles[0]))
        return 0;
    int64_t place = take_handle(request->message);
    if (place < 0)
        return place;
    int64_t result = name_table_register(name_table, view, a->text, a->len, place, client);
    if (result == -ENFILE && forget_dead())
        result = name_table_register(name_table, view, a->text, a->len, place, client);
    if (result == 0 && name_table_owned(name_table, client) > NAMES_A_CLIENT) {
        name_table_unregister(name_table, view, a->text, a->len, client);
        result = -EDQUOT;
    }
    if (result == -EEXIST)
        result = register_again(view, a, place, client);
    if (result < 0)
        place_leave(place);
    return result;
}

static int64_t do_unregister(struct request *request, int view, const struct arguments *a)
{
    int64_t place =
        name_table_unregister(name_table, view, a->text, a->len, request->message->sender);
    if (place > 0)
        place_leave(place);
    return place < 0 ? place : 0;
}

int64_t namespace_resolve(int view, const char *uri, size_t len, struct message *message)
{
    struct ns_resolve_reply *reply = (struct ns_resolve_reply *)message->data;
    char resolved[NAME_MAX_LEN + 1 + NS_URI_MAX];
    struct name_match match;
    int64_t found =
        name_table_resolve(name_table, view, uri, len, resolved, sizeof resolved, &match);
    if (found < 0)
        return found;
    size_t rest = match.len - match.matched;
    if (rest > sizeof reply->rest)
        return -ENAMETOOLONG;
    /* ns: shows each what he sees */
    handle_t leads = found == PLACE_FACE ? view_face(view) : place_handle(found);
    int64_t handle = leads < 0 ? leads : handle_dup(leads, CLIENT_RIGHTS);
    if (handle < 0)
        return handle;
    reply->matched = (uint32_t)match.matched | (match.deeper ? NS_MATCHED_DEEPER : 0);
    reply->rest_len = (uint32_t)rest;
    memcpy(reply->rest, resolved + match.matched, rest);
    message->len = (uint16_t)(offsetof(struct ns_resolve_reply, rest) + rest);
    message->handles[0] = (handle_t)handle;
    message->handle_count = 1;
    return 0;
}

static int64_t do_resolve(struct request *request, int view, const struct arguments *a)
{
    int64_t result = namespace_resolve(view, a->text, a->len, request->reply);
    if (result == -ENOENT && request->message->type == NS_WAIT)
        return waiters_add(request, view, a->text, a->len);
    return result;
}

static int64_t do_list(struct request *request, int view, const struct arguments *a)
{
    struct ns_list_reply *reply = (struct ns_list_reply *)request->reply->data;
    struct name_entry_info info;
    int error = name_table_list(name_table, view, a->flags, &info);
    if (error)
        return error;
    _Static_assert(sizeof reply->text >= 2 * NAME_MAX_LEN, "name and target fit");
    reply->owner = info.owner;
    reply->len = (uint32_t)info.len;
    reply->alias_len = (uint32_t)info.target_len;
    reply->pad = 0;
    memcpy(reply->text, info.name, info.len);
    if (info.target != NULL)
        memcpy(reply->text + info.len, info.target, info.target_len);
    request->reply->len =
        (uint16_t)(offsetof(struct ns_list_reply, text) + info.len + info.target_len);
    return 0;
}

static int64_t do_alias(struct request *request, int view, const struct arguments *a)
{
    uint32_t client = request->message->sender;
    if (name_table_owned(name_table, client) >= NAMES_A_CLIENT)
        return -EDQUOT;
    int error =
        name_table_alias(name_table, view, a->text, a->len, a->target, a->target_len, client);
    if (error == -ENFILE && forget_dead())
        error =
            name_table_alias(name_table, view, a->text, a->len, a->target, a->target_len, client);
    return error;
}

static int64_t do_view(struct request *request, int view, const struct arguments *a)
{
    int64_t result =
        view_new(view, a->flags, request->message->sender, &request->reply->handles[0]);
    request->reply->handle_count = result == 0;
    return result;
}

/* The rules of a view belong to its maker: whom he gave it cannot loosen them, but may derive a
 * view of his own. */
static int64_t do_rule(struct request *request, int view, const struct arguments *a)
{
    if (view == 0 || !view_is_of(view, request->message->sender))
        return -EPERM;
    switch (request->message->type) {
    case NS_RESTRICT:
        return name_view_restrict(name_table, view, a->text, a->len);
    case NS_HIDE:
        return name_view_hide(name_table, view, a->text, a->len);
    case NS_REBIND:
        return name_view_rebind(name_table, view, a->text, a->len, a->target, a->target_len);
    default:
        break;
    }
    int64_t refused = check_handle(request->message);
    int64_t place = refused ? refused : take_handle(request->message);
    if (place < 0)
        return place;
    int error = name_view_bind(name_table, view, a->text, a->len, place);
    if (error)
        place_leave(place);
    return error;
}

static const struct {
    int64_t (*run)(struct request *request, int view, const struct arguments *arguments);
    bool two;     /* name and target */
    bool changes; /* the table, or where its names lead */
    bool once;    /* made twice, it fails or does something else */
} operations[] = {
    [NS_REGISTER] = {do_register, .changes = true, .once = true},
    [NS_UNREGISTER] = {do_unregister, .changes = true, .once = true},
    [NS_RESOLVE] = {do_resolve},
    [NS_WAIT] = {do_resolve},
    [NS_LIST] = {do_list},
    [NS_ALIAS] = {do_alias, .two = true, .changes = true, .once = true},
    /* The first view of an NS_VIEW that comes again is gone: nobody got its handle. */
    [NS_VIEW] = {do_view, .changes = true},
    [NS_RESTRICT] = {do_rule, .changes = true, .once = true},
    [NS_BIND] = {do_rule, .changes = true, .once = true},
    [NS_REBIND] = {do_rule, .two = true, .changes = true, .once = true},
    [NS_HIDE] = {do_rule, .changes = true, .once = true},
};

int64_t namespace_request(struct request *request, int view)
{
    struct arguments arguments;
    uint32_t type = request->message->type;
    if (type >= sizeof operations / sizeof operations[0] || operations[type].run == NULL)
        return -ENOSYS;
    int error = arguments_get(request->message, operations[type].two, &arguments);
    if (error)
        return error;
    if (operations[type].once && keep_is_done(request->token))
        return 0;
    int64_t result = operations[type].run(request, view, &arguments);
    if (operations[type].changes && (result == 0 || places_leave()))
        keep_changes(result == 0 ? request->token : 0);
    if (result == 0 && operations[type].changes)
        waiters_wake();
    return result;
}
