/* Reads cpio "newc" archives in memory: a header of 13 hexadecimal numbers in ASCII, the name, the
 * data, each padded to 4 bytes; the entry TRAILER!!! ends it. */

#include "lib/cpio.h"
#include "abi/errno.h"
#include <stdbool.h>

enum { MAGIC_LEN = 6, FIELD_LEN = 8, HEADER_LEN = MAGIC_LEN + 13 * FIELD_LEN };
enum { FIELD_MODE = 1, FIELD_SIZE = 6, FIELD_NAME_LEN = 11 /* with the NUL */ };

static bool read_field(const char *header, unsigned field, uint32_t *value)
{
    const char *digits = header + MAGIC_LEN + field * FIELD_LEN;
    uint32_t number = 0;
    for (unsigned i = 0; i < FIELD_LEN; i++) {
        char c = digits[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return false;
        number = number << 4 | digit;
    }
    *value = number;
    return true;
}

/* Advances *position over len bytes and the padding behind them; the padding of the very last
 * entry may be missing. */
static bool skip(size_t *position, size_t len, size_t size)
{
    if (len > size - *position)
        return false;
    size_t end = *position + len;
    size_t padding = -end & 3;
    *position = padding > size - end ? size : end + padding;
    return true;
}

int cpio_next(const void *archive, size_t size, size_t *position, struct cpio_file *file)
{
    const char *bytes = archive;
    size_t at = *position;
    uint32_t mode, data_len, name_len;

    if (at > size || size - at < HEADER_LEN)
        return -EINVAL;
    const char *header = bytes + at;
    if (__builtin_memcmp(header, "070701", MAGIC_LEN) != 0 &&
        __builtin_memcmp(header, "070702", MAGIC_LEN) != 0)
        return -EINVAL;
    if (!read_field(header, FIELD_MODE, &mode) || !read_field(header, FIELD_SIZE, &data_len) ||
        !read_field(header, FIELD_NAME_LEN, &name_len) || name_len == 0)
        return -EINVAL;

    at += HEADER_LEN;
    size_t name_at = at;
    if (!skip(&at, name_len, size) || bytes[name_at + name_len - 1] != '\0')
        return -EINVAL;
    size_t data_at = at;
    if (!skip(&at, data_len, size))
        return -EINVAL;

    /* A name may be followed by more than one NUL: some tools align the data that way. */
    const char *name = bytes + name_at;
    if (__builtin_strcmp(name, "TRAILER!!!") == 0)
        return 0;

    file->name = name;
    file->name_len = __builtin_strlen(name);
    file->data = (const uint8_t *)bytes + data_at;
    file->size = data_len;
    file->mode = mode;
    *position = at;
    return 1;
}

int cpio_find(const void *archive, size_t size, const char *name, struct cpio_file *file)
{
    size_t position = 0;
    int found;
    while ((found = cpio_next(archive, size, &position, file)) > 0)
        if (__builtin_strcmp(file->name, name) == 0)
            return 0;
    return found < 0 ? found : -ENOENT;
}
