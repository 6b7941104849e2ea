/* The pipe protocol of piped on pipe:. The ends speak the file protocol (read, write, fstat). */
#pragma once

enum pipe_operation {
    PIPE_CREATE = 1, /* result 0, handle 0 = read end, handle 1 = write end */
};
#define PIPE_CAPACITY 65536 /* bytes */
#define PIPE_ATOMIC 4096    /* writes up to this are not interleaved */
