/* Fuzzes the cpio reader: it must end, and every file must lie inside the archive. */

#include "lib/cpio.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_file file;
    size_t position = 0, before = 0;

    while (cpio_next(data, size, &position, &file) > 0) {
        if (position <= before || file.data < data || file.size > size ||
            file.data + file.size > data + size || strlen(file.name) != file.name_len)
            abort();
        before = position;
    }
    cpio_find(data, size, "init", &file);
    return 0;
}
