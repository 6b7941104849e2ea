/* fread. Each of these has a file of its own, so that it replaces just its namesake. */
#include "bulk.h"

size_t fread(void *restrict buffer, size_t size, size_t count, FILE *restrict file)
{
    struct __file_bufio *stream = bulk_of(file);
    size_t bytes, done = 0;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes) || !(file->flags & __SRD))
        return 0;
    if (stream) {
        done = bulk_read(stream, buffer, bytes);
    } else {
        int c;
        while (done < bytes && (c = fgetc(file)) != EOF)
            ((char *)buffer)[done++] = (char)c;
    }
    return size == 1 ? done : done / size;
}
