/* The device calls without a device: a program that was given none gets none, whatever it names
 * and however it asks. */
#include "abi/device.h"
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *name;
    uint64_t number;
} calls[] = {
    {"map-device", SYS_map_device},         {"irq-register", SYS_irq_register},
    {"irq-wait", SYS_irq_wait},             {"irq-ack", SYS_irq_ack},
    {"dma-alloc", SYS_dma_alloc},           {"dma-free", SYS_dma_free},
    {"virt-to-phys", SYS_virt_to_phys},     {"device-enum", SYS_device_enum},
    {"irq-unregister", SYS_irq_unregister},
};

/* Everything that this program can name, and what it cannot. */
static void test_refusals(handle_t channel, handle_t memory, handle_t process)
{
    handle_t session = (handle_t)handle_mint(channel, RIGHTS_ALL, 1);
    handle_t stale = (handle_t)channel_create(0);
    handle_close(stale);
    const handle_t handles[] = {channel, memory, process, session, stale, 0, -1, INT32_MAX, INT32_MIN};
    static struct device_info info;
    static const uint64_t arguments[] = {0, 1, PAGE_SIZE, UINT64_MAX, 0xffffffc080200000ul};
    for (unsigned c = 0; c < COUNT(calls); c++) {
        unsigned wrong = 0;
        int64_t last = 0;
        for (unsigned h = 0; h < COUNT(handles); h++) {
            for (unsigned a = 0; a < COUNT(arguments); a++) {
                int64_t got = raw(calls[c].number, (uint64_t)(int64_t)handles[h], arguments[a],
                                  (uint64_t)&info, arguments[a], 0, 0);
                if (got == -EBADF)
                    continue;
                wrong++;
                last = got;
            }
        }
        test_case(calls[c].name, wrong == 0, "%u calls were not refused with EBADF, one with %ld",
                  wrong, (long)last);
    }
    handle_close(session);
}

/* All handle values that there can be in a young process: none of them is a device. */
static void search(volatile struct child_page *p)
{
    static struct device_info info;
    for (uint64_t generation = 0; generation < 4; generation++) {
        for (uint64_t index = 0; index < HANDLES_MAX; index++) {
            handle_t handle = (handle_t)(generation << HANDLE_INDEX_BITS | index);
            p->words[0] += device_enum(handle, 0, &info) != -EBADF;
            p->words[0] += map_device(handle) != -EBADF;
            p->words[0] += virt_to_phys(handle, CHILD_PAGE) != -EBADF;
        }
    }
    p->words[1] = 1;
}

/* Physical memory and registers are not at their addresses either. */
static void touch_uart(volatile struct child_page *p)
{
    p->words[0] = *(volatile uint8_t *)0x10000000ul;
}
static void touch_plic(volatile struct child_page *p)
{
    p->words[0] = *(volatile uint32_t *)0xc000000ul;
}
static void touch_ram(volatile struct child_page *p)
{
    p->words[0] = *(volatile uint64_t *)0x80000000ul;
}
static void touch_direct_uart(volatile struct child_page *p)
{
    p->words[0] = *(volatile uint8_t *)0xffffffc010000000ul;
}

int main(void)
{
    handle_t channel = (handle_t)channel_create(0);
    handle_t memory = (handle_t)memory_create(PAGE_SIZE, MEMORY_CONTIGUOUS);
    handle_t process = (handle_t)process_create("p", 1, NULL);
    test_refusals(channel, memory, process);
    struct child child;
    child_new(&child, "searcher", NULL);
    child_give(&child, channel, RIGHTS_ALL);
    child_give(&child, memory, RIGHTS_ALL);
    child_start(&child, search, 10);
    child_wait(&child, 10000, NULL);
    test_case("no-device-to-be-found", child.page->words[1] == 1 && child.page->words[0] == 0,
              "%lu values gave something", (unsigned long)child.page->words[0]);
    child_end(&child);
    static const struct {
        const char *name;
        child_function *function;
        uint64_t address;
    } places[] = {{"no-uart", touch_uart, 0x10000000ul},
                  {"no-plic", touch_plic, 0xc000000ul},
                  {"no-ram", touch_ram, 0x80000000ul},
                  {"no-direct-map", touch_direct_uart, 0xffffffc010000000ul}};
    for (unsigned i = 0; i < COUNT(places); i++) {
        struct process_status status = child_run(places[i].function);
        test_case(places[i].name, status.reason == EXIT_FAULT && status.value == 13 &&
                                      status.address == places[i].address,
                  "reason %u, cause %ld", status.reason, (long)status.value);
    }
    handle_close(channel);
    handle_close(memory);
    handle_close(process);
    return test_done();
}
