/* Puppets: see puppet.h. */
#include "puppet.h"
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CODE_ADDRESS 0x100000ul
#define STACK_TOP 0x400000ul
#define STACK_SIZE 0x4000ul
#define MILLISECOND 1000000ul

/* s0 = the next step, s1 = steps left, s2 = the result of the last. Registers of a step are at
 * 8 * n: a0..a7 at 0, t0 at 64, previous at 72, results at 80, result_t0 at 144, done at 152. */
_Static_assert(sizeof(struct step) == 160, "puppet_code knows these offsets");
asm(".section .rodata\n"
    ".balign 8\n"
    ".global puppet_code, puppet_code_end\n"
    "puppet_code:\n"
    "  ld s1, 0(a0)\n"     /* word 0 of the script page: how many */
    "  addi s0, a0, 160\n" /* the steps follow at the second slot */
    "  li s2, 0\n"
    "1:\n"
    "  beqz s1, 3f\n"
    "  ld s3, 72(s0)\n"
    ".irp n, 0,1,2,3,4,5,6,7\n"
    "  ld a\\n, 8*\\n(s0)\n"
    "  srli s4, s3, \\n\n"
    "  andi s4, s4, 1\n"
    "  beqz s4, 2f\n"
    "  mv a\\n, s2\n"
    "2:\n"
    ".endr\n"
    "  ld t0, 64(s0)\n"
    "  ecall\n"
    "  mv s2, a0\n"
    ".irp n, 0,1,2,3,4,5,6,7\n"
    "  sd a\\n, 80+8*\\n(s0)\n"
    ".endr\n"
    "  sd t0, 144(s0)\n"
    "  li t1, 1\n"
    "  fence w, w\n"
    "  sd t1, 152(s0)\n"
    "  addi s0, s0, 160\n"
    "  addi s1, s1, -1\n"
    "  j 1b\n"
    "3:\n"
    "  li a7, 0x32\n" /* recv on nothing, for ever */
    "  li a6, 0\n"
    "  li t0, 0\n"
    "  ecall\n"
    "  j 3b\n"
    "puppet_code_end:\n"
    ".text\n");
extern const char puppet_code[], puppet_code_end[];
_Static_assert(SYS_recv == 0x32, "puppet_code ends in recv");

/* A new object of size bytes, mapped here and in the puppet. */
static void *share(struct puppet *puppet, uint64_t address, uint64_t size, uint32_t prot)
{
    handle_t memory = (handle_t)memory_create(size, 0);
    if (memory < 0)
        return NULL;
    int64_t here = memory_map(0, memory, 0, 0, size, PROT_READ | PROT_WRITE);
    int64_t there = memory_map(puppet->process, memory, address, 0, size, prot);
    handle_close(memory);
    return here > 0 && there > 0 ? (void *)here : NULL;
}

bool puppet_new(struct puppet *puppet, const char *name, const struct process_quota *quota)
{
    memset(puppet, 0, sizeof(*puppet));
    puppet->process = (handle_t)process_create(name, strlen(name), quota);
    if (puppet->process < 0)
        return false;
    char *code = share(puppet, CODE_ADDRESS, PAGE_SIZE, PROT_READ | PROT_EXEC);
    char *script = share(puppet, PUPPET_SCRIPT, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE);
    char *stack = share(puppet, STACK_TOP - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE);
    if (!code || !script || !stack)
        return false;
    memcpy(code, puppet_code, (size_t)(puppet_code_end - puppet_code));
    asm volatile("fence.i" ::: "memory");
    memory_unmap(0, (uint64_t)code, PAGE_SIZE); /* the puppet's mapping keeps them */
    memory_unmap(0, (uint64_t)stack, STACK_SIZE);
    puppet->steps = (volatile struct step *)script;
    puppet->data = (volatile uint8_t *)script + PAGE_SIZE;
    return true;
}

handle_t puppet_give(struct puppet *puppet, handle_t handle, uint32_t rights)
{
    return (handle_t)process_grant(puppet->process, handle, rights, 0);
}

