/* Tests of the name table: tables of URIs and answers, then views, limits and listing. */
#include "abi/errno.h"
#include "nsd/nametable.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            passed++;                                                                              \
        } else {                                                                                   \
            failed++;                                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)

static struct name_table *table;
static int64_t released[64];
static size_t released_count;

static void fresh(void)
{
    name_table_init(table);
    released_count = 0;
}

static void on_release(int64_t handle, void *context)
{
    CHECK(context == table);
    released[released_count++] = handle;
}

static void drop(int view)
{
    name_view_drop(table, view, on_release, table);
}

static bool was_released(int64_t handle)
{
    size_t times = 0;
    for (size_t i = 0; i < released_count; i++)
        times += released[i] == handle;
    return times == 1;
}

static int reg(int view, const char *name, int64_t handle)
{
    return name_table_register(table, view, name, strlen(name), handle, 7);
}

static int64_t unreg(int view, const char *name, uint32_t owner)
{
    return name_table_unregister(table, view, name, strlen(name), owner);
}

static int alias(int view, const char *name, const char *target)
{
    return name_table_alias(table, view, name, strlen(name), target, strlen(target), 7);
}

static int bind(int view, const char *name, int64_t handle)
{
    return name_view_bind(table, view, name, strlen(name), handle);
}

static int rebind(int view, const char *name, const char *target)
{
    return name_view_rebind(table, view, name, strlen(name), target, strlen(target));
}

static int restrict_to(int view, const char *name)
{
    return name_view_restrict(table, view, name, strlen(name));
}

static int hide(int view, const char *name)
{
    return name_view_hide(table, view, name, strlen(name));
}

static char rest[256];
static struct name_match match;

/* find: the handle or error; what is left for the server in rest. */
static int64_t find(int view, const char *uri)
{
    char resolved[200];
    int64_t handle =
        name_table_resolve(table, view, uri, strlen(uri), resolved, sizeof resolved, &match);
    rest[0] = 0;
    if (handle >= 0) {
        memcpy(rest, resolved + match.matched, match.len - match.matched);
        rest[match.len - match.matched] = 0;
    }
    return handle;
}

/* names: the listing of a view, joined by spaces. */
static const char *names(int view)
{
    static char text[8192];
    struct name_entry_info info;
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; name_table_list(table, view, i, &info) == 0; i++) {
        len += (size_t)sprintf(text + len, "%s%.*s", i ? " " : "", (int)info.len, info.name);
        if (info.target)
            len += (size_t)sprintf(text + len, ">%.*s", (int)info.target_len, info.target);
    }
    return text;
}

static void test_segments(void)
{
    static const struct {
        const char *uri;
        int64_t handle;
        const char *rest;
    } cases[] = {
        {"fs:root", 1, ""},
        {"fs:root:", 1, ""},
        {"fs:root/", 1, ""},
        {"fs:root:etc/motd", 1, "etc/motd"},
        {"fs:root/etc/motd", 1, "etc/motd"},
        {"fs:root:/etc", 1, "/etc"},
        {"fs:rootkit", -ENOENT, ""},
        {"fs:rootkit:x", -ENOENT, ""},
        {"fs:roo", -ENOENT, ""},
        {"fs:", -ENOENT, ""},
        {"fs", -ENOENT, ""},
        {"fs:root:mnt", 2, ""},
        {"fs:root:mnt/a", 2, "a"},
        {"fs:root:mnt:a", 2, "a"},
        {"fs:root:mnta", 1, "mnta"},
        {"fs:root/mnt", 1, "mnt"},
        {"net:", 3, ""},
        {"net", 3, ""},
        {"net:tcp:80", 3, "tcp:80"},
        {"network:", -ENOENT, ""},
        {"ne", -ENOENT, ""},
        {"block:virtio:0", 4, ""},
        {"block:virtio:01", -ENOENT, ""},
        {"block:virtio:0:raw", 4, "raw"},
        {"dir/x", 5, "x"},
        {"dir", 5, ""},
        {"dirx", -ENOENT, ""},
        {"", -ENOENT, ""},
        {":", -ENOENT, ""},
        {":fs:root", -ENOENT, ""},
    };
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0);
    CHECK(reg(0, "fs:root:mnt:", 2) == 0);
    CHECK(reg(0, "net:", 3) == 0);
    CHECK(reg(0, "block:virtio:0", 4) == 0);
    CHECK(reg(0, "dir//", 5) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t handle = find(0, cases[i].uri);
        if (handle != cases[i].handle || strcmp(rest, cases[i].rest) != 0)
            fprintf(stderr, "'%s' gives %d '%s'\n", cases[i].uri, (int)handle, rest);
        CHECK(handle == cases[i].handle && strcmp(rest, cases[i].rest) == 0);
    }
    CHECK(name_table_resolve(table, 0, "net:\0x", 6, rest, 200, &match) == -EINVAL);
    CHECK(name_table_resolve(table, 0, "net:abc", 7, rest, 6, &match) == -ENAMETOOLONG);
}

