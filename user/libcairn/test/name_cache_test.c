/* The name cache: what it learns from an answer, what it answers, what it gives back. */
#include "cairn/name_cache.h"

#include "abi/errno.h"
#include "check.h"
#include <string.h>

static struct name_cache cache;

static handle_t find(const char *uri, const char *expected_rest)
{
    char rest[240] = "?";
    handle_t handle = name_cache_find(&cache, uri, rest, sizeof rest);
    if (handle > 0)
        CHECK(strcmp(rest, expected_rest) == 0);
    return handle;
}

static void test_prefix(void)
{
    cache = (struct name_cache){0};
    CHECK(find("fs:root:etc", "") == 0);
    CHECK(name_cache_add(&cache, "fs:root:etc/motd", "etc/motd", 7, false) == 0);
    CHECK(find("fs:root:etc/motd", "etc/motd") == 7);
    CHECK(find("fs:root:bin/sh", "bin/sh") == 7);
    CHECK(find("fs:root:", "") == 7);
    CHECK(find("fs:rootkit:x", "") == 0);
    CHECK(find("fs:roo", "") == 0);
}

static void test_exact(void)
{
    cache = (struct name_cache){0};
    CHECK(name_cache_add(&cache, "fs:root", "", 3, false) == 0);
    CHECK(find("fs:root", "") == 3);
    CHECK(find("fs:root:etc", "") == 0);
    CHECK(find("fs:rootkit", "") == 0);
    CHECK(name_cache_add(&cache, "net:", "", 4, false) == 0);
    CHECK(find("net:", "") == 4);
    CHECK(find("net:tcp", "tcp") == 4);
    CHECK(find("network:", "") == 0);
}

/* home:/ is an alias of fs:root:home/ */
static void test_alias(void)
{
    cache = (struct name_cache){0};
    CHECK(name_cache_add(&cache, "home:/a", "home/a", 5, false) == 0);
    CHECK(find("home:/b/c", "home/b/c") == 5);
    CHECK(find("home:b", "") == 0);
    /* a rest whose end looks like the uri's, but not from a segment's start */
    CHECK(name_cache_add(&cache, "x:ab", "cab", 6, false) == 0);
    CHECK(find("x:ab", "cab") == 6);
    CHECK(find("x:zz", "") == 0);
}

/* A '/' behind a prefix: a server's own gets it, an alias swallows it. */
static void test_slashes(void)
{
    cache = (struct name_cache){0};
    CHECK(name_cache_add(&cache, "b:", "", 5, false) == 0);
    CHECK(find("b:x/y", "x/y") == 5);
    CHECK(find("b:/", "") == 0);
    CHECK(find("b:/x", "") == 0);
    CHECK(name_cache_add(&cache, "b:/", "", 5, false) == 0);
    CHECK(find("b:/", "") == 5);
    CHECK(find("b:/x", "x") == 5);
    CHECK(find("b://x", "") == 0);
    CHECK(name_cache_add(&cache, "fs:root:/etc", "/etc", 6, false) == 0);
    CHECK(find("fs:root:/bin", "/bin") == 6);
    CHECK(find("fs:root://bin", "//bin") == 6);
    CHECK(find("fs:root:bin", "bin") == 6);
}

/* A longer prefix beats a shorter one, and "deeper" keeps a prefix from being assumed. */
static void test_longest_and_deeper(void)
{
    cache = (struct name_cache){0};
    CHECK(name_cache_add(&cache, "fs:root:a", "a", 1, true) == 0);
    CHECK(find("fs:root:a", "a") == 1);
    CHECK(find("fs:root:b", "") == 0);
    CHECK(name_cache_add(&cache, "fs:root:b", "b", 2, false) == 0);
    CHECK(name_cache_add(&cache, "fs:root:mnt/x", "x", 3, false) == 0);
    CHECK(find("fs:root:mnt/y", "y") == 3);
    CHECK(find("fs:root:c", "c") == 2);
    CHECK(find("fs:root:a", "a") == 1);
}

static void test_limits(void)
{
    char uri[240], rest[240], small[4];
    cache = (struct name_cache){0};
    memset(uri, 'u', sizeof uri);
    uri[120] = ':';
    strcpy(uri + 121, "tail");
    CHECK(name_cache_add(&cache, uri, "tail", 9, false) == 9); /* prefix too long to keep */
    CHECK(name_cache_add(&cache, "", "", 9, false) == 9);
    CHECK(name_cache_add(&cache, "a:", "", 4, false) == 0);
    CHECK(name_cache_find(&cache, "a:long", small, sizeof small) == -ENAMETOOLONG);
    CHECK(name_cache_find(&cache, "a:abc", small, sizeof small) == 4);
    memset(rest, 'r', sizeof rest);
    rest[200] = '\0';
    CHECK(name_cache_add(&cache, "b", rest, 8, false) == 8); /* head too long */
}

static void test_replacement(void)
{
    char uri[16], rest[240];
    cache = (struct name_cache){0};
    for (int i = 0; i < NAME_CACHE_ENTRIES; i++) {
        snprintf(uri, sizeof uri, "n%d:", i);
        CHECK(name_cache_add(&cache, uri, "", 100 + i, false) == 0);
    }
    CHECK(find("n0:x", "x") == 100); /* now n1 is the oldest */
    CHECK(name_cache_add(&cache, "new:", "", 200, false) == 101);
    CHECK(find("n1:x", "") == 0);
    CHECK(find("n0:x", "x") == 100);
    name_cache_pin(&cache, "n2:");
    CHECK(name_cache_add(&cache, "newer:", "", 201, false) == 0); /* n2 went, but stays open */
    CHECK(name_cache_find(&cache, "n2:", rest, sizeof rest) == 0);
}

static void test_drop(void)
{
    cache = (struct name_cache){0};
    name_cache_add(&cache, "a:", "", 1, false);
    name_cache_add(&cache, "b:", "", 2, false);
    name_cache_add(&cache, "c:", "", 3, false);
    name_cache_pin(&cache, "c:");
    CHECK(name_cache_drop(&cache, "a:x") == 1);
    CHECK(name_cache_drop(&cache, "a:x") == -ENOENT);
    CHECK(name_cache_drop(&cache, "c:x") == 0);
    CHECK(name_cache_drop(&cache, NULL) == 2);
    CHECK(name_cache_drop(&cache, NULL) == -ENOENT);
}

int main(void)
{
    test_prefix();
    test_exact();
    test_alias();
    test_slashes();
    test_longest_and_deeper();
    test_limits();
    test_replacement();
    test_drop();
    return report();
}