static volatile struct step *next_step(struct puppet *puppet)
{
    volatile struct step *step = &puppet->steps[1 + puppet->count++];
    puppet->steps[0].a[0] = puppet->count;
    return step;
}

unsigned puppet_step(struct puppet *puppet, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3, uint64_t a4, uint64_t a5)
{
    volatile struct step *step = next_step(puppet);
    const uint64_t a[8] = {a0, a1, a2, a3, a4, a5, 0, number};
    for (int i = 0; i < 8; i++)
        step->a[i] = a[i];
    return puppet->count - 1;
}

unsigned puppet_call(struct puppet *puppet, handle_t channel, uint32_t type, uint64_t word)
{
    return puppet_step(puppet, SYS_call, (uint64_t)channel, TAG(type, 8, 0, 0, 0), word, 0, 0, 0);
}

unsigned puppet_recv(struct puppet *puppet, handle_t channel)
{
    unsigned index = puppet_step(puppet, SYS_recv, 0, 0, 0, 0, 0, 0);
    puppet->steps[1 + index].a[6] = (uint64_t)channel;
    return index;
}

unsigned puppet_reply(struct puppet *puppet, uint64_t word)
{
    unsigned index = puppet_step(puppet, SYS_reply, 0, TAG(0x80, 8, 0, 0, 0), word, 0, 0, 0);
    puppet->steps[1 + index].previous = 1;
    return index;
}

unsigned puppet_reply_recv(struct puppet *puppet, handle_t channel, uint64_t word)
{
    unsigned index = puppet_step(puppet, SYS_reply_recv, 0, TAG(0x80, 8, 0, 0, 0), word, 0, 0, 0);
    puppet->steps[1 + index].previous = 1;
    puppet->steps[1 + index].a[6] = (uint64_t)channel;
    return index;
}

bool puppet_start(struct puppet *puppet, unsigned priority)
{
    return process_start(puppet->process, CODE_ADDRESS, STACK_TOP, PUPPET_SCRIPT, priority) == 0;
}

uint64_t test_deadline(uint64_t milliseconds)
{
    return (uint64_t)clock_now() + milliseconds * MILLISECOND;
}

static bool wait_for(struct puppet *puppet, unsigned index, uint64_t milliseconds)
{
    uint64_t deadline = test_deadline(milliseconds);
    while (!puppet->steps[1 + index].done) {
        if ((uint64_t)clock_now() > deadline)
            return false;
        sleep_until((uint64_t)clock_now() + MILLISECOND / 2);
    }
    return true;
}

bool puppet_wait(struct puppet *puppet, unsigned index) { return wait_for(puppet, index, 5000); }

bool puppet_blocked(struct puppet *puppet, unsigned index)
{
    if (index > 0 && !puppet_wait(puppet, index - 1))
        return false;
    return !wait_for(puppet, index, 20);
}

int64_t puppet_result(struct puppet *puppet, unsigned index)
{
    return (int64_t)puppet->steps[1 + index].result[0];
}

void puppet_end(struct puppet *puppet)
{
    handle_t channel = (handle_t)channel_create(0);
    struct message m;
    process_watch(puppet->process, channel, 0);
    process_kill(puppet->process, 0);
    channel_recv(channel, &m, test_deadline(5000));
    handle_close(channel);
    handle_close(puppet->process);
    memory_unmap(0, (uint64_t)puppet->steps, 2 * PAGE_SIZE);
}

static unsigned cases, failures;

void test_case(const char *name, bool passed, const char *reason, ...)
{
    cases++;
    if (passed) {
        printf("ok %s\n", name);
        return;
    }
    failures++;
    printf("not ok %s ", name);
    va_list arguments;
    va_start(arguments, reason);
    vprintf(reason, arguments);
    va_end(arguments);
    printf("\n");
}

int test_done(void)
{
    printf("DONE %u\n", cases);
    fflush(stdout);
    return failures != 0;
}
