/* Commands from standard input: a terminal with prompts, or a script that comes in by lines. */
#pragma once

#include "shell.h"

/* run_input: until the end of input or exit. */
void run_input(struct shell *shell);
