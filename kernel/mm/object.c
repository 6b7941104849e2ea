/* The end of objects: what happens when references go. */
#include "mm/object.h"
#include "lib/log.h"

void object_release(struct object *object)
{
    const struct object_class *class = object->class;
    assert(object->references);
    object->references--;
    if (object->references == 0 && class->destroy)
        class->destroy(object);
    else if (object->references == 1 && class->last_but_one)
        class->last_but_one(object);
}
