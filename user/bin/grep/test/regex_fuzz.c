/* Any pattern over any text: both ways of matching must agree, within the text. */
#include "../regex.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: one byte of flags, the pattern, a newline, the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 512)
        return 0;
    const char *pattern_text = (const char *)data + 1;
    const char *newline = memchr(pattern_text, '\n', size - 1);
    if (newline == NULL)
        return 0;
    struct regex_pattern pattern = {pattern_text, (size_t)(newline - pattern_text)};
    size_t length = size - 2 - pattern.length, start, end;
    struct regex *regex;
    if (regex_compile(&regex, &pattern, 1, data[0] % 32) != NULL)
        return 0;
    bool found = regex_find(regex, newline + 1, length, 0, &start, &end);
    if (found != regex_test(regex, newline + 1, length) || (found && (start > end || end > length)))
        abort();
    if (found && !regex_test(regex, newline + 1, length))
        abort();
    regex_free(regex);
    return 0;
}
