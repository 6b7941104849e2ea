/* The end of objects: what happens when the last reference goes. */
#include "proc/object.h"
#include "dev/device.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "mm/kalloc.h"
#include "mm/memory.h"
#include "proc/process.h"
#include "proc/reaper.h"

void object_release(struct object *object)
{
    assert(object->references);
    if (--object->references) {
        if (object->type == OBJECT_PROCESS && object->references == 1)
            process_abandoned(container_of(object, struct process, object));
        return;
    }
    switch ((enum object_type)object->type) {
    case OBJECT_PROCESS: {
        struct process *process = container_of(object, struct process, object);
        if (process->dead) /* all of it has been freed but the structure */
            kfree(process);
        break;
    }
    case OBJECT_CHANNEL:
        channel_destroy(container_of(object, struct channel, object));
        break;
    case OBJECT_SESSION:
        session_unreferenced(container_of(object, struct session, object));
        break;
    case OBJECT_MEMORY:
        reaper_add_memory(container_of(object, struct memory, object));
        break;
    case OBJECT_DEVICE: /* devices stay for ever */
        break;
    }
}
