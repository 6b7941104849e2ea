/* Fuzzes nsd with messages on views. The names go when the clients do, because none holds the root
 * view itself. */
#include "fuzz.h"
#include "proto/fs.h"
#include "proto/ns.h"
#include "serve.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    NS_REGISTER, NS_UNREGISTER, NS_RESOLVE, NS_WAIT,   NS_LIST,     NS_ALIAS, NS_VIEW, NS_RESTRICT,
    NS_BIND,     NS_REBIND,     NS_HIDE,    FS_UNLINK, FS_RENAME,   FS_STAT,  FS_SYNC, FS_POLL,
    NS_REGISTER, NS_RESOLVE,    NS_RESOLVE, NS_VIEW,   FS_SET_FLAGS,
};
static const char *const names[] = {"a:",  "a:b:", "a:b:c",     "b/",  "ns:", "sys:clock",
                                    "sys", "ns",   "fs:root:x", "a/b", "",    "b"};

static struct host_process *operator;
static int root;

static bool shape(struct fuzz_input *in, struct message *m)
{
    struct ns_request *r = (struct ns_request *)m->data;
    if (m->type > NS_HIDE || fuzz_byte(in) % 4 == 0)
        return fuzz_file_message(in, m);
    r->flags = fuzz_byte(in) % 8;
    r->len = (uint32_t)fuzz_text(in, r->text, sizeof r->text / 2);
    if (m->type == NS_ALIAS || m->type == NS_REBIND) {
        r->text[r->len++] = '\0';
        r->len += (uint32_t)fuzz_text(in, r->text + r->len, sizeof r->text / 2);
    }
    m->len = (uint16_t)(offsetof(struct ns_request, text) + r->len);
    if (m->type == NS_REGISTER || m->type == NS_BIND) {
        m->handle_count = 1;
        m->handles[0] = fuzz_byte(in) % 16;
    }
    return true;
}

static void welcome(struct host_process *process)
{
    struct message m = {.type = NS_VIEW, .len = 8};
    if (host_result(operator, root, &m, NULL) != 0)
        host_bug("there is no view for a new client");
    host_hold(process, host_object(operator, m.handles[0]),
              RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    host_close(operator, m.handles[0]);
}

static void settle(void)
{
    static uint64_t listed;
    uint64_t index = 0;
    struct message m;
    do {
        m = (struct message){.type = NS_LIST, .len = 8, .words = {index}};
    } while (host_result(operator, root, &m, NULL) == 0 && ++index < 1000);
    if (listed == 0)
        listed = index;
    if (index != listed)
        host_bug("%lu names are listed, %lu were at first", (unsigned long)index,
                 (unsigned long)listed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = shape,
        .welcome = welcome,
        .settle = settle,
    };
    if (operator == NULL) {
        serve_prepare();
        host_start(serve_nsd);
        operator = host_process("operator");
        root = host_root(operator);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
