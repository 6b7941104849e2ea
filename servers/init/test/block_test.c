/* Tests the check of spawn blocks: one good block, and every number in it spoiled. */

#include "abi/errno.h"
#include "check.h"
#include "init/core/block.h"
#include <stdlib.h>
#include <string.h>

#define OFFSETS 3 /* two arguments, one variable */
#define STRINGS "prog\0arg\0A=1\0/home\0fs:x"
#define FIRST   (sizeof(struct spawn_block) + OFFSETS * sizeof(uint32_t))
#define LENGTH  (FIRST + sizeof STRINGS)

static union {
    struct spawn_block block;
    char bytes[SPAWN_BLOCK_MAX + 8];
} u;

static void build(void)
{
    memset(&u, 0, sizeof u);
    u.block.magic = SPAWN_MAGIC;
    u.block.length = LENGTH;
    u.block.argc = 2;
    u.block.envc = 1;
    u.block.handle_count = 3;
    u.block.strings[0] = FIRST;
    u.block.strings[1] = FIRST + 5;
    u.block.strings[2] = FIRST + 9;
    u.block.cwd = FIRST + 13;
    u.block.handles[0] = (struct spawn_entry){.id = SPAWN_FD(0), .name = FIRST + 19};
    u.block.handles[1] = (struct spawn_entry){.id = SPAWN_NAMESPACE};
    u.block.handles[2] = (struct spawn_entry){.id = SPAWN_ENDPOINT + 4};
    memcpy(u.bytes + FIRST, STRINGS, sizeof STRINGS);
}

/* Checks a copy of exact size, so that the sanitizer sees a read behind its end. */
static int check(size_t len)
{
    void *copy = malloc(len + (len == 0));
    memcpy(copy, &u, len);
    int result = spawn_block_check(copy, len);
    free(copy);
    return result;
}

static void test_good(void)
{
    build();
    CHECK(check(LENGTH) == 0);
    u.block.cwd = 0;
    u.block.handles[0].id = SPAWN_FD(255);
    u.block.handles[1].id = SPAWN_DEVICE;
    u.block.handles[2].id = SPAWN_DEVICE; /* several of these are fine */
    CHECK(check(LENGTH) == 0);
    memset(&u, 0, sizeof u); /* nothing at all */
    u.block.magic = SPAWN_MAGIC;
    u.block.length = sizeof u.block;
    CHECK(check(sizeof u.block) == 0);
}

static void test_spoiled(void)
{
    struct {
        uint32_t *field;
        uint32_t value;
        int error;
    } cases[] = {
        {&u.block.magic, 0, -EINVAL},
        {&u.block.length, LENGTH - 1, -EINVAL},
        {&u.block.argc, UINT32_MAX, -EINVAL},
        {&u.block.argc, SPAWN_BLOCK_MAX / 4, -EINVAL},
        {&u.block.argc, 3, -EINVAL},
        {&u.block.envc, 2, -EINVAL},
        {&u.block.envc, UINT32_MAX, -EINVAL},
        {&u.block.envc, UINT32_MAX / 4, -EINVAL},
        {&u.block.handle_count, SPAWN_HANDLES_MAX + 1, -E2BIG},
        {&u.block.handle_count, 4, -EINVAL}, /* an entry with id 0 */
        {&u.block.strings[0], 0, -EINVAL},
        {&u.block.strings[0], FIRST - 1, -EINVAL},
        {&u.block.strings[1], LENGTH, -EINVAL},
        {&u.block.strings[2], UINT32_MAX, -EINVAL},
        {&u.block.cwd, 1, -EINVAL},
        {&u.block.cwd, LENGTH, -EINVAL},
        {&u.block.handles[0].name, 1, -EINVAL},
        {&u.block.handles[0].name, LENGTH, -EINVAL},
        {&u.block.handles[0].id, 0, -EINVAL},
        {&u.block.handles[0].id, SPAWN_FD(256), -EINVAL},
        {&u.block.handles[0].id, SPAWN_FD(0) - 1, -EINVAL},
        {&u.block.handles[0].id, SPAWN_ENDPOINT, -EINVAL},
        {&u.block.handles[0].id, SPAWN_ENDPOINT + 5, -EINVAL},
        {&u.block.handles[1].id, SPAWN_FD(0), -EINVAL}, /* twice */
        {&u.block.handles[2].id, SPAWN_NAMESPACE, -EINVAL},
        {&u.block.handles[1].id, SPAWN_ENDPOINT + 4, -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        build();
        *cases[i].field = cases[i].value;
        if (check(LENGTH) != cases[i].error)
            printf("case %zu: %d\n", i, check(LENGTH));
        CHECK(check(LENGTH) == cases[i].error);
    }
    build();
    u.bytes[LENGTH - 1] = 'x'; /* the last string does not end */
    CHECK(check(LENGTH) == -EINVAL);
    for (size_t len = 0; len < LENGTH; len++) {
        build();
        if (len >= sizeof u.block)
            u.block.length = (uint32_t)len;
        CHECK(check(len) != 0 || len == 0);
    }
    build();
    u.block.length = SPAWN_BLOCK_MAX;
    CHECK(check(SPAWN_BLOCK_MAX) == 0);
    u.block.length = SPAWN_BLOCK_MAX + 1;
    CHECK(check(SPAWN_BLOCK_MAX + 1) == -E2BIG);
}

int main(void)
{
    test_good();
    test_spoiled();
    return check_report();
}
