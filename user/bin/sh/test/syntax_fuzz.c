/* Any text: the parser ends, and what it understood means the same when it is written out and read
 * again. */
#include "../syntax/parser.h"
#include "../syntax/unparse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct text *script, struct text *text)
{
    struct parse parse = {
        .text = script->data, .len = script->len, .complete = true, .first_line = 1};
    struct arena arena = {0};
    enum parse_status status;
    while ((status = parse_line(&parse, &arena)) == PARSE_OK)
        if (parse.node != NULL)
            unparse(text, parse.node);
    if (status != PARSE_END) {
        fprintf(stderr, "does not parse again: %s\n%s\n", parse.message, script->data);
        abort();
    }
    arena_free(&arena);
}

static void check_round_trip(const struct node *node)
{
    struct text once = {0}, twice = {0}, brief = {0};
    unparse(&once, node);
    unparse_short(&brief, node);
    rewrite(&once, &twice);
    if (strcmp(once.data, twice.data) != 0) {
        fprintf(stderr, "first:\n%s\nthen:\n%s\n", once.data, twice.data);
        abort();
    }
    text_free(&once);
    text_free(&twice);
    text_free(&brief);
}

static void parse_all(const char *text, size_t len, bool complete)
{
    struct parse parse = {.text = text, .len = len, .complete = complete, .first_line = 1};
    enum parse_status status;
    do {
        struct arena arena = {0};
        size_t before = parse.at;
        status = parse_line(&parse, &arena);
        if (status == PARSE_OK && parse.node != NULL)
            check_round_trip(parse.node);
        if (status == PARSE_OK && parse.at == before)
            abort(); /* would never end */
        arena_free(&arena);
    } while (status == PARSE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size > 0 ? size : 1); /* no NUL behind it: reading on is seen */
    if (size > 0)
        memcpy(text, data, size);
    parse_all(text, size, true);
    parse_all(text, size, false);
    free(text);
    return 0;
}
