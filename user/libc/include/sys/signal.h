/* The older spelling of <signal.h>. */
#pragma once

#include <signal.h>
