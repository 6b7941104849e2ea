/* The reaper: a list of things that are dead and not yet freed. */
#include "proc/reaper.h"
#include "lib/list.h"
#include "mm/frame.h"
#include "mm/memory.h"
#include "proc/process.h"

#define STEP_PAGES 64

static struct list dead_processes = {&dead_processes, &dead_processes};
static struct list dead_memory = {&dead_memory, &dead_memory};
static bool busy; /* a step may release objects: it must not start another step */

void reaper_add_process(struct process *process)
{
    list_push_back(&dead_processes, &process->reap_link);
}

/* No region refers to it any more, so the list of its regions is free to be used as a link. */
void reaper_add_memory(struct memory *memory)
{
    memory->cursor = 0;
    list_push_back(&dead_memory, &memory->regions);
}

static bool reap_process(void)
{
    list_for_each(link, &dead_processes)
    {
        struct process *process = container_of(link, struct process, reap_link);
        if (process_still_runs(process))
            continue; /* its hart comes by here when it has let go */
        list_remove(link);
        if (!process_destroy_step(process))
            list_push_back(&dead_processes, link);
        return true;
    }
    return false;
}

static bool reap_memory(void)
{
    if (list_empty(&dead_memory))
        return false;
    struct memory *memory = container_of(list_pop_front(&dead_memory), struct memory, regions);
    if (!memory_destroy_step(memory, STEP_PAGES))
        list_push_front(&dead_memory, &memory->regions);
    return true;
}

bool reaper_step(void)
{
    if (busy)
        return false;
    busy = true;
    bool worked = reap_memory() || reap_process();
    busy = false;
    return worked;
}

bool reaper_pending(void) { return !list_empty(&dead_memory) || !list_empty(&dead_processes); }

uint64_t reaper_frame_alloc(unsigned order)
{
    uint64_t frame;
    while (!(frame = frame_alloc(order)) && reaper_step())
        ;
    return frame;
}
