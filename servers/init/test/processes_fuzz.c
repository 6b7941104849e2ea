/* Fuzzes the process table: any sequence of starts, ends, waits and jobs keeps its invariants. */

#include "init/core/processes.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct process_table table;

static void check_invariants(void)
{
    size_t used = 0;

    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        const struct process *process = &table.slots[i];
        if (process->stage == SLOT_FREE)
            continue;
        used++;
        if (process->stage == SLOT_PREPARED || process->parent == table.init)
            continue;
        const struct process *parent = process_find(&table, process->parent);
        if (parent == NULL || parent->stage != SLOT_RUNNING)
            abort();
    }
    if (used != table.used || used > PROCESSES_MAX - 1)
        abort();
    for (size_t i = 0; i < WAITERS_MAX; i++)
        if (table.waiters[i].token != 0 && process_find(&table, table.waiters[i].pid) == NULL)
            abort();
}

static void end(struct process *process)
{
    struct process_status status = {.pid = process->pid, .reason = EXIT_NORMAL};
    uint32_t parent_pid = process->parent;

    waiter_drop(&table, process->pid);
    if (!process_ended(&table, process, &status) || waiter_take(&table, process) != 0)
        process_release(&table, process);
    const struct process *parent = process_find(&table, parent_pid);
    while (parent != NULL && waiter_hopeless(&table, parent) != 0)
        ;
}

static void step(uint8_t operation, struct process *a, struct process *b, uint32_t *next_pid)
{
    struct process *ended;

    switch (operation % 8) {
    case 0:
    case 1: {
        const struct process *creator = a->stage == SLOT_RUNNING ? a : NULL;
        struct process *child =
            process_admit(&table, creator, operation / 8 % 3, operation / 24 % 4 == 3);
        if (child != NULL && operation % 2 == 0)
            process_started(&table, child, (*next_pid)++);
        break;
    }
    case 2:
        if (a->stage == SLOT_PREPARED)
            process_started(&table, a, (*next_pid)++);
        break;
    case 3:
        if (a->stage == SLOT_RUNNING)
            end(a);
        break;
    case 4:
        if (a->stage == SLOT_PREPARED || a->stage == SLOT_ENDED)
            process_release(&table, a);
        break;
    case 5:
        if (a->stage == SLOT_RUNNING &&
            process_wait_check(&table, a, operation / 8 % 2 ? -1 : (int64_t)b->pid, &ended) == 0)
            waiter_add(&table, a, operation / 8 % 2 ? -1 : (int64_t)b->pid, *next_pid);
        break;
    case 6:
        if (a->stage == SLOT_RUNNING && b->stage == SLOT_RUNNING)
            job_join(&table, a, b, operation / 8 % 2 ? a->pid : b->job);
        break;
    default:
        if (a->stage == SLOT_RUNNING && b->stage == SLOT_RUNNING &&
            process_descends(&table, a, b) && process_descends(&table, b, a) && a != b)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t next_pid = 2;

    process_table_init(&table, 1);
    for (size_t i = 0; i + 3 <= size && i < 3000; i += 3) {
        step(data[i], &table.slots[data[i + 1]], &table.slots[data[i + 2]], &next_pid);
        check_invariants();
    }
    return 0;
}
