/* The public face of the resolver. */
#include "cairn/names.h"

#include "internal.h"
#include "proto/ns.h"
#include <string.h>

/* What the cache gives away by these two, it keeps open for good. */
static handle_t lookup_and_pin(const char *uri, char *rest, bool wait, uint64_t deadline)
{
    handle_t handle = names_lookup(uri, rest, wait, deadline);
    if (handle > 0)
        names_pin(uri);
    return handle;
}

handle_t name_resolve(const char *uri, char *rest)
{
    return lookup_and_pin(uri, rest, false, NO_DEADLINE);
}

handle_t name_wait(const char *uri, char *rest, uint64_t deadline)
{
    return lookup_and_pin(uri, rest, true, deadline);
}

int name_alias(const char *name, const char *target)
{
    return names_pair(namespace_get(), NS_ALIAS, name, target);
}
