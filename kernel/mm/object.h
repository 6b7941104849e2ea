/* What all kernel objects have in common: a class and a count of references. An object lives
 * while a handle, or something in the kernel, refers to it. */
#pragma once

#include "abi/handle.h"

struct object;

/* What is particular to one type of object. Hooks may be NULL. */
struct object_class {
    enum object_type type;
    uint32_t (*id)(const struct object *object); /* for handle_info; NULL: none */
    void (*destroy)(struct object *object); /* the last reference is gone */
    void (*last_but_one)(struct object *object); /* one reference is left */
    /* A handle with these rights has come into being, or gone. */
    void (*handle_made)(struct object *object, uint32_t rights);
    void (*handle_gone)(struct object *object, uint32_t rights);
};

struct object {
    const struct object_class *class;
    uint32_t references;
};

static inline void object_init(struct object *object, const struct object_class *class)
{
    object->class = class;
    object->references = 1;
}
static inline void object_retain(struct object *object) { object->references++; }

/* object_release: one reference fewer; the last destroys the object. */
void object_release(struct object *object);
