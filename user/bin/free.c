/* free: the memory of the machine. */
#include "common/human.h"
#include "common/kernel_call.h"

static const char usage[] =
    "usage: free [-b | -k | -m | -h]\n"
    "Print total, used and free memory; what of it the kernel uses for its\n"
    "objects and page tables; and the largest free block.\n"
    "  -b -k -m  in bytes, KiB (the default), MiB\n"
    "  -h        in units for people\n";

static void cell(uint64_t bytes, int unit)
{
    char text[HUMAN_SIZE];
    if (unit == 'h')
        output_format("%12s", human_size(text, bytes));
    else
        output_format("%12llu", (unsigned long long)(bytes >> (unit == 'b'   ? 0
                                                               : unit == 'm' ? 20
                                                                             : 10)));
}

int main(int argc, char **argv)
{
    struct message m = {.type = KFACT_MEMORY};
    int option, unit = 'k';

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "bkmh")) != -1)
        unit = option;
    if (optind < argc)
        utility_misuse("no arguments are expected");
    must_call("sys:facts", &m);
    const struct memory_facts *facts = (const struct memory_facts *)&m.words[1];
    output_text("               total        used        free      kernel     largest\nMem:    ");
    cell(facts->total, unit);
    cell(facts->total - facts->free, unit);
    cell(facts->free, unit);
    cell(facts->kernel, unit);
    cell(facts->largest, unit);
    output_char('\n');
    return 0;
}
