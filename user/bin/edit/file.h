/* Files in and out of a buffer. */
#pragma once

#include "buffer.h"

/* file_load: replaces the text by a file's. 0, -ENOENT (the text is then empty: a new file), or
 * another -errno, and the text is as before. */
int file_load(struct buffer *buffer, const char *path);

/* file_save: writes the text. The old file stays until the new one is complete on the medium, where
 * the kind of file allows it. On -errno the old file and the text are as before; a file that is no
 * regular one may have been written in part. */
int file_save(const struct buffer *buffer, const char *path);
