/* Tests the cpio reader on archives built here, whole, cut at every byte, and spoiled. */

#include "abi/errno.h"
#include "lib/cpio.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition)                                                                             \
            passed++;                                                                              \
        else {                                                                                     \
            failed++;                                                                              \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

static char archive[4096];
static size_t length;

static void pad(void)
{
    while (length % 4 != 0)
        archive[length++] = 0;
}

/* extra: NULs behind the name's own. */
static void add(const char *name, const char *data, unsigned extra)
{
    size_t name_len = strlen(name) + 1 + extra;
    length += (size_t)sprintf(archive + length,
                              "070701%08x%08x%08x%08x%08x%08x%08zX%08x%08x%08x%08x%08zx%08x", 1,
                              0100755, 0, 0, 1, 0, strlen(data), 0, 0, 0, 0, name_len, 0);
    memset(archive + length, 0, name_len);
    memcpy(archive + length, name, strlen(name));
    length += name_len;
    pad();
    memcpy(archive + length, data, strlen(data));
    length += strlen(data);
    pad();
}

static void build(void)
{
    length = 0;
    add("init", "first", 0);
    add("blkd", "second file", 7);
    add("empty", "", 0);
    add("TRAILER!!!", "", 0);
}

static void test_whole(void)
{
    struct cpio_file file;
    size_t position = 0;

    build();
    CHECK(cpio_next(archive, length, &position, &file) == 1);
    CHECK(strcmp(file.name, "init") == 0 && file.name_len == 4);
    CHECK(file.size == 5 && memcmp(file.data, "first", 5) == 0);
    CHECK(file.mode == 0100755);
    CHECK(cpio_next(archive, length, &position, &file) == 1);
    CHECK(strcmp(file.name, "blkd") == 0 && file.size == 11);
    CHECK(memcmp(file.data, "second file", 11) == 0);
    CHECK(cpio_next(archive, length, &position, &file) == 1);
    CHECK(file.size == 0);
    CHECK(cpio_next(archive, length, &position, &file) == 0);

    CHECK(cpio_find(archive, length, "blkd", &file) == 0 && file.size == 11);
    CHECK(cpio_find(archive, length, "empty", &file) == 0);
    CHECK(cpio_find(archive, length, "blk", &file) == -ENOENT);
    CHECK(cpio_find(archive, length, "blkdd", &file) == -ENOENT);
    CHECK(cpio_find(archive, length, "", &file) == -ENOENT);
}

/* Cut anywhere, an archive ends in -EINVAL; the sanitizer sees a read behind the cut. */
static void test_cut(void)
{
    build();
    size_t last_header = length - 124; /* 110 + "TRAILER!!!" + NUL, padded */
    for (size_t cut = 0; cut < length - 1; cut++) {
        char *copy = malloc(cut + 1);
        struct cpio_file file;
        size_t position = 0;
        int result;
        memcpy(copy, archive, cut);
        while ((result = cpio_next(copy, cut, &position, &file)) > 0)
            CHECK((const char *)file.data + file.size <= copy + cut);
        CHECK(result == (cut < last_header + 121 ? -EINVAL : 0));
        free(copy);
    }
}

static void test_spoiled(void)
{
    struct cpio_file file;
    size_t position = 0;

    build();
    archive[5] = '9';
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL && position == 0);
    build();
    memcpy(archive + 6 + 6 * 8, "ffffffff", 8); /* file size */
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);
    build();
    memcpy(archive + 6 + 6 * 8, "0000000g", 8);
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);
    build();
    memcpy(archive + 6 + 11 * 8, "00000000", 8); /* name length */
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);
    build();
    memcpy(archive + 6 + 11 * 8, "00000004", 8); /* cuts off the NUL */
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);
    build();
    memcpy(archive + 6 + 11 * 8, "00000000", 8);
    archive[109] = '\0'; /* what a name of no bytes would end with */
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);

    build(); /* a good header behind the end of the archive */
    CHECK(cpio_next(archive, length, &position, &file) == 1);
    CHECK(cpio_next(archive, position - 1, &position, &file) == -EINVAL);
    position = length + 1;
    CHECK(cpio_next(archive, length, &position, &file) == -EINVAL);
    CHECK(cpio_find(archive, 0, "init", &file) == -EINVAL);
}

int main(void)
{
    test_whole();
    test_cut();
    test_spoiled();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
