/* The few system calls that the tested files make, as the tests define them. */
#pragma once

#include "abi/handle.h"
#include <stdint.h>

int64_t handle_close(handle_t handle);
