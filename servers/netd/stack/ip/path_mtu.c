/* The cache of path MTUs: a small set-associative table. */
#include "path_mtu.h"
#include "../stack.h"
#include <errno.h>

struct path {
    struct ip_address destination;
    uint16_t mtu;
    uint64_t expires; /* ns; in the past = free */
};

struct path_mtus {
    struct path sets[PATH_MTU_SETS][PATH_MTU_WAYS];
};

int path_mtu_create(struct stack *stack)
{
    stack->path_mtus = stack->config.allocate(sizeof *stack->path_mtus);
    return stack->path_mtus ? 0 : -ENOMEM;
}

void path_mtu_destroy(struct stack *stack) { stack->config.release(stack->path_mtus); }

static struct path *set_of(struct stack *stack, const struct ip_address *destination)
{
    unsigned hash = 0;
    for (unsigned i = 0; i < sizeof destination->bytes; i++)
        hash = hash * 31 + destination->bytes[i];
    return stack->path_mtus->sets[hash % PATH_MTU_SETS];
}

static struct path *find(struct stack *stack, const struct ip_address *destination)
{
    struct path *set = set_of(stack, destination);
    for (unsigned i = 0; i < PATH_MTU_WAYS; i++)
        if (set[i].expires > stack->now && ip_equal(&set[i].destination, destination))
            return &set[i];
    return NULL;
}

uint16_t path_mtu(struct stack *stack, const struct ip_address *destination, uint16_t link_mtu)
{
    const struct path *path = find(stack, destination);
    return path && path->mtu < link_mtu ? path->mtu : link_mtu;
}

void path_mtu_lower(struct stack *stack, const struct ip_address *destination, uint16_t mtu)
{
    struct path *path = find(stack, destination);
    if (path && path->mtu <= mtu)
        return;
    if (!path) {
        path = set_of(stack, destination);
        for (unsigned i = 1; i < PATH_MTU_WAYS; i++)
            if (set_of(stack, destination)[i].expires < path->expires)
                path = &set_of(stack, destination)[i];
    }
    *path = (struct path){*destination, mtu, stack->now + PATH_MTU_TIME};
}
