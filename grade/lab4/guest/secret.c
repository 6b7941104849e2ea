/* Prints a word that the host has written into this very copy of the program, and its arguments. */
#include <stdint.h>
#include <stdio.h>

static const volatile uint64_t payload[8] = {0x6461706e72696163, 0x2164616f6c796170};

int main(int argc, char **argv)
{
    printf("%llx", (unsigned long long)payload[0]);
    for (int i = 1; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    return (int)(payload[1] & 0x7f);
}
