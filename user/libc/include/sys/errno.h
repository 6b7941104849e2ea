/* The older spelling of <errno.h>. */
#pragma once

#include <errno.h>
