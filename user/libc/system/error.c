/* From the native convention (a negative error number) to POSIX's (-1, and errno). */
#include "../file/fd.h"

#include <errno.h>

__thread int errno;

int64_t libc_error(int64_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}
