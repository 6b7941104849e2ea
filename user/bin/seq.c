/* seq: numbers from first to last. Decimal fractions are kept as scaled integers, so that sums
 * are exact. */
#include "common/utility.h"

static const char usage[] = "usage: seq [-w] [-s SEPARATOR] [FIRST [STEP]] LAST\n"
                            "  -s SEPARATOR  between the numbers (a newline)\n"
                            "  -w            equal widths, with zeros in front\n";

#define PLACES_MAX 18

struct decimal {
    __int128 value; /* in units of 10^-places */
    int places;
};

static bool parse_decimal(const char *text, struct decimal *number)
{
    bool negative = *text == '-', digits = false;
    number->value = 0;
    number->places = 0;
    if (*text == '-' || *text == '+')
        text++;
    for (int point = 0; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = 1;
            continue;
        }
        if (*text < '0' || *text > '9' || number->places == PLACES_MAX ||
            number->value > INT64_MAX / 10)
            return false;
        number->value = number->value * 10 + (*text - '0');
        number->places += point;
        digits = true;
    }
    if (negative)
        number->value = -number->value;
    return digits;
}

/* format_decimal: into the end of buffer; returns where it starts. */
static char *format_decimal(__int128 value, int places, int width, char *end)
{
    bool negative = value < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)value : (unsigned __int128)value;
    char *at = end;
    int digits = 0;

    *--at = '\0';
    do {
        if (digits == places && places > 0)
            *--at = '.';
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
        digits++;
    } while (rest > 0 || digits <= places);
    while ((end - 1) - at + negative < width)
        *--at = '0';
    if (negative)
        *--at = '-';
    return at;
}

int main(int argc, char **argv)
{
    struct decimal numbers[3] = {{1, 0}, {1, 0}, {1, 0}}; /* first, step, last */
    const char *separator = "\n";
    char buffer[128], *end = buffer + sizeof(buffer);
    bool equal = false;
    int option, width = 0, places = 0;

    utility_start(usage, 1);
    /* "-1" is an operand: options end at the first number */
    while (optind < argc && !(argv[optind][0] == '-' && strchr(".0123456789", argv[optind][1])) &&
           (option = utility_option(argc, argv, "+ws:")) != -1) {
        equal |= option == 'w';
        if (option == 's')
            separator = optarg;
    }
    int count = argc - optind;
    if (count < 1 || count > 3)
        utility_misuse("one to three numbers are needed");
    for (int i = 0; i < count; i++) {
        struct decimal *number = &numbers[i == count - 1 ? 2 : i];
        if (!parse_decimal(argv[optind + i], number))
            errx(1, "%s: invalid number", argv[optind + i]);
    }
    for (int i = 0; i < 2; i++)
        places = numbers[i].places > places ? numbers[i].places : places;
    int scale = numbers[2].places > places ? numbers[2].places : places;
    for (int i = 0; i < 3; i++)
        for (; numbers[i].places < scale; numbers[i].places++)
            numbers[i].value *= 10;
    __int128 first = numbers[0].value, step = numbers[1].value, last = numbers[2].value;
    if (step == 0)
        errx(1, "the step must not be zero");
    __int128 unit = 1; /* finer places of LAST do not show */
    for (int i = places; i < scale; i++)
        unit *= 10;
    if (equal) {
        int a = (int)strlen(format_decimal(first / unit, places, 0, end));
        int b = (int)strlen(format_decimal(last / unit, places, 0, end));
        width = a > b ? a : b;
    }
    bool any = false;
    for (__int128 at = first; step > 0 ? at <= last : at >= last; at += step, any = true) {
        if (any)
            output_text(separator);
        output_text(format_decimal(at / unit, places, width, end));
    }
    if (any)
        output_char('\n');
    return 0;
}
