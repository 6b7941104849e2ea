/* flock's constants are in <fcntl.h>. */
#pragma once

#include <fcntl.h>