static void test_register(void)
{
    char longest[NAME_MAX_LEN + 2];
    memset(longest, 'x', sizeof longest);
    longest[NAME_MAX_LEN + 1] = 0;
    fresh();
    CHECK(reg(0, "a:b", 1) == 0);
    CHECK(reg(0, "a:b", 2) == -EEXIST);
    CHECK(reg(0, "a:b:", 2) == -EEXIST);
    CHECK(reg(0, "a:b/", 2) == -EEXIST);
    CHECK(alias(0, "a:b", "c:") == -EEXIST);
    CHECK(reg(0, "a:bc", 2) == 0);
    CHECK(reg(0, "a/b", 3) == 0);
    CHECK(reg(0, "", 4) == -EINVAL);
    CHECK(reg(0, ":/", 4) == -EINVAL);
    CHECK(reg(0, "x\ny", 4) == -EINVAL);
    CHECK(reg(0, "x\x7f", 4) == -EINVAL);
    CHECK(name_table_register(table, 0, "x\0y", 3, 4, 7) == -EINVAL);
    CHECK(reg(0, "n", -1) == -EINVAL);
    CHECK(reg(0, longest, 4) == -ENAMETOOLONG);
    longest[NAME_MAX_LEN] = 0;
    CHECK(reg(0, longest, 4) == 0 && find(0, longest) == 4);
    CHECK(reg(0, "gr\xc3\xbc\xc3\x9f:", 5) == 0);
    CHECK(reg(-1, "q:", 1) == -EBADF && reg(NAME_VIEWS, "q:", 1) == -EBADF);
    CHECK(reg(5, "q:", 1) == -EBADF);
    CHECK(find(5, "a:b") == -EBADF);

    CHECK(name_table_owned(table, 7) == 5);
    CHECK(unreg(0, "a:b", 8) == -EPERM);
    CHECK(unreg(0, "a", 7) == -ENOENT);
    CHECK(unreg(0, "a:b:c", 7) == -ENOENT);
    uint32_t owner = 0;
    CHECK(name_table_find(table, 0, "a:b/", 4, &owner) == 1 && owner == 7);
    CHECK(name_table_find(table, 0, "a", 1, &owner) == -ENOENT);
    CHECK(name_table_find(table, 0, "", 0, &owner) == -EINVAL);
    CHECK(unreg(0, "a:b/", 7) == 1);
    CHECK(unreg(0, "a:b", 7) == -ENOENT && find(0, "a:b") == -ENOENT);
    CHECK(find(0, "a:bc") == 2 && find(0, "a/b") == 3);
    CHECK(name_table_owned(table, 7) == 4);
}

