/* What a name may be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

int name_check(const char *name, size_t len);    /* EINVAL, ENAMETOOLONG */
bool name_is_dots(const char *name, size_t len); /* "." or ".." */
