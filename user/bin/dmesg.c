/* dmesg: the kernel's log. */
#include "common/kernel_call.h"

static const char usage[] = "usage: dmesg\n"
                            "Print what is left of the kernel log; the oldest part is overwritten\n"
                            "when it is full.\n";

int main(int argc, char **argv)
{
    uint64_t offset = 0;

    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind < argc)
        utility_misuse("no arguments are expected");
    for (;;) {
        struct message m = {.type = KCON_LOG, .len = 8};
        m.words[0] = offset;
        int64_t n = kernel_call("sys:console", &m);
        if (n == -ENODATA && m.words[1] > offset) {
            offset = m.words[1];
            continue;
        }
        if (n < 0)
            errx(1, "sys:console: %s", strerror((int)-n));
        if (n == 0)
            return 0;
        output_write(&m.words[1], (size_t)n);
        offset += (uint64_t)n;
    }
}
