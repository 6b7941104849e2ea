/* An nsd that dies behind any of its stores: names, views, their rules and opened files of ns: are
 * what they were, and each change is made once. */
#include "../../../user/libcairn/test/mortal_server.h"
#include "abi/errno.h"
#include "proto/fs.h"
#include "proto/ns.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PIECE 40 /* bytes of a read */

static struct mortal_call calls[MORTAL_CALLS];
static unsigned count;

static int ask(int through, uint32_t type, const char *text, size_t len, int object)
{
    struct message *m = &calls[count].m;
    struct ns_request *r = (struct ns_request *)m->data;
    calls[count].through = through;
    m->type = type;
    m->len = (uint16_t)(offsetof(struct ns_request, text) + len);
    m->handle_count = object != 0;
    m->handles[0] = object;
    r->len = (uint32_t)len;
    memcpy(r->text, text, len);
    return (int)count++;
}
#define ASK(through, type, text, object) ask(through, type, text, sizeof text - 1, object)

static int view(int through, uint32_t flags)
{
    int made = ASK(through, NS_VIEW, "", 0);
    ((struct ns_request *)calls[made].m.data)->flags = flags;
    return made;
}

static int open_directory(int face)
{
    calls[count].through = face;
    calls[count].m = (struct message){.type = FS_OPEN, .len = sizeof(struct fs_path_request)};
    return (int)count++;
}

static void read_piece(int file)
{
    struct fs_io_request r = {.offset = FS_OFFSET_CURRENT, .length = PIECE};
    struct mortal_call *call = &calls[count++];
    call->through = file;
    call->m = (struct message){.type = FS_READ, .len = sizeof r, .window_count = 1};
    call->m.windows[0] = (struct window){.length = PIECE, .access = WINDOW_WRITE};
    memcpy(call->m.data, &r, sizeof r);
}

static void list(int through, unsigned names)
{
    for (uint32_t i = 0; i <= names; i++) {
        int listed = ASK(through, NS_LIST, "", 0);
        ((struct ns_request *)calls[listed].m.data)->flags = i;
    }
}

static int first_read;
static unsigned changes;

static void script(void)
{
    ASK(-1, NS_REGISTER, "a:", 1);
    ASK(-1, NS_REGISTER, "b:", 3);
    ASK(-1, NS_ALIAS, "c:\0a:", 0);
    int mine = view(-1, 0);
    ASK(mine, NS_BIND, "x:", 5);
    ASK(mine, NS_REBIND, "y:\0b:", 0);
    ASK(mine, NS_HIDE, "c:", 0);
    int face = ASK(mine, NS_RESOLVE, "ns:", 0);
    int file = open_directory(face);
    first_read = (int)count;
    for (unsigned i = 0; i < 4; i++)
        read_piece(file);
    int confined = view(mine, NS_VIEW_READ_ONLY);
    ASK(confined, NS_RESTRICT, "x:", 0);
    ASK(-1, NS_UNREGISTER, "b:", 0);
    ASK(-1, NS_REGISTER, "b:", 7);
    ASK(-1, NS_UNREGISTER, "c:", 0);
    ASK(-1, NS_ALIAS, "d:\0b:", 0);
    int closed = view(-1, 0);
    ASK(closed, NS_BIND, "z:", 9);
    ASK(file, MORTAL_CLOSE, "", 0);
    ASK(closed, MORTAL_CLOSE, "", 0);
    changes = count;
    list(-1, 4);
    list(mine, 6);
    list(confined, 1);
    ASK(-1, NS_RESOLVE, "d:file", 0);
    ASK(mine, NS_RESOLVE, "y:file", 0);
    ASK(confined, NS_RESOLVE, "x:file", 0);
    ASK(confined, NS_RESOLVE, "y:file", 0);
}

/* That the script is what it is meant to be. */
static bool check(const struct mortal_answer *answers)
{
    char text[4 * PIECE + 1] = "";
    for (unsigned i = 0, failing = 0; i < count; i++) {
        int64_t result = (int64_t)answers[i].reply.words[0];
        failing += result == -ENOENT;
        if (result < 0 && result != -ENOENT)
            return false;
        if (i + 1 == count && failing != 4) /* behind the end of three lists; and hidden */
            return false;
    }
    for (int i = 0; i < 4; i++)
        strncat(text, (const char *)answers[first_read + i].window, PIECE);
    return strncmp(text, "a: ", 3) == 0 && strstr(text, "\nb: ") && strstr(text, "\nx: ") &&
           answers[count - 4].reply.handles[0] == 7 && answers[count - 3].reply.handles[0] == 7 &&
           answers[count - 2].reply.handles[0] == 5;
}

int main(void)
{
    script();
    return mortal_serve(calls, count, changes, 1, check);
}
