/* nsd in a host program, with sys:clock given to it under that name. */
#pragma once

#include "host.h"

void serve_prepare(void);
void serve_nsd(void);
