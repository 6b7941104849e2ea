/* fgets. */
#include "bulk.h"

#include <string.h>

char *fgets(char *restrict line, int size, FILE *restrict file)
{
    struct __file_bufio *stream = bulk_of(file);
    size_t len = 0, room = size > 0 ? (size_t)size - 1 : 0;
    if (size <= 0)
        return NULL;
    while (len < room) {
        size_t ready = 0;
        const char *from = stream ? bulk_peek(stream, &ready) : NULL;
        if (ready == 0) {
            int c = fgetc(file);
            if (c == EOF && (len == 0 || ferror(file)))
                return NULL;
            if (c == EOF)
                break;
            line[len++] = (char)c;
            if (c == '\n')
                break;
            continue;
        }
        size_t part = ready < room - len ? ready : room - len;
        const char *end = memchr(from, '\n', part);
        if (end)
            part = (size_t)(end - from) + 1;
        memcpy(line + len, from, part);
        bulk_skip(stream, part);
        len += part;
        if (end)
            break;
    }
    line[len] = '\0';
    return room > 0 ? line : NULL;
}