static void test_aliases(void)
{
    static const struct {
        const char *uri;
        int64_t handle;
        const char *rest;
    } cases[] = {
        {"home:docs/a", 1, "home/alice/docs/a"},
        {"home:/docs/a", 1, "home/alice/docs/a"},
        {"home:", 1, "home/alice"},
        {"home", 1, "home/alice"},
        {"homes:", -ENOENT, ""},
        {"root:/etc", 1, "etc"},
        {"root:etc", 1, "etc"},
        {"root:", 1, ""},
        {"tmp:x", 1, "tmp/x"},
        {"two:x", 1, "home/alice/x"},
        {"dead:x", -ENOENT, ""},
        {"self:x", -ELOOP, ""},
        {"ping:", -ELOOP, ""},
        {"pong:x", -ELOOP, ""},
        {"grow:x", -ELOOP, ""},
        {"c0:x", -ELOOP, ""},
        {"c1:x", 1, "x"},
        {"bare:x", 3, "x"},
    };
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0);
    CHECK(reg(0, "word", 3) == 0);
    CHECK(alias(0, "home:/", "fs:root:home/alice/") == 0);
    CHECK(alias(0, "root:/", "fs:root:") == 0);
    CHECK(alias(0, "tmp:", "fs:root:tmp/") == 0);
    CHECK(alias(0, "two:", "home:") == 0);
    CHECK(alias(0, "dead:", "none:") == 0);
    CHECK(alias(0, "self:", "self:") == 0);
    CHECK(alias(0, "ping:", "pong:") == 0 && alias(0, "pong:", "ping:") == 0);
    CHECK(alias(0, "grow:", "grow:x:") == 0);
    CHECK(alias(0, "bare:", "word") == 0);
    CHECK(alias(0, "bad:", "") == -EINVAL && alias(0, "", "fs:root") == -EINVAL);
    for (int i = 0; i <= NAME_ALIAS_DEPTH; i++) { /* c1: is 8 aliases long, c0: 9 */
        char from[16], to[16];
        sprintf(from, "c%d:", i);
        sprintf(to, i == NAME_ALIAS_DEPTH ? "fs:root" : "c%d:", i + 1);
        CHECK(alias(0, from, to) == 0);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t handle = find(0, cases[i].uri);
        if (handle != cases[i].handle || strcmp(rest, cases[i].rest) != 0)
            fprintf(stderr, "'%s' gives %d '%s'\n", cases[i].uri, (int)handle, rest);
        CHECK(handle == cases[i].handle && strcmp(rest, cases[i].rest) == 0);
    }
    char uri[200];
    memset(uri, 'y', sizeof uri);
    memcpy(uri, "home:", 5);
    CHECK(name_table_resolve(table, 0, uri, 190, rest, 200, &match) == -ENAMETOOLONG);
    CHECK(name_table_find(table, 0, "home:", 5, &(uint32_t){0}) == -ENOENT);
    CHECK(unreg(0, "home:", 7) == 0);
    CHECK(find(0, "home:x") == -ENOENT);
    CHECK(alias(0, "home:", "net:") == 0); /* the name is free again */
}

static void test_plain_views(void)
{
    fresh();
    CHECK(reg(0, "net:", 1) == 0);
    int copy = name_view_create(table, 0, false, false);
    int empty = name_view_create(table, 0, true, false);
    int frozen = name_view_create(table, 0, false, true);
    int below = name_view_create(table, frozen, false, false);
    CHECK(copy > 0 && empty > 0 && frozen > 0 && below > 0);
    CHECK(name_view_create(table, 60, false, false) == -EBADF);

    CHECK(find(copy, "net:") == 1 && find(empty, "net:") == -ENOENT && find(frozen, "net:") == 1);
    CHECK(reg(copy, "a:", 2) == 0 && find(0, "a:") == 2 && find(frozen, "a:") == 2);
    CHECK(reg(empty, "b:", 3) == -EPERM);
    CHECK(reg(frozen, "b:", 3) == -EROFS && alias(frozen, "b:", "net:") == -EROFS);
    CHECK(unreg(frozen, "net:", 7) == -EROFS && unreg(empty, "net:", 7) == -ENOENT);
    CHECK(name_table_find(table, empty, "net:", 4, &(uint32_t){0}) == -ENOENT);
    CHECK(name_table_find(table, copy, "net:", 4, &(uint32_t){0}) == 1);
    CHECK(bind(frozen, "b:", 3) == -EROFS && rebind(frozen, "b:", "net:") == -EROFS);
    CHECK(hide(frozen, "a:") == 0 && find(frozen, "a:") == -ENOENT && find(0, "a:") == 2);
    /* what is derived from a read-only view can bind for itself, but register nothing */
    CHECK(reg(below, "b:", 3) == -EROFS && unreg(below, "net:", 7) == -EROFS);
    CHECK(bind(below, "b:", 3) == 0 && find(below, "b:x") == 3 && find(frozen, "b:") == -ENOENT);
    CHECK(find(below, "a:") == -ENOENT);

    CHECK(bind(0, "b:", 3) == -EPERM && rebind(0, "b:", "net:") == -EPERM);
    CHECK(hide(0, "net:") == -EPERM && restrict_to(0, "net:") == -EPERM);
    CHECK(find(0, "net:") == 1);
}

