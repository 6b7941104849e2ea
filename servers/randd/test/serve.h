/* randd with a virtio-rng of the test in a host program. */
#pragma once

#include "host.h"

void serve_prepare(void);
void serve_randd(void);

/* serve_entropy: the device answers what it was asked, with so many bytes; false: it was not asked. */
bool serve_entropy(uint32_t bytes);
