/* The pipe protocol of piped on pipe:. The ends speak the file protocol (read, write, fstat, poll,
 * set_flags with FS_O_NONBLOCK, close). */
#pragma once

enum pipe_operation {
    PIPE_CREATE = 1, /* at most one word; result 0, handle 0 = read end, handle 1 = write end (the
                        same number with a path is FS_OPEN) */
};
#define PIPE_CAPACITY 65536 /* bytes */
#define PIPE_ATOMIC 4096    /* writes up to this are not interleaved */
