/* The reaper: a list of things that are dead and not yet freed. */
#include "mm/reaper.h"
#include "mm/frame.h"

static struct list dead = {&dead, &dead};
static bool busy; /* a step may release objects: it must not start another step */

void reaper_add(struct reapable *thing, enum reap_result (*step)(struct reapable *self))
{
    thing->step = step;
    list_push_back(&dead, &thing->link);
}

bool reaper_step(void)
{
    if (busy)
        return false;
    busy = true;
    bool worked = false;
    struct list *last = list_empty(&dead) ? NULL : dead.prev; /* what waits goes behind it */
    for (struct list *link = NULL; !worked && link != last;) {
        link = list_pop_front(&dead);
        struct reapable *thing = container_of(link, struct reapable, link);
        enum reap_result result = thing->step(thing);
        worked = result != REAP_WAIT;
        if (result != REAP_DONE)
            list_push_back(&dead, link);
    }
    busy = false;
    return worked;
}

bool reaper_pending(void) { return !list_empty(&dead); }

uint64_t reaper_frame_alloc(unsigned order)
{
    uint64_t frame;
    while (!(frame = frame_alloc(order)) && reaper_step())
        ;
    return frame;
}
