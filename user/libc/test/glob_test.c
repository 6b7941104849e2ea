/* glob, on a small tree made for the purpose. */
#include <glob.h>

#include "../../libcairn/test/check.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const made[] = {"d1/", "d2/", "d1/a.c", "d1/b.c", "d2/a.c", "file", ".hidden",
                                   "od[d]", "d1/.x", "z*"};

static void make_tree(void)
{
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        if (made[i][strlen(made[i]) - 1] == '/')
            mkdir(made[i], 0755);
        else
            close(open(made[i], O_CREAT | O_WRONLY, 0644));
    }
}

static void remove_tree(const char *directory)
{
    for (size_t i = sizeof made / sizeof made[0]; i-- > 0;)
        if (unlink(made[i]) < 0)
            rmdir(made[i]);
    if (chdir("/") == 0)
        rmdir(directory);
}

/* The matches, joined by spaces, or "!" and the error. */
static const char *match(const char *pattern, int flags)
{
    static char joined[256];
    glob_t result = {0};
    int error = glob(pattern, flags, NULL, &result);
    if (error) {
        snprintf(joined, sizeof joined, "!%d", error);
    } else {
        joined[0] = '\0';
        for (size_t i = 0; i < result.gl_pathc; i++)
            strcat(strcat(joined, i ? " " : ""), result.gl_pathv[i]);
        CHECK(result.gl_pathv[result.gl_pathc] == NULL);
    }
    globfree(&result);
    return joined;
}

static void test_patterns(void)
{
    char none[8];
    snprintf(none, sizeof none, "!%d", GLOB_NOMATCH);
    CHECK(strcmp(match("*", 0), "d1 d2 file od[d] z*") == 0);
    CHECK(strcmp(match("d?/*.c", 0), "d1/a.c d1/b.c d2/a.c") == 0);
    CHECK(strcmp(match("*/a.c", 0), "d1/a.c d2/a.c") == 0);
    CHECK(strcmp(match("d[2-9]/*", 0), "d2/a.c") == 0);
    CHECK(strcmp(match(".h*", 0), ".hidden") == 0);
    CHECK(strcmp(match("d1/.*", 0), "d1/. d1/.. d1/.x") == 0);
    CHECK(strcmp(match("d1/*", GLOB_PERIOD), "d1/.x d1/a.c d1/b.c") == 0);
    CHECK(strcmp(match("nothing*", 0), none) == 0);
    CHECK(strcmp(match("nothing*", GLOB_NOCHECK), "nothing*") == 0);
    CHECK(strcmp(match("file", 0), "file") == 0);
    CHECK(strcmp(match("file/", 0), none) == 0);
    CHECK(strcmp(match("absent", 0), none) == 0);
    CHECK(strcmp(match("od\\[d\\]", 0), "od[d]") == 0);
    CHECK(strcmp(match("od[d]", 0), none) == 0);
    CHECK(strcmp(match("z\\*", 0), "z*") == 0);
    CHECK(strcmp(match("d*", GLOB_MARK), "d1/ d2/") == 0);
    CHECK(strcmp(match("*/", 0), "d1/ d2/") == 0);
    CHECK(strcmp(match(".//d1//a*", 0), "./d1/a.c") == 0);
}

static void test_append(void)
{
    glob_t result = {.gl_offs = 2};
    CHECK(glob("d1", GLOB_DOOFFS, NULL, &result) == 0);
    CHECK(glob("f*", GLOB_DOOFFS | GLOB_APPEND, NULL, &result) == 0);
    CHECK(result.gl_pathc == 2);
    CHECK(!result.gl_pathv[0] && !result.gl_pathv[1]);
    CHECK(strcmp(result.gl_pathv[2], "d1") == 0 && strcmp(result.gl_pathv[3], "file") == 0);
    globfree(&result);
}

int main(void)
{
    char directory[] = "/tmp/globXXXXXX";
    if (!mkdtemp(directory) || chdir(directory) < 0)
        return 1;
    make_tree();
    test_patterns();
    test_append();
    remove_tree(directory);
    return report();
}
