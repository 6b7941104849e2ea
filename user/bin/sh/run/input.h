/* Lines from a descriptor, without taking a byte more than the line: what follows belongs to
 * whoever reads next. */
#pragma once

#include "../base/text.h"

/* input_line: appends one line with its newline. 0, 1 at the end of input (a last line without a
 * newline may have been appended), or -errno (-EINTR: ^C). */
int input_line(int fd, struct text *line);
