/* System calls with the arguments that the host chose, good and bad. */
#include "abi/memory.h"
#include "lib/work.h"
#include <string.h>

#define RESULTS 2048
#define BUFFER  0x8000

/* An argument is two words: how it is meant, and a number. */
enum {
    ARGUMENT_VALUE,
    ARGUMENT_BUFFER,
    ARGUMENT_RESULT,
    ARGUMENT_CHANGED,
    ARGUMENT_SELF,
    ARGUMENT_BEHIND
};

static uint8_t buffer[BUFFER] __attribute__((aligned(4096)));
static int64_t results[RESULTS];

/* Loads x1..x31 (but gp and tp) from `in`, makes a system call, and stores them to `out`. */
void call_with(const uint64_t in[32], uint64_t out[32]);
asm(".pushsection .text.call_with, \"ax\", @progbits\n"
    ".macro other_registers op, base\n"
    ".irp n, 1,2,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    \\op x\\n, 8*\\n(\\base)\n"
    ".endr\n"
    ".endm\n"
    "call_with:\n"
    "    addi sp, sp, -256\n"
    "    other_registers sd, sp\n"
    "    sd gp, 8*3(sp)\n"
    "    sd tp, 8*4(sp)\n"
    "    mv gp, sp\n"
    "    mv tp, a0\n"
    "    other_registers ld, tp\n"
    "    ecall\n"
    "    ld tp, 8*11(gp)\n"
    "    other_registers sd, tp\n"
    "    mv a0, gp\n"
    "    ld gp, 8*3(a0)\n"
    "    ld tp, 8*4(a0)\n"
    "    mv t0, a0\n"
    "    .irp n, 1,8,9,18,19,20,21,22,23,24,25,26,27\n"
    "    ld x\\n, 8*\\n(t0)\n"
    "    .endr\n"
    "    addi sp, t0, 256\n"
    "    ret\n"
    ".popsection");

static uint64_t argument(handle_t self)
{
    uint64_t kind = test_next(), number = test_next();
    switch (kind) {
    case ARGUMENT_BUFFER:
        return (uint64_t)buffer + number;
    case ARGUMENT_RESULT:
        return (uint64_t)results[number];
    case ARGUMENT_CHANGED: /* a result with changed bits */
        return (uint64_t)(results[number & 0xffff] ^ (int64_t)(number >> 16));
    case ARGUMENT_BEHIND: /* an address so far behind a result */
        return (uint64_t)results[number & 0xffff] + (number >> 16);
    case ARGUMENT_SELF:
        return (uint64_t)self;
    }
    return number;
}

int64_t first_main(const void *passed, struct ipc_page *page)
{
    const struct first_process_info *info = passed;
    uint64_t in[32], out[32];
    (void)page;
    test_begin(passed, "calls");
    for (unsigned count = 0; test_more(); count++) {
        uint64_t seed = test_next();
        for (int n = 1; n < 32; n++)
            in[n] = seed = seed * 6364136223846793005u + 1442695040888963407u;
        in[17] = test_next();
        for (int n = 10; n < 16; n++)
            in[n] = argument(info->self);
        memset(buffer, 'a' + count % 26, sizeof(buffer));
        call_with(in, out);
        uint64_t changed = 0;
        for (unsigned n = 1; n < 32; n++)
            changed |= n != 3 && n != 4 && n != 10 && in[n] != out[n] ? 1ul << n : 0;
        results[count % RESULTS] = (int64_t)out[10];
        say("result %ld 0x%lx\n", (long)out[10], (unsigned long)changed);
    }
    test_end();
    return 0;
}