static void test_restricted(void)
{
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0 && reg(0, "fs:temp", 2) == 0 && reg(0, "net:", 3) == 0);
    CHECK(alias(0, "home:", "fs:root:home/") == 0);
    int view = name_view_create(table, 0, false, false);
    CHECK(restrict_to(view, "fs:root:home") == 0 && restrict_to(view, "net:") == 0);
    CHECK(restrict_to(view, "net:") == 0);
    CHECK(find(view, "fs:root:home/x") == 1 && strcmp(rest, "home/x") == 0);
    CHECK(find(view, "fs:root:homes") == -ENOENT && find(view, "fs:root") == -ENOENT);
    CHECK(find(view, "fs:temp:") == -ENOENT && find(view, "net:tcp") == 3);
    CHECK(find(view, "home:x") == -ENOENT);
    /* an alias shows what it leads to only where that may be seen */
    CHECK(restrict_to(view, "home:") == 0 && find(view, "home:x") == 1);
    CHECK(alias(view, "net:all", "fs:temp:") == 0);
    CHECK(find(view, "net:all:x") == -ENOENT && find(0, "net:all:x") == 2);
    CHECK(reg(view, "net:tcp", 4) == 0 && reg(view, "other:", 5) == -EPERM);
    CHECK(reg(view, "fs:temp", 5) == -EPERM && unreg(view, "fs:temp", 7) == -ENOENT);

    /* views of views: never more than the one below */
    int inner = name_view_create(table, view, false, false);
    CHECK(find(inner, "net:x") == 3);
    CHECK(restrict_to(inner, "fs:") == 0);
    CHECK(find(inner, "net:x") == -ENOENT && find(inner, "fs:root:home/x") == 1);
    CHECK(find(inner, "fs:temp:x") == -ENOENT && find(inner, "fs:root:x") == -ENOENT);
    CHECK(rebind(inner, "all:", "fs:temp:") == 0 && find(inner, "all:x") == -ENOENT);

    /* a longer rule decides: shown inside hidden inside shown */
    int nested = name_view_create(table, 0, false, false);
    CHECK(restrict_to(nested, "fs:") == 0 && hide(nested, "fs:root") == 0);
    CHECK(restrict_to(nested, "fs:root:pub") == 0);
    CHECK(find(nested, "fs:temp:x") == 2 && find(nested, "fs:root:x") == -ENOENT);
    CHECK(find(nested, "fs:root:pub/x") == 1 && find(nested, "fs:root:public") == -ENOENT);
    CHECK(hide(nested, "fs:") == -EEXIST && hide(nested, "fs:root/") == 0);
}

static void test_bound(void)
{
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0 && reg(0, "fs:root:mnt", 2) == 0);
    int view = name_view_create(table, 0, false, false);
    CHECK(bind(view, "fs:root", 10) == 0);
    CHECK(find(view, "fs:root:x") == 10 && strcmp(rest, "x") == 0 && find(0, "fs:root:x") == 1);
    CHECK(find(view, "fs:root:mnt/x") == 10); /* it hides the rest */
    CHECK(find(view, "fs:rootkit") == -ENOENT);
    CHECK(bind(view, "fs:root:", 11) == -EEXIST && bind(view, "fs:root", 10) == -EEXIST);
    CHECK(rebind(view, "fs:root", "x:") == -EEXIST && restrict_to(view, "fs:root") == -EEXIST);
    CHECK(bind(view, "n:", -1) == -EINVAL && bind(view, "", 1) == -EINVAL);
    CHECK(bind(view, "fs:root:dev", 12) == 0 && find(view, "fs:root:dev/null") == 12);
    CHECK(reg(view, "fs:root:y", 13) == -EPERM && reg(view, "fs:y", 13) == 0);

    int empty = name_view_create(table, 0, true, false);
    CHECK(bind(empty, "net:", 14) == 0);
    CHECK(find(empty, "net:x") == 14 && find(empty, "fs:root") == -ENOENT);
    CHECK(strcmp(names(empty), "net:") == 0);

    /* a hidden name in a view over a binding */
    int inner = name_view_create(table, view, false, false);
    CHECK(find(inner, "fs:root:dev") == 12 && hide(inner, "fs:root:dev") == 0);
    CHECK(find(inner, "fs:root:dev") == -ENOENT && find(inner, "fs:root:x") == 10);
}

