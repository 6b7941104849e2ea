/* The descriptor table. */
#include "../file/fd.h"

#include "../../libcairn/test/check.h"
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"

static handle_t last_closed;

int64_t handle_close(handle_t handle)
{
    last_closed = handle;
    return 0;
}

void mutex_lock(struct mutex *mutex)
{
    CHECK(mutex->state == 0);
    mutex->state = 1;
}

void mutex_unlock(struct mutex *mutex)
{
    CHECK(mutex->state == 1);
    mutex->state = 0;
}

static struct descriptor with(handle_t handle)
{
    return (struct descriptor){.handle = handle};
}

int main(void)
{
    struct descriptor d = with(10), got;
    CHECK(fd_install(&d, 0) == 0);
    d = with(11);
    CHECK(fd_install(&d, 0) == 1);
    d = with(12);
    CHECK(fd_install(&d, 10) == 10);
    CHECK(fd_handle(1) == 11 && fd_handle(10) == 12);
    CHECK(fd_handle(2) == -EBADF && fd_handle(-1) == -EBADF && fd_handle(FD_MAX) == -EBADF);

    CHECK(fd_remove(0, &got) == 0 && got.handle == 10);
    CHECK(last_closed == 0); /* the handle is the caller's now */
    CHECK(fd_remove(0, &got) == -EBADF);
    d = with(13);
    CHECK(fd_install(&d, 0) == 0); /* the lowest free one again */

    d = with(14);
    CHECK(fd_place(&d, 1) == 1 && last_closed == 11);
    CHECK(fd_place(&d, FD_MAX) == -EBADF && fd_place(&d, -1) == -EBADF);

    CHECK(fd_get(1, &got) == 0);
    got.close_on_exec = true;
    CHECK(fd_update(1, &got) == 0);
    CHECK(fd_get(1, &d) == 0 && d.close_on_exec);
    got.handle = 99; /* the descriptor has been replaced meanwhile */
    CHECK(fd_update(1, &got) == -EBADF);
    CHECK(fd_handle(1) == 14);

    d = with(15);
    CHECK(fd_install(&d, -1) == -EINVAL && fd_install(&d, FD_MAX) == -EINVAL);
    while (fd_install(&d, 0) >= 0)
        ;
    CHECK(fd_install(&d, 0) == -EMFILE && fd_install(&d, 200) == -EMFILE);
    for (int fd = 0; fd < FD_MAX; fd++)
        CHECK(fd_handle(fd) > 0);
    return report();
}
