/* Random bytes, asked of randd, which answers as soon as it is seeded. */
#include "../file/fd.h"
#include "fsclient/fsclient.h"
#include "proto/rand.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define BYTES_A_CALL 240

static int64_t random_bytes(unsigned char *buffer, size_t len)
{
    char rest[FS_PATH_MAX];
    size_t done = 0;
    int tries = 0;
    while (done < len) {
        size_t n = len - done < BYTES_A_CALL ? len - done : BYTES_A_CALL;
        struct message m = {.type = RAND_GET, .len = 8};
        m.words[0] = n;
        handle_t server = fs_locate("random:", rest, sizeof rest);
        int64_t result = server < 0 ? server : channel_call(server, &m);
        if (result == 0)
            result = (int64_t)m.words[0];
        if (fs_retry("random:", result, tries++))
            continue;
        if (result >= 0 && m.len < 8 + n)
            result = -EPROTO;
        if (result < 0)
            return result;
        memcpy(buffer + done, m.data + 8, n);
        done += n;
    }
    return (int64_t)done;
}

ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    (void)flags;
    return libc_error(random_bytes(buffer, len));
}

int getentropy(void *buffer, size_t len)
{
    int64_t result = len > 256 ? -EIO : random_bytes(buffer, len);
    return (int)libc_error(result < 0 ? result : 0);
}