static void test_rebound(void)
{
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0 && reg(0, "net:", 2) == 0);
    CHECK(alias(0, "root:", "fs:root:") == 0);
    int view = name_view_create(table, 0, false, false);
    CHECK(rebind(view, "fs:root", "fs:root:home/alice/") == 0);
    CHECK(find(view, "fs:root:etc") == 1 && strcmp(rest, "home/alice/etc") == 0);
    CHECK(find(view, "fs:root") == 1 && strcmp(rest, "home/alice") == 0);
    CHECK(find(view, "root:etc") == 1 && strcmp(rest, "home/alice/etc") == 0);
    CHECK(find(view, "net:x") == 2);
    int inner = name_view_create(table, view, false, false);
    CHECK(rebind(inner, "fs:root", "fs:root:sub/") == 0);
    CHECK(find(inner, "fs:root:a") == 1 && strcmp(rest, "home/alice/sub/a") == 0);
    CHECK(rebind(inner, "", "a:") == -EINVAL && rebind(inner, "a:", "") == -EINVAL);

    /* only what is rebound; the targets need not be visible in the view itself */
    int only = name_view_create(table, 0, true, false);
    CHECK(rebind(only, "home:", "root:home/alice/") == 0);
    CHECK(find(only, "home:a") == 1 && strcmp(rest, "home/alice/a") == 0);
    CHECK(find(only, "root:a") == -ENOENT && find(only, "fs:root:a") == -ENOENT);
    CHECK(reg(only, "home:x", 9) == -EPERM);
    CHECK(strcmp(names(only), "home:>root:home/alice/") == 0);
    CHECK(strcmp(names(inner), "fs:root>fs:root:sub/ net: root:>fs:root:") == 0);
}

static void test_drop(void)
{
    fresh();
    CHECK(reg(0, "keep:", 1) == 0);
    int view = name_view_create(table, 0, false, false);
    CHECK(reg(view, "a:", 2) == 0 && reg(view, "b:", 3) == 0 && alias(view, "c:", "a:") == 0);
    CHECK(bind(view, "d:", 4) == 0);
    int inner = name_view_create(table, view, false, false);
    CHECK(bind(inner, "e:", 5) == 0 && reg(inner, "f:", 6) == 0);
    drop(view);
    CHECK(released_count == 2 && was_released(2) && was_released(3));
    CHECK(find(view, "keep:") == -EBADF && reg(view, "z:", 9) == -EBADF &&
          hide(view, "a:") == -EBADF);
    CHECK(find(inner, "a:") == -ENOENT && find(inner, "c:") == -ENOENT);
    CHECK(find(inner, "d:") == 4 && find(inner, "e:") == 5 && find(0, "f:") == 6);
    CHECK(name_view_create(table, 0, false, false) != view); /* its layer is still in use */
    drop(view);
    CHECK(released_count == 2);
    drop(inner);
    CHECK(released_count == 5 && was_released(4) && was_released(5) && was_released(6));
    CHECK(find(0, "f:") == -ENOENT && find(0, "keep:") == 1);
    drop(0);
    drop(-1);
    drop(NAME_VIEWS);
    CHECK(released_count == 5 && find(0, "keep:") == 1);
    CHECK(name_view_create(table, 0, false, false) == view); /* and now it is free */
    CHECK(find(view, "d:") == -ENOENT);
}

static void test_exhaustion(void)
{
    char name[32];
    fresh();
    for (int i = 0; i < NAME_ENTRIES; i++) {
        sprintf(name, "n%d:", i);
        if (reg(0, name, i + 1) != 0)
            CHECK(!"register");
    }
    CHECK(reg(0, "more:", 1) == -ENFILE && alias(0, "more:", "n1:") == -ENFILE);
    CHECK(reg(0, "n5:", 1) == -EEXIST);
    CHECK(find(0, "n255:x") == 256);
    CHECK(unreg(0, "n100:", 7) == 101 && reg(0, "more:", 999) == 0 && find(0, "more:") == 999);
    CHECK(find(0, "n255:x") == 256 && find(0, "n0:") == 1);

    int views[NAME_VIEWS];
    for (int i = 1; i < NAME_VIEWS; i++) {
        views[i] = name_view_create(table, i > 1 ? views[i - 1] : 0, false, false);
        if (views[i] < 0)
            CHECK(!"view");
    }
    CHECK(name_view_create(table, 0, false, false) == -ENFILE);
    CHECK(find(views[NAME_VIEWS - 1], "n3:") == 4); /* through 63 layers */
    for (int i = 1; i < NAME_VIEWS - 1; i++)
        drop(views[i]);
    CHECK(name_view_create(table, 0, false, false) == -ENFILE);
    drop(views[NAME_VIEWS - 1]); /* the whole stack falls */
    for (int i = 1; i < NAME_VIEWS; i++)
        CHECK(name_view_create(table, 0, false, false) > 0);

    for (int i = 0; i < NAME_RULES; i++) {
        sprintf(name, "r%d:", i);
        CHECK(hide(1, name) == 0);
    }
    CHECK(hide(1, "more:") == -ENFILE && bind(1, "x:", 1) == -ENFILE);
    CHECK(restrict_to(1, "n1:") == -ENFILE && find(1, "n1:") == 2); /* and is not restricted */
    CHECK(rebind(1, "y:", "n1:") == -ENFILE && hide(1, "r0:") == 0);
}

