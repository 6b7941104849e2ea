/* Scripts for the shell; what dash makes of each is the expected result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Run as `sh -c script`, in a fresh directory; standard output and status must agree. */
extern const char *const common_scripts[];
extern const size_t common_script_count;

/* Run as `sh` with the script on standard input. */
extern const char *const input_scripts[];
extern const size_t input_script_count;

/* What dash does not do, or does otherwise: the output that we want. */
struct own_script {
    const char *script, *output;
    int status;
    bool on_input; /* the script comes on standard input */
};
extern const struct own_script own_scripts[];
extern const size_t own_script_count;
