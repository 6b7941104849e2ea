/* The books of a host: what must be true of every connection between two events. */
#pragma once

#include "host.h"

void books_check(struct host *host);
