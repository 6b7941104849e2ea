/* The older spelling of <poll.h>. */
#pragma once

#include <poll.h>
