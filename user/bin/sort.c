/* sort: lines in order.
 *
 * All lines are held in memory and sorted by merging: n log n comparisons in the worst case,
 * without recursion, and equal lines keep their order (which -s and -u make visible). */
#include "common/input.h"
#include <ctype.h>

static const char usage[] =
    "usage: sort [-bcfnrsu] [-k KEY]... [-t SEPARATOR] [-o OUTPUT] [FILE]...\n"
    "  -n, -f, -b    by number, without regard to case, to leading blanks\n"
    "  -r            in reverse\n"
    "  -u            one of each run of equal lines\n"
    "  -s            equal keys keep their order (else all of the line decides)\n"
    "  -c            only check, exit status 1 if out of order\n"
    "  -k F[.C][bfnr][,F[.C][bfnr]]  from field F, byte C, to field F, byte C (its end)\n"
    "  -t SEPARATOR  between fields (else: the change from non-blank to blank)\n"
    "  -o OUTPUT     may be one of the inputs\n";

struct line {
    char *text;
    size_t length;
};

struct order {
    bool number, fold, reverse;
};

struct key {
    uint64_t field, byte; /* from 1 */
    uint64_t end_field,
        end_byte;            /* end_field 0: to the end of the line; end_byte 0: of the field */
    bool blanks, end_blanks; /* skip leading ones before counting bytes */
    bool own_order;
    struct order order;
};

static struct {
    struct key *keys;
    size_t count, capacity;
    struct order order;
    bool blanks, unique, stable;
    int separator; /* -1: blanks */
} options = {.separator = -1};

static struct {
    struct line *lines;
    size_t count, capacity;
} all;

/* ---- Keys ---- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && isblank((unsigned char)*at))
        at++;
    return at;
}

/* skip_field: to the end of the field at at. */
static const char *skip_field(const char *at, const char *end)
{
    if (options.separator >= 0) {
        const char *stop = memchr(at, options.separator, (size_t)(end - at));
        return stop != NULL ? stop : end;
    }
    at = skip_blanks(at, end);
    while (at < end && !isblank((unsigned char)*at))
        at++;
    return at;
}

static const char *field_start(const char *at, const char *end, uint64_t field)
{
    for (; field > 1 && at < end; field--) {
        at = skip_field(at, end);
        if (options.separator >= 0 && at < end)
            at++;
    }
    return at;
}

static const char *forward(const char *at, const char *end, uint64_t bytes)
{
    return bytes < (uint64_t)(end - at) ? at + bytes : end;
}

/* key_part: the part of line that key selects. */
static struct line key_part(const struct line *line, const struct key *key)
{
    const char *end = line->text + line->length, *stop = end;
    const char *start = field_start(line->text, end, key->field);
    if (key->blanks)
        start = skip_blanks(start, end);
    start = forward(start, end, key->byte - 1);
    if (key->end_field > 0) {
        stop = field_start(line->text, end, key->end_field);
        if (key->end_byte == 0) {
            stop = skip_field(stop, end);
        } else {
            if (key->end_blanks)
                stop = skip_blanks(stop, end);
            stop = forward(stop, end, key->end_byte);
        }
    }
    return (struct line){(char *)start, stop > start ? (size_t)(stop - start) : 0};
}

/* ---- Comparison ---- */

/* split_number: sign, digits before the point without leading zeros, digits behind it without
 * trailing ones. What is no number is 0. */
struct number {
    bool negative;
    const char *whole, *fraction;
    size_t whole_length, fraction_length;
};

static struct number split_number(const struct line *line)
{
    const char *end = line->text + line->length, *at = skip_blanks(line->text, end);
    struct number number = {0};
    if (at < end && *at == '-') {
        number.negative = true;
        at++;
    }
    while (at < end && *at == '0')
        at++;
    number.whole = at;
    while (at < end && isdigit((unsigned char)*at))
        at++;
    number.whole_length = (size_t)(at - number.whole);
    number.fraction = at;
    if (at < end && *at == '.') {
        number.fraction = ++at;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        while (at > number.fraction && at[-1] == '0')
            at--;
        number.fraction_length = (size_t)(at - number.fraction);
    }
    if (number.whole_length == 0 && number.fraction_length == 0)
        number.negative = false;
    return number;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t length = a_length < b_length ? a_length : b_length;
    int result = length > 0 ? memcmp(a, b, length) : 0;
    return result != 0 ? result : a_length < b_length ? -1 : a_length > b_length;
}

/* compare_numbers: as strings of digits, so of any size and exact. */
static int compare_numbers(const struct line *a, const struct line *b)
{
    struct number x = split_number(a), y = split_number(b);
    int result;
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    if (x.whole_length != y.whole_length)
        result = x.whole_length < y.whole_length ? -1 : 1;
    else if ((result = compare_bytes(x.whole, x.whole_length, y.whole, y.whole_length)) == 0)
        result = compare_bytes(x.fraction, x.fraction_length, y.fraction, y.fraction_length);
    return x.negative ? -result : result;
}

static int compare_folded(const struct line *a, const struct line *b)
{
    for (size_t i = 0; i < a->length && i < b->length; i++) {
        int difference = toupper((unsigned char)a->text[i]) - toupper((unsigned char)b->text[i]);
        if (difference != 0)
            return difference;
    }
    return a->length < b->length ? -1 : a->length > b->length;
}

static int compare_parts(const struct line *a, const struct line *b, const struct order *order)
{
    int result = order->number ? compare_numbers(a, b)
                 : order->fold ? compare_folded(a, b)
                               : compare_bytes(a->text, a->length, b->text, b->length);
    return order->reverse ? -result : result;
}

