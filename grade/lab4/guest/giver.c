/* Starts one program several times, each time with other handles, as the host wants it. What they
 * are, only the host knows: memory objects with secret words in them, and channels. */
#include "abi/memory.h"
#include "cairn/log.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include <string.h>

#define PAYLOAD_MAX 0x40000

static const volatile uint64_t payload[PAYLOAD_MAX / 8] = {0x6461706e72696163, 0x2164616f6c796170};
static const volatile uint64_t *at = payload;

static handle_t make_image(void)
{
    uint64_t len = *at++, size = (len + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    handle_t memory = (handle_t)memory_create(size, 0);
    uint64_t *words = (uint64_t *)memory_map(0, memory, 0, 0, size, PROT_READ | PROT_WRITE);
    for (uint64_t i = 0; i < (len + 7) / 8; i++)
        words[i] = *at++;
    memory_unmap(0, (uint64_t)words, size);
    return memory;
}

/* secret 0: a channel. */
static handle_t make_object(uint64_t secret)
{
    if (secret == 0)
        return (handle_t)channel_create(0);
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, 0);
    uint64_t *word = (uint64_t *)memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    *word = secret;
    memory_unmap(0, (uint64_t)word, PAGE_SIZE);
    return memory;
}

static void run_case(unsigned number, handle_t image)
{
    struct spawn_handle handles[SPAWN_HANDLES_MAX];
    const char *argv[] = {"taker", NULL};
    struct process_status status = {0};
    uint64_t count = *at++;
    for (uint64_t i = 0; i < count; i++, at += 3) {
        handle_t object = make_object(at[2]);
        handles[i] = (struct spawn_handle){.id = (uint32_t)at[0]};
        handles[i].handle = (handle_t)handle_dup(object, (uint32_t)at[1]);
        handle_close(object);
    }
    const struct spawn_options options = {.argv = argv, .handles = handles, .handle_count = count};
    int pid = spawn_memory(image, "taker", &options);
    driver_log("case %u pid %d", number, pid);
    if (pid > 0)
        process_wait_for(pid, 0, &status);
    for (uint64_t i = 0; i < count; i++)
        handle_close(handles[i].handle);
}

int main(void)
{
    handle_t image = make_image();
    uint64_t count = *at++;
    for (unsigned i = 0; i < count; i++)
        run_case(i, image);
    driver_log("finished %lu", (unsigned long)*at);
    return 0;
}
