/* What all kernel objects have in common: a type and a count of references. An object lives
 * while a handle, or something in the kernel, refers to it. */
#pragma once

#include "abi/handle.h"

struct object {
    uint32_t type; /* enum object_type */
    uint32_t references;
};

static inline void object_init(struct object *object, enum object_type type)
{
    object->type = type;
    object->references = 1;
}
static inline void object_retain(struct object *object) { object->references++; }

/* object_release: one reference fewer; the last destroys the object. */
void object_release(struct object *object);
