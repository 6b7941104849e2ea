/* The kernel's facts: see facts.h. */
#include "facts.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "proto/ns.h"
#include "puppet.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

handle_t kernel_channel(const char *name)
{
    static char rest[NS_URI_MAX];
    handle_t channel = name_resolve(name, rest);
    if (channel < 0) {
        test_case(name, false, "cannot be resolved: %d", channel);
        exit(test_done());
    }
    return channel;
}

/* Asks for a structure that follows the result; false if the result is negative. */
static bool ask(uint32_t type, uint64_t word, void *answer, size_t size)
{
    static handle_t facts;
    struct message m = {.type = type, .len = 8, .words = {word}};
    if (!facts)
        facts = kernel_channel("sys:facts");
    memset(answer, 0, size);
    if (channel_call(facts, &m) != 0 || (int64_t)m.words[0] < 0 || m.len < 8 + size)
        return false;
    memcpy(answer, &m.words[1], size);
    return true;
}

struct process_facts facts_of(handle_t process)
{
    struct process_facts facts = {0};
    struct handle_info info;
    if (handle_info(process, &info) == 0 && ask(KFACT_PROCESS, info.id, &facts, sizeof(facts)) &&
        facts.pid == info.id)
        return facts;
    return (struct process_facts){0};
}

struct memory_facts memory_facts(void)
{
    struct memory_facts facts;
    ask(KFACT_MEMORY, 0, &facts, sizeof(facts));
    return facts;
}

struct scheduler_facts scheduler_facts(void)
{
    struct scheduler_facts facts;
    ask(KFACT_SCHEDULER, 0, &facts, sizeof(facts));
    return facts;
}

bool priority_becomes(handle_t process, uint32_t priority)
{
    uint64_t deadline = test_deadline(2000);
    while (facts_of(process).priority != priority) {
        if ((uint64_t)clock_now() > deadline)
            return false;
        sleep_until((uint64_t)clock_now() + 500000);
    }
    return true;
}
