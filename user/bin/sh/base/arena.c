/* A stack of blocks from malloc; the top one is filled from below. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Under the address sanitizer each piece is a block of its own, so that it sees their borders. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define BLOCK_SIZE 0
#endif
#endif
#ifndef BLOCK_SIZE
#define BLOCK_SIZE 4000
#endif
#define ALIGNMENT 16ul

struct arena_block {
    struct arena_block *older;
    size_t used, size;
    _Alignas(16) char data[];
};

void *must_realloc(void *old, size_t size)
{
    static const char complaint[] = "sh: out of memory\n";
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL) {
        ssize_t ignored = write(STDERR_FILENO, complaint, sizeof(complaint) - 1);
        (void)ignored;
        _exit(2);
    }
    return memory;
}

void *must_malloc(size_t size)
{
    return must_realloc(NULL, size);
}

char *must_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(must_malloc(size), text, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t need = BLOCK_SIZE > 0 ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : size;
    struct arena_block *block = arena->block;

    if (block == NULL || block->size - block->used < need || BLOCK_SIZE == 0) {
        size_t room = need > BLOCK_SIZE ? need : BLOCK_SIZE;
        block = must_malloc(sizeof(*block) + room);
        *block = (struct arena_block){.older = arena->block, .size = room};
        arena->block = block;
    }
    void *memory = block->data + block->used;
    block->used += need;
    return memset(memory, 0, size);
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    memcpy(copy, text, len);
    return copy;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->block, arena->block != NULL ? arena->block->used : 0};
}

void arena_release(struct arena *arena, struct arena_mark mark)
{
    while (arena->block != mark.block) {
        struct arena_block *older = arena->block->older;
        free(arena->block);
        arena->block = older;
    }
    if (arena->block != NULL)
        arena->block->used = mark.used;
}

void arena_free(struct arena *arena)
{
    arena_release(arena, (struct arena_mark){NULL, 0});
}
