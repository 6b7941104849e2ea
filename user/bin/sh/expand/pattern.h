/* Shell patterns: * ? [...] (POSIX.1-2017, XCU 2.13), over marked text. */
#pragma once

#include "marked.h"

/* pattern_match: does pattern describe all len bytes of text? Time is at most their product. */
bool pattern_match(struct span pattern, const char *text, size_t len);

/* pattern_active: does it contain anything but literal bytes? */
bool pattern_active(struct span pattern);
