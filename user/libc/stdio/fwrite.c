/* fwrite. */
#include "bulk.h"

size_t fwrite(const void *restrict buffer, size_t size, size_t count, FILE *restrict file)
{
    struct __file_bufio *stream = bulk_of(file);
    size_t bytes, done = 0;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes) || !(file->flags & __SWR))
        return 0;
    if (stream) {
        done = bulk_write(stream, buffer, bytes);
    } else {
        while (done < bytes && fputc(((const char *)buffer)[done], file) != EOF)
            done++;
    }
    return size == 1 ? done : done / size;
}
