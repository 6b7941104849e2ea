/* The spawn block: what the builder writes passes init's own check and reads back the same. */
#include "../spawn_block.h"

#include "../../../servers/init/core/block.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

static const char *string_at(const struct spawn_block *block, uint32_t offset)
{
    return (const char *)block + offset;
}

static struct spawn_block *build(const struct spawn_options *options, int64_t *size)
{
    *size = spawn_block_size(options);
    if (*size < 0)
        return NULL;
    struct spawn_block *block = malloc((size_t)*size); /* exactly: ASan sees a byte too many */
    spawn_block_build(block, (size_t)*size, options);
    return block;
}

static void test_full(void)
{
    const char *argv[] = {"ls", "-l", "", NULL}, *envp[] = {"PATH=/bin", NULL};
    struct spawn_handle handles[] = {{SPAWN_NAMESPACE, 5, 0, NULL},
                                     {SPAWN_FD(0), 6, 1, "console:"},
                                     {SPAWN_FD(1), 7, 2, NULL}};
    struct spawn_options options = {
        .argv = argv, .envp = envp, .cwd = "/home", .handles = handles, .handle_count = 3};
    int64_t size;
    struct spawn_block *block = build(&options, &size);
    CHECK(spawn_block_check(block, (size_t)size) == 0);
    CHECK(block->argc == 3 && block->envc == 1 && block->handle_count == 3);
    CHECK(strcmp(string_at(block, block->strings[0]), "ls") == 0);
    CHECK(strcmp(string_at(block, block->strings[1]), "-l") == 0);
    CHECK(strcmp(string_at(block, block->strings[2]), "") == 0);
    CHECK(strcmp(string_at(block, block->strings[3]), "PATH=/bin") == 0);
    CHECK(strcmp(string_at(block, block->cwd), "/home") == 0);
    CHECK(block->handles[1].id == SPAWN_FD(0) && block->handles[1].flags == 1);
    CHECK(strcmp(string_at(block, block->handles[1].name), "console:") == 0);
    CHECK(block->handles[0].name == 0 && block->handles[0].handle == 0);
    free(block);
}

static void test_empty(void)
{
    struct spawn_options options = {0};
    int64_t size;
    struct spawn_block *block = build(&options, &size);
    CHECK(size == sizeof *block);
    CHECK(spawn_block_check(block, (size_t)size) == 0);
    CHECK(block->argc == 0 && block->cwd == 0);
    free(block);
}

static void test_limits(void)
{
    enum { MOST = (SPAWN_BLOCK_MAX - sizeof(struct spawn_block)) / (4 + 2) };
    static const char *argv[MOST + 2];
    struct spawn_handle handles[SPAWN_HANDLES_MAX + 1] = {0};
    for (size_t i = 0; i <= MOST; i++)
        argv[i] = "x";
    struct spawn_options options = {.argv = argv};
    CHECK(spawn_block_size(&options) == -E2BIG);
    argv[MOST] = NULL;
    int64_t size;
    struct spawn_block *block = build(&options, &size);
    CHECK(block != NULL && block->argc == MOST && spawn_block_check(block, (size_t)size) == 0);
    free(block);
    options.handles = handles;
    options.handle_count = SPAWN_HANDLES_MAX + 1;
    CHECK(spawn_block_size(&options) == -E2BIG);

    char *large = malloc(SPAWN_BLOCK_MAX + 1);
    memset(large, 'a', SPAWN_BLOCK_MAX);
    large[SPAWN_BLOCK_MAX] = '\0';
    const char *one[] = {large, NULL};
    options = (struct spawn_options){.argv = one};
    CHECK(spawn_block_size(&options) == -E2BIG);
    large[SPAWN_BLOCK_MAX - sizeof(struct spawn_block) - 4 - 1] = '\0';
    CHECK(spawn_block_size(&options) == SPAWN_BLOCK_MAX);
    free(large);
}

int main(void)
{
    test_full();
    test_empty();
    test_limits();
    return report();
}
