/* The boot archive: cpio in its "newc" format (as made by `cpio -H newc`), read where it lies in
 * memory. Pure; nothing outside [archive, archive + size) is ever read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cpio_file {
    const char *name; /* in the archive, NUL-terminated, as it was packed */
    size_t name_len;
    const uint8_t *data; /* in the archive; data - archive is a multiple of 4 */
    size_t size;         /* bytes */
    uint32_t mode;       /* type and permissions, as in st_mode */
};

/* cpio_next: the entry at *position (0 for the first) and moves *position behind it. 1, 0 at the
 * end of the archive, -EINVAL if the archive is damaged. */
int cpio_next(const void *archive, size_t size, size_t *position, struct cpio_file *file);

/* cpio_find: the first entry with this name. 0, -ENOENT, -EINVAL if damaged before it was found. */
int cpio_find(const void *archive, size_t size, const char *name, struct cpio_file *file);
