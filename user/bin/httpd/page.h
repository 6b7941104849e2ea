/* The page that lists a folder. */
#pragma once

#include <stddef.h>

/* page_of_folder: HTML for the folder at path ("./" and what is behind it, with a slash at the
 * end), in memory that becomes the caller's; its length, or 0 with errno. */
size_t page_of_folder(const char *path, char **page);
