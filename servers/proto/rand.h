/* randd on random:. FS_READ on an opened file gives random bytes; this gives them in one call. */
#pragma once

enum random_operation {
    RAND_GET = 64, /* word 0 = n <= 240: n bytes behind the result; waits until seeded */
};