static void test_list(void)
{
    struct name_entry_info info;
    fresh();
    CHECK(strcmp(names(0), "") == 0 && name_table_list(table, 0, 0, &info) == -ENOENT);
    CHECK(reg(0, "net:", 1) == 0 && reg(0, "fs:temp", 2) == 0 && reg(0, "fs:root", 3) == 0);
    CHECK(reg(0, "a:", 4) == 0 && reg(0, "a-b:", 5) == 0 && alias(0, "b:", "a:") == 0);
    CHECK(reg(0, "\xc3\xa4:", 6) == 0 && reg(0, "fs:root:mnt", 7) == 0);
    CHECK(strcmp(names(0), "a-b: a: b:>a: fs:root fs:root:mnt fs:temp net: \xc3\xa4:") == 0);
    CHECK(name_table_list(table, 0, 8, &info) == -ENOENT);
    CHECK(name_table_list(table, 0, SIZE_MAX, &info) == -ENOENT);
    CHECK(name_table_list(table, 3, 0, &info) == -EBADF);
    CHECK(name_table_list(table, 0, 0, &info) == 0 && info.owner == 7);

    int view = name_view_create(table, 0, false, false);
    CHECK(hide(view, "fs:root") == 0 && bind(view, "fs:root:mnt", 8) == 0);
    CHECK(bind(view, "c:", 9) == 0 && hide(view, "\xc3\xa4") == 0);
    CHECK(strcmp(names(view), "a-b: a: b:>a: c: fs:root:mnt fs:temp net:") == 0);
    CHECK(name_table_list(table, view, 3, &info) == 0 && info.owner == 0);
    int inner = name_view_create(table, view, false, false);
    CHECK(restrict_to(inner, "fs:") == 0 && restrict_to(inner, "c:") == 0);
    CHECK(bind(inner, "c:", 10) == -EEXIST && bind(inner, "c:d", 10) == 0);
    CHECK(strcmp(names(inner), "c: c:d fs:root:mnt fs:temp") == 0);
    CHECK(unreg(0, "fs:temp", 7) == 2);
    CHECK(strcmp(names(inner), "c: c:d fs:root:mnt") == 0);
    CHECK(strcmp(names(view), "a-b: a: b:>a: c: fs:root:mnt net:") == 0);
}

static bool deeper(int view, const char *uri)
{
    CHECK(find(view, uri) > 0);
    return match.deeper;
}

static void test_deeper(void)
{
    fresh();
    CHECK(reg(0, "fs:root", 1) == 0 && reg(0, "net:", 2) == 0 && reg(0, "netx", 3) == 0);
    CHECK(alias(0, "home:", "fs:root:home/") == 0);
    CHECK(!deeper(0, "fs:root:etc") && !deeper(0, "net:x") && !deeper(0, "home:x"));
    CHECK(alias(0, "home:mnt", "net:") == 0 && deeper(0, "home:x"));
    CHECK(!deeper(0, "fs:root:x") && !deeper(0, "home:mnt"));
    CHECK(unreg(0, "home:mnt", 7) == 0 && reg(0, "fs:root:mnt", 4) == 0);
    CHECK(deeper(0, "fs:root:x") && deeper(0, "fs:root") && deeper(0, "home:x"));
    CHECK(!deeper(0, "fs:root:mnt/x"));
    int view = name_view_create(table, 0, false, false);
    int inner = name_view_create(table, view, false, false);
    CHECK(hide(view, "net:raw") == 0);
    CHECK(!deeper(0, "net:x") && deeper(view, "net:x") && deeper(inner, "net:x"));
    CHECK(restrict_to(inner, "netx:a") == 0 && deeper(inner, "netx:a"));
}

int main(void)
{
    table = malloc(name_table_size());
    test_segments();
    test_register();
    test_aliases();
    test_plain_views();
    test_restricted();
    test_bound();
    test_rebound();
    test_drop();
    test_exhaustion();
    test_list();
    test_deeper();
    free(table);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
