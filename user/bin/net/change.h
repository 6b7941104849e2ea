/* The commands of net that change something. */
#pragma once

#include <stdbool.h>

/* is_change: the word begins such a command. */
bool is_change(const char *word);
/* change: does what the words say; the program's exit status. Misuse ends the program. */
int change(char *const *words, unsigned count);