/* compare_keys: only what was asked for. */
static int compare_keys(const struct line *a, const struct line *b)
{
    for (size_t i = 0; i < options.count; i++) {
        struct line x = key_part(a, &options.keys[i]), y = key_part(b, &options.keys[i]);
        int result = compare_parts(&x, &y, &options.keys[i].order);
        if (result != 0)
            return result;
    }
    return 0;
}

static int compare_lines(const struct line *a, const struct line *b)
{
    int result = compare_keys(a, b);
    if (result != 0 || options.stable || options.unique)
        return result;
    result = compare_bytes(a->text, a->length, b->text, b->length);
    return options.order.reverse ? -result : result;
}

/* merge_sort: bottom up, between two arrays. */
static void merge_sort(void)
{
    struct line *from = all.lines, *to = must_allocate(all.count * sizeof(*to)), *swap;
    for (size_t run = 1; run < all.count; run *= 2, swap = from, from = to, to = swap)
        for (size_t start = 0; start < all.count; start += 2 * run) {
            size_t middle = start + run < all.count ? start + run : all.count;
            size_t end = middle + run < all.count ? middle + run : all.count;
            size_t a = start, b = middle;
            for (size_t i = start; i < end; i++)
                to[i] = b == end || (a < middle && compare_lines(&from[a], &from[b]) <= 0)
                            ? from[a++]
                            : from[b++];
        }
    all.lines = from;
    free(to);
}

/* ---- Arguments ---- */

static bool parse_order(const char **text, struct order *order, bool *blanks, bool *any)
{
    for (; **text != '\0' && **text != ','; (*text)++) {
        order->number |= **text == 'n';
        order->fold |= **text == 'f';
        order->reverse |= **text == 'r';
        *blanks |= **text == 'b';
        *any = true;
        if (strchr("nfrb", **text) == NULL)
            return false;
    }
    return true;
}

static bool parse_key(const char *text)
{
    struct key key = {.byte = 1};
    if (!parse_digits(&text, &key.field) || key.field == 0)
        return false;
    if (*text == '.' && (text++, !parse_digits(&text, &key.byte) || key.byte == 0))
        return false;
    if (!parse_order(&text, &key.order, &key.blanks, &key.own_order))
        return false;
    if (*text == ',') {
        text++;
        if (!parse_digits(&text, &key.end_field) || key.end_field == 0)
            return false;
        if (*text == '.' && (text++, !parse_digits(&text, &key.end_byte)))
            return false;
        if (!parse_order(&text, &key.order, &key.end_blanks, &key.own_order))
            return false;
    }
    options.keys = must_grow(options.keys, options.count, &options.capacity, sizeof(key));
    options.keys[options.count++] = key;
    return *text == '\0';
}

/* settle_keys: keys without letters of their own take the global ones. */
static void settle_keys(void)
{
    if (options.count == 0)
        parse_key("1");
    for (size_t i = 0; i < options.count; i++) {
        struct key *key = &options.keys[i];
        if (key->own_order)
            continue;
        key->order = options.order;
        key->blanks = key->end_blanks = options.blanks;
    }
}

/* ---- Input and output ---- */

static bool read_lines(const char *name)
{
    static struct input in;
    char *line;
    size_t length;
    if (!input_open(&in, name))
        return false;
    while (input_line(&in, '\n', &line, &length)) {
        struct line copy = {must_allocate(length), length};
        memcpy(copy.text, line, length);
        all.lines = must_grow(all.lines, all.count, &all.capacity, sizeof(copy));
        all.lines[all.count++] = copy;
    }
    input_close(&in);
    return !in.failed;
}

static int check_order(const char *name, bool quiet)
{
    for (size_t i = 1; i < all.count; i++) {
        int result = compare_lines(&all.lines[i - 1], &all.lines[i]);
        if (result > 0 || (result == 0 && options.unique)) {
            if (!quiet)
                warnx("%s:%zu: disorder: %.*s", name, i + 1, (int)all.lines[i].length,
                      all.lines[i].text);
            return 1;
        }
    }
    return 0;
}

static void write_lines(const char *name)
{
    if (name != NULL) {
        int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            err(2, "%s", name);
        close(fd);
    }
    for (size_t i = 0; i < all.count; i++) {
        if (options.unique && i > 0 && compare_keys(&all.lines[i - 1], &all.lines[i]) == 0)
            continue;
        output_write(all.lines[i].text, all.lines[i].length);
        output_char('\n');
    }
}

static void take_separator(const char *text)
{
    if (text[0] == '\0' || (text[1] != '\0' && strcmp(text, "\\0") != 0))
        errx(2, "%s: the separator must be one byte", text);
    options.separator = text[1] != '\0' ? '\0' : (unsigned char)text[0];
}

int main(int argc, char **argv)
{
    const char *output_name = NULL;
    int option, check = 0;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "bcCfnrsuk:t:o:")) != -1) {
        options.blanks |= option == 'b';
        options.order.fold |= option == 'f';
        options.order.number |= option == 'n';
        options.order.reverse |= option == 'r';
        options.stable |= option == 's';
        options.unique |= option == 'u';
        if (option == 'c' || option == 'C')
            check = option;
        else if (option == 't')
            take_separator(optarg);
        else if (option == 'o')
            output_name = optarg;
        else if (option == 'k' && !parse_key(optarg))
            errx(2, "%s: invalid key", optarg);
    }
    settle_keys();
    char **names = input_arguments(argc, argv);
    for (char **name = names; *name != NULL; name++)
        if (!read_lines(*name))
            return 2;
    if (check != 0)
        return check_order(names[0], check == 'C');
    if (all.count > 1)
        merge_sort();
    write_lines(output_name);
    return 0;
}
