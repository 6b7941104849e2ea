/* tr: translates, deletes or squeezes bytes. */
#include "common/input.h"
#include <ctype.h>

static const char usage[] = "usage: tr [-cds] SET1 [SET2]\n"
                            "  -c, -C  all bytes that are not in SET1\n"
                            "  -d      delete the bytes of SET1\n"
                            "  -s      one of each run of a byte of the last SET\n"
                            "Sets: a-z, [:alpha:], [x*5], [x*], \\n \\t \\\\ \\012.\n";

#define SET_MAX 4096

struct set {
    unsigned char bytes[SET_MAX];
    size_t count;
    size_t fill; /* where [x*] is to be stretched, SET_MAX if nowhere */
};

static void set_add(struct set *set, int byte)
{
    if (set->count == SET_MAX)
        errx(1, "set too long");
    set->bytes[set->count++] = (unsigned char)byte;
}

/* next_byte: one byte of a set, escapes resolved. */
static int next_byte(const char **text)
{
    static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char *at = *text;
    int byte = (unsigned char)*at++;

    if (byte == '\\' && *at >= '0' && *at <= '7') {
        byte = 0;
        for (int i = 0; i < 3 && *at >= '0' && *at <= '7' && byte < 32; i++)
            byte = byte * 8 + (*at++ - '0');
    } else if (byte == '\\' && *at != '\0') {
        const char *letter = strchr(letters, *at);
        byte = letter != NULL ? (unsigned char)values[letter - letters] : (unsigned char)*at;
        at++;
    }
    *text = at;
    return byte;
}

/* add_class: [:name:] behind text; false if it is none. */
static bool add_class(struct set *set, const char **text)
{
    static const struct {
        const char *name;
        int (*is)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
                   {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
                   {"lower", islower}, {"print", isprint}, {"punct", ispunct},
                   {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    const char *end = strncmp(*text, "[:", 2) == 0 ? strstr(*text + 2, ":]") : NULL;
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - *text) - 2;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == length && memcmp(classes[i].name, *text + 2, length) == 0) {
            for (int c = 0; c < 256; c++)
                if (classes[i].is(c))
                    set_add(set, c);
            *text = end + 2;
            return true;
        }
    errx(1, "%.*s: no such class", (int)length, *text + 2);
}

/* add_repeat: [x*n] behind text; false if it is none. n in octal if it starts with 0. */
static bool add_repeat(struct set *set, const char **text)
{
    const char *at = *text + 1;
    if (**text != '[' || *at == '\0')
        return false;
    int byte = next_byte(&at);
    if (*at++ != '*')
        return false;
    char *end;
    unsigned long count = strtoul(at, &end, *at == '0' ? 8 : 10);
    if (*end != ']' || (*at != ']' && (*at < '0' || *at > '9')))
        return false;
    if (count == 0)
        set->fill = set->count;
    for (unsigned long i = 0; i < (count > 0 ? count : 1); i++)
        set_add(set, byte);
    *text = end + 1;
    return true;
}

static void parse_set(struct set *set, const char *text)
{
    set->fill = SET_MAX;
    while (*text != '\0') {
        if (add_class(set, &text) || add_repeat(set, &text))
            continue;
        int low = next_byte(&text), high = low;
        if (text[0] == '-' && text[1] != '\0') {
            text++;
            high = next_byte(&text);
            if (high < low)
                errx(1, "range in reverse order");
        }
        for (int c = low; c <= high; c++)
            set_add(set, c);
    }
}

static void complement(struct set *set)
{
    bool in[256] = {false};
    for (size_t i = 0; i < set->count; i++)
        in[set->bytes[i]] = true;
    set->count = 0;
    for (int c = 0; c < 256; c++)
        if (!in[c])
            set_add(set, c);
}

/* stretch: SET2 becomes as long as SET1, at its [x*] or with its last byte. */
static void stretch(struct set *set, size_t length)
{
    if (set->count == 0)
        errx(1, "SET2 must not be empty");
    while (set->count < length) {
        size_t at = set->fill < set->count ? set->fill : set->count - 1;
        unsigned char byte = set->bytes[at];
        memmove(set->bytes + at + 1, set->bytes + at, set->count - at);
        set->bytes[at] = byte;
        set->count++;
    }
}

static struct {
    unsigned char to[256];
    bool drop[256], squeeze[256];
} table;

static void mark(bool *flags, const struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        flags[set->bytes[i]] = true;
}

static void translate(struct input *in)
{
    int last = -1;
    char *data;
    size_t length;
    while ((length = input_block(in, &data)) > 0) {
        size_t kept = 0;
        for (size_t i = 0; i < length; i++) {
            unsigned char byte = (unsigned char)data[i];
            if (table.drop[byte])
                continue;
            byte = table.to[byte];
            if (table.squeeze[byte] && byte == last)
                continue;
            data[kept++] = (char)byte;
            last = byte;
        }
        output_write(data, kept);
    }
}

int main(int argc, char **argv)
{
    static struct set first, second;
    struct input in = {0};
    bool inverse = false, delete = false, squeeze = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "+cCds")) != -1) {
        inverse |= option == 'c' || option == 'C';
        delete |= option == 'd';
        squeeze |= option == 's';
    }
    int count = argc - optind;
    if (count < 1 + (delete == squeeze) || count > 2 - (delete &&!squeeze))
        utility_misuse("wrong number of sets");
    parse_set(&first, argv[optind]);
    if (inverse)
        complement(&first);
    if (count == 2)
        parse_set(&second, argv[optind + 1]);
    for (int c = 0; c < 256; c++)
        table.to[c] = (unsigned char)c;
    if (delete) {
        mark(table.drop, &first);
    } else if (count == 2) {
        stretch(&second, first.count);
        for (size_t i = 0; i < first.count; i++)
            table.to[first.bytes[i]] = second.bytes[i];
    }
    if (squeeze)
        mark(table.squeeze, count == 2 ? &second : &first);
    input_open(&in, "-");
    translate(&in);
    free(in.buffer);
    return in.failed;
}
