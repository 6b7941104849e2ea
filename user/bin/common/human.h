/* Sizes for people: 1023, 1.0K, 4.5M, always rounded up, as ls -h, du -h and df -h print them. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define HUMAN_SIZE 32 /* room for any answer */

static inline const char *human_size(char *text, uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    int unit = -1;
    uint64_t whole = bytes, rest = 0; /* rest: 1 if something was cut off below whole's tenths */
    unsigned tenths = 0;

    while (whole >= 1024) {
        uint64_t cut = (whole % 1024) * 10 + tenths;
        rest = rest != 0 || cut % 1024 != 0;
        tenths = (unsigned)(cut / 1024);
        whole /= 1024;
        unit++;
    }
    if (unit >= 0 && whole < 10) {
        tenths += rest != 0;
        whole += tenths / 10;
        tenths %= 10;
        rest = 0;
    }
    if (unit >= 0 && whole >= 10 && (tenths > 0 || rest > 0)) {
        whole++;
        if (whole == 1024 && units[unit + 1] != '\0') {
            whole = 1;
            unit++;
        }
        tenths = 0;
    }
    if (unit < 0)
        snprintf(text, HUMAN_SIZE, "%u", (unsigned)whole);
    else if (whole < 10)
        snprintf(text, HUMAN_SIZE, "%u.%u%c", (unsigned)whole, tenths, units[unit]);
    else
        snprintf(text, HUMAN_SIZE, "%u%c", (unsigned)whole, units[unit]);
    return text;
}
