/* Fuzz target: a frame of any content, described and filtered; an expression of any words. */
#include "decode.h"
#include "filter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned split(char *text, char **words, unsigned max)
{
    unsigned count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word && count < max;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return count;
}

/* The first byte says how long the expression is; the frame comes behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[128], expression[256] = "", *words[100];
    struct filter filter;
    struct frame frame;
    const char *problem;

    if (size < 1)
        return 0;
    size_t length = data[0] < size - 1 ? data[0] : size - 1;
    memcpy(expression, data + 1, length);
    bool usable = filter_compile(words, split(expression, words, 100), &filter, &problem) == NULL;
    size_t rest = size - 1 - length;
    uint8_t *copy = malloc(rest + 1);
    memcpy(copy, data + 1 + length, rest);
    decode(copy, rest, &frame);
    if (strlen(describe(&frame, line, sizeof(line))) >= sizeof(line))
        abort();
    if (usable)
        (void)filter_matches(&filter, &frame);
    free(copy);
    return 0;
}
