/* piped in a host program; it registers pipe: and null:. */
#pragma once

#include "host.h"

void serve_prepare(void);
void serve_piped(void);
