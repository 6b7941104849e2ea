/* The shell as a program. */
#pragma once

/* shell_main: main() of sh; the exit status. */
int shell_main(int argc, char **argv);
