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

static uint64_t channel_id(handle_t handle);

/* The handle of a request as nsd keeps it: it can be called and passed on, and that is all,
 * whatever more the server's own handle could do. Not one of nsd's own: a view that holds its own
 * handle, or two that hold each other's, would never close. */
static int64_t take_handle(const struct message *m)
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
    if ((info.rights & CLIENT_RIGHTS) != CLIENT_RIGHTS)
        return -EACCES;
    return handle_dup(m->handles[0], CLIENT_RIGHTS);
}

static uint64_t channel_id(handle_t handle)
{
    struct handle_info info;
    return handle_info(handle, &info) == 0 ? info.id : 0;
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
        int64_t handle = name_table_find(name_table, 0, info.name, info.len, &owner);
        if (handle <= 0 || owner == 0 || !is_dead((handle_t)handle)) {
            i++;
            continue;
        }
        memcpy(name, info.name, info.len); /* the table's own copy is about to go */
        name_table_unregister(name_table, 0, name, info.len, owner);
        handle_close((handle_t)handle);
        any = true;
    }
    return any;
}

/* The name is taken. That is no error when it is by the same channel, a server started anew; and
 * what a program left behind that died makes way. */
static int64_t register_again(int view, const struct arguments *a, int64_t handle, uint32_t client)
{
    uint32_t owner;
    int64_t taken = name_table_find(name_table, view, a->text, a->len, &owner);
    if (taken > 0 && channel_id((handle_t)taken) == channel_id((handle_t)handle)) {
        handle_close((handle_t)handle);
        return 0;
    }
    if (taken <= 0 || owner == 0 || !is_dead((handle_t)taken))
        return -EEXIST;
    name_table_unregister(name_table, view, a->text, a->len, owner);
    handle_close((handle_t)taken);
    return name_table_register(name_table, view, a->text, a->len, handle, client);
}

static int64_t do_register(struct request *request, int view, const struct arguments *a)
{
    uint32_t client = request->message->sender;
    int64_t handle = take_handle(request->message);
    if (handle < 0)
        return handle;
    int64_t result = name_table_register(name_table, view, a->text, a->len, handle, client);
    if (result == -ENFILE && forget_dead())
        result = name_table_register(name_table, view, a->text, a->len, handle, client);
    if (result == 0 && name_table_owned(name_table, client) > NAMES_A_CLIENT) {
        name_table_unregister(name_table, view, a->text, a->len, client);
        result = -EDQUOT;
    }
    if (result == -EEXIST)
        result = register_again(view, a, handle, client);
    if (result < 0)
        handle_close((handle_t)handle);
    return result;
}

static int64_t do_unregister(struct request *request, int view, const struct arguments *a)
{
    int64_t handle =
        name_table_unregister(name_table, view, a->text, a->len, request->message->sender);
    if (handle > 0)
        handle_close((handle_t)handle);
    return handle < 0 ? handle : 0;
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
    if (found == view_face(0)) /* ns: shows each what he sees */
        found = view_face(view);
    int64_t handle = found < 0 ? found : handle_dup((handle_t)found, CLIENT_RIGHTS);
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
    int64_t handle = take_handle(request->message);
    if (handle < 0)
        return handle;
    int error = name_view_bind(name_table, view, a->text, a->len, handle);
    if (error)
        handle_close((handle_t)handle);
    return error;
}

static const struct {
    int64_t (*run)(struct request *request, int view, const struct arguments *arguments);
    bool two;     /* name and target */
    bool changes; /* what names lead to: waiters may go on */
} operations[] = {
    [NS_REGISTER] = {do_register, false, true}, [NS_UNREGISTER] = {do_unregister, false, false},
    [NS_RESOLVE] = {do_resolve, false, false},  [NS_WAIT] = {do_resolve, false, false},
    [NS_LIST] = {do_list, false, false},        [NS_ALIAS] = {do_alias, true, true},
    [NS_VIEW] = {do_view, false, false},        [NS_RESTRICT] = {do_rule, false, true},
    [NS_BIND] = {do_rule, false, true},         [NS_REBIND] = {do_rule, true, true},
    [NS_HIDE] = {do_rule, false, true},
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
    int64_t result = operations[type].run(request, view, &arguments);
    if (result == 0 && operations[type].changes)
        waiters_wake();
    return result;
}
