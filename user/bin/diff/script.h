/* The shortest edit script between two sequences of numbers: which elements are not common. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sequence {
    const int *numbers; /* equal elements, equal numbers */
    bool *changed;      /* out: not in the common subsequence */
    size_t count;
};

/* edit_script: numbers are below limit. False without memory. */
bool edit_script(const struct sequence *a, const struct sequence *b, size_t limit);
