/* Folding of paths and URIs. */
#include "../file/path.h"

#include "../../libcairn/test/check.h"
#include "abi/errno.h"
#include <string.h>

static void test_table(void)
{
    static const struct {
        const char *cwd, *path, *absolute, *uri;
    } cases[] = {
        {"/", "/etc/motd", "/etc/motd", "fs:root:etc/motd"},
        {"/", "/", "/", "fs:root:"},
        {"/home", "a", "/home/a", "fs:root:home/a"},
        {"/home", ".", "/home", "fs:root:home"},
        {"/home", "..", "/", "fs:root:"},
        {"/home/x", "../y/./z//", "/home/y/z", "fs:root:home/y/z"},
        {"/", "../../..", "/", "fs:root:"},
        {"/a/b", "../../../c", "/c", "fs:root:c"},
        {"/a", "/b//c/../d/", "/b/d", "fs:root:b/d"},
        {"/a", "b..c/.d", "/a/b..c/.d", "fs:root:a/b..c/.d"},
        {"/a", "fs:temp:x/../y", "fs:temp:y", "fs:temp:y"},
        {"/a", "fs:temp:../../y", "fs:temp:y", "fs:temp:y"},
        {"/a", "proc:12:memory", "proc:12:memory", "proc:12:memory"},
        {"/a", "time:", "time:", "time:"},
        {"fs:temp:", "x", "fs:temp:x", "fs:temp:x"},
        {"fs:temp:d/e", "..", "fs:temp:d", "fs:temp:d"},
        {"fs:temp:d", "../..", "fs:temp:", "fs:temp:"},
        {"fs:temp:d", "/etc", "/etc", "fs:root:etc"},
        {"home:/", "a", "home:a", "home:a"},
        {"/a", "./b:c", "/a/b:c", "fs:root:a/b:c"},
        {"/a", ":x", "/a/:x", "fs:root:a/:x"},
        {"", "x", "/x", "fs:root:x"},
        {"/", "/dev/null", "/dev/null", "null:"},
        {"/", "dev/zero", "/dev/zero", "zero:"},
        {"/dev", "urandom", "/dev/urandom", "random:"},
        {"/", "sys:clock", "sys:clock", "time:"},
        {"/", "sys:clocks", "sys:clocks", "sys:clocks"},
        {"/dev", "nul", "/dev/nul", "fs:root:dev/nul"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        CHECK(path_absolute(cases[i].cwd, cases[i].path, out, sizeof out) == 0);
        CHECK(strcmp(out, cases[i].absolute) == 0);
        CHECK(path_to_uri(cases[i].cwd, cases[i].path, out, sizeof out) == 0);
        CHECK(strcmp(out, cases[i].uri) == 0);
    }
}

static void test_errors(void)
{
    char out[12];
    CHECK(path_absolute("/", "", out, sizeof out) == -ENOENT);
    CHECK(path_absolute("/", "/0123456789", out, sizeof out) == 0);
    CHECK(path_absolute("/", "/01234567890", out, sizeof out) == -ENAMETOOLONG);
    CHECK(path_absolute("/0123456789x", "a", out, sizeof out) == -ENAMETOOLONG);
    CHECK(path_absolute("/", "0123456789ab:", out, sizeof out) == -ENAMETOOLONG);
    CHECK(path_to_uri("/", "/abc", out, sizeof out) == 0);
    CHECK(path_to_uri("/", "/abcd", out, sizeof out) == -ENAMETOOLONG);
    CHECK(path_to_uri("/", "sys:facts", out, sizeof out) == -ENAMETOOLONG);
}

static void test_is_uri(void)
{
    CHECK(path_is_uri("fs:root:x"));
    CHECK(path_is_uri("time:"));
    CHECK(!path_is_uri("/a:b"));
    CHECK(!path_is_uri("a/b:c"));
    CHECK(!path_is_uri(":a"));
    CHECK(!path_is_uri("plain"));
    CHECK(!path_is_uri(""));
}

int main(void)
{
    test_table();
    test_errors();
    test_is_uri();
    return report();
}
