/* Lab 2's first process: says that it is there, and ends. */
#include "../first.h"

int64_t first_main(const void *argument, struct ipc_page *page)
{
    const struct first_process_info *info = argument;
    (void)page;
    say("first process: pid %ld, archive of %lu bytes\n", (long)process_self(),
        (unsigned long)info->archive_size);
    return 0;
}
