/* diff: how two files, or two trees, differ, in the unified format. Lines
 * become numbers, equal lines the same number; diff/script.c finds which of them changed. */
#include "common/input.h"
#include "common/walk.h"
#include "diff/script.h"
#include <time.h>

static const char usage[] = "usage: diff [-Nqrsu] [-U LINES] FILE1 FILE2\n"
                            "  -u, -U LINES  with so many unchanged lines around (3)\n"
                            "  -q            only whether they differ\n"
                            "  -r            directories and all in them\n"
                            "  -N            a missing file is an empty one\n"
                            "  -s            report files that are alike\n"
                            "Exit status: 0 alike, 1 different, 2 trouble.\n";

static struct {
    bool brief, recursive, absent_is_empty, report_same;
    uint64_t context;
} options = {.context = 3};

static int status; /* the exit status so far */

static void worsen(int severity)
{
    if (severity > status)
        status = severity;
}

/* ---- Files as numbered lines ---- */

struct line {
    size_t start, length; /* with the newline */
};

struct text {
    const char *name;
    struct stat stat;
    char *bytes;
    size_t length;
    struct line *lines;
    size_t count, capacity;
    int *numbers;  /* of the lines: equal lines, equal numbers */
    bool *changed; /* the verdict: lines that the other file does not have here */
};

static bool read_text(struct text *text, const char *name)
{
    struct input in = {0};
    *text = (struct text){.name = name};
    bool is_stdin = strcmp(name, "-") == 0;
    int result = is_stdin ? fstat(STDIN_FILENO, &text->stat) : stat(name, &text->stat);
    if (result < 0 && options.absent_is_empty && errno == ENOENT)
        return true; /* the time is that of 1970 */
    if (!input_open(&in, name))
        return false;
    while (input_fill(&in))
        continue;
    input_close(&in);
    text->bytes = in.buffer;
    text->length = in.end;
    return !in.failed;
}

static void split_text(struct text *text)
{
    for (size_t at = 0; at < text->length;) {
        char *newline = memchr(text->bytes + at, '\n', text->length - at);
        size_t end = newline != NULL ? (size_t)(newline - text->bytes) + 1 : text->length;
        text->lines = must_grow(text->lines, text->count, &text->capacity, sizeof(struct line));
        text->lines[text->count++] = (struct line){at, end - at};
        at = end;
    }
    text->numbers = must_allocate(text->count * sizeof(int));
    text->changed = must_allocate(text->count);
    memset(text->changed, 0, text->count);
}

static void free_text(struct text *text)
{
    free(text->bytes);
    free(text->lines);
    free(text->numbers);
    free(text->changed);
}

/* number_lines: through a hash table over both files. Returns how many numbers there are. */
static size_t number_lines(struct text texts[2])
{
    struct slot {
        const char *line;
        size_t length;
        int number;
    } * slots, *slot;
    size_t size = 64, count = 0;
    while (size < 2 * (texts[0].count + texts[1].count))
        size *= 2;
    slots = must_allocate(size * sizeof(*slots));
    memset(slots, 0, size * sizeof(*slots));
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < texts[side].count; i++) {
            const char *line = texts[side].bytes + texts[side].lines[i].start;
            size_t length = texts[side].lines[i].length;
            uint64_t hash = 0xcbf29ce484222325u;
            for (size_t byte = 0; byte < length; byte++)
                hash = (hash ^ (unsigned char)line[byte]) * 0x100000001b3u;
            size_t at = (size_t)(hash ^ hash >> 32) & (size - 1);
            while ((slot = &slots[at])->line != NULL &&
                   (slot->length != length || memcmp(slot->line, line, length) != 0))
                at = (at + 1) & (size - 1);
            if (slot->line == NULL)
                *slot = (struct slot){line, length, (int)count++};
            texts[side].numbers[i] = slot->number;
        }
    free(slots);
    return count;
}

/* slide: a changed run that could as well lie further down goes as far down as it can, where
 * readers expect it: behind what repeats. */
static void slide(struct text *text)
{
    size_t start = 0, end;
    while (start < text->count) {
        if (!text->changed[start]) {
            start++;
            continue;
        }
        for (end = start; end < text->count && text->changed[end];)
            end++;
        while (end < text->count && text->numbers[start] == text->numbers[end]) {
            text->changed[start++] = false;
            text->changed[end++] = true;
            while (end < text->count && text->changed[end])
                end++;
        }
        start = end;
    }
}

/* ---- Output ---- */

static void print_header(const char *mark, const struct text *text)
{
    char when[64], zone[16];
    struct tm parts;
    localtime_r(&text->stat.st_mtim.tv_sec, &parts);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts);
    strftime(zone, sizeof(zone), "%z", &parts);
    output_format("%s %s\t%s.%09ld %s\n", mark, text->name, when, (long)text->stat.st_mtim.tv_nsec,
                  zone);
}

static void print_range(char sign, size_t start, size_t count)
{
    output_format(" %c%zu", sign, count > 0 ? start + 1 : start);
    if (count != 1)
        output_format(",%zu", count);
}

static void print_line(char sign, const struct text *text, size_t line)
{
    const struct line *at = &text->lines[line];
    output_char(sign);
    output_write(text->bytes + at->start, at->length);
    if (text->bytes[at->start + at->length - 1] != '\n')
        output_text("\n\\ No newline at end of file\n");
}

/* print_hunk: lines [a0, a1) and [b0, b1), which begin and end alike. */
static void print_hunk(const struct text texts[2], size_t a0, size_t a1, size_t b0, size_t b1)
{
    output_text("@@");
    print_range('-', a0, a1 - a0);
    print_range('+', b0, b1 - b0);
    output_text(" @@\n");
    while (a0 < a1 || b0 < b1) {
        if (a0 < a1 && texts[0].changed[a0]) {
            print_line('-', &texts[0], a0++);
        } else if (b0 < b1 && texts[1].changed[b0]) {
            print_line('+', &texts[1], b0++);
        } else {
            print_line(' ', &texts[0], a0++);
            b0++;
        }
    }
}

/* skip_changed: to the next lines that are common. */
static void skip_changed(const struct text texts[2], size_t *a, size_t *b)
{
    while (*a < texts[0].count && texts[0].changed[*a])
        (*a)++;
    while (*b < texts[1].count && texts[1].changed[*b])
        (*b)++;
}

static bool changes_at(const struct text texts[2], size_t a, size_t b)
{
    return (a < texts[0].count && texts[0].changed[a]) ||
           (b < texts[1].count && texts[1].changed[b]);
}

/* print_hunks: changes with at most 2 * context common lines between them share a hunk. */
static void print_hunks(const struct text texts[2])
{
    size_t a = 0, b = 0,
           context = options.context < SIZE_MAX / 4 ? (size_t)options.context : SIZE_MAX / 4;
    while (a < texts[0].count || b < texts[1].count) {
        if (!changes_at(texts, a, b)) {
            a++, b++;
            continue;
        }
        size_t before = a < b ? a : b;
        before = before < context ? before : context;
        size_t a_start = a - before, b_start = b - before, same = 0;
        size_t a_end = a, b_end = b;
        while (same <= 2 * context && (a < texts[0].count || b < texts[1].count)) {
            if (changes_at(texts, a, b)) {
                skip_changed(texts, &a, &b);
                a_end = a, b_end = b;
                same = 0;
            } else {
                a++, b++, same++;
            }
        }
        size_t behind = texts[0].count - a_end < context ? texts[0].count - a_end : context;
        print_hunk(texts, a_start, a_end + behind, b_start, b_end + behind);
        a = a_end + behind, b = b_end + behind;
    }
}

/* ---- Comparing ---- */

static bool is_binary(const struct text *text)
{
    return text->length > 0 && memchr(text->bytes, '\0', text->length) != NULL;
}

static void compare_texts(struct text texts[2], const char *command)
{
    bool same =
        texts[0].length == texts[1].length &&
        (texts[0].length == 0 || memcmp(texts[0].bytes, texts[1].bytes, texts[0].length) == 0);
    if (same) {
        if (options.report_same)
            output_format("Files %s and %s are identical\n", texts[0].name, texts[1].name);
        return;
    }
    bool binary = is_binary(&texts[0]) || is_binary(&texts[1]);
    worsen(1);
    if (options.brief || binary) {
        output_format("%s %s and %s differ\n", options.brief ? "Files" : "Binary files",
                      texts[0].name, texts[1].name);
        return;
    }
    split_text(&texts[0]);
    split_text(&texts[1]);
    size_t numbers = number_lines(texts);
    struct sequence a = {texts[0].numbers, texts[0].changed, texts[0].count};
    struct sequence b = {texts[1].numbers, texts[1].changed, texts[1].count};
    if (!edit_script(&a, &b, numbers))
        errx(2, "out of memory");
    slide(&texts[0]);
    slide(&texts[1]);
    if (command != NULL)
        output_format("%s %s %s\n", command, texts[0].name, texts[1].name);
    print_header("---", &texts[0]);
    print_header("+++", &texts[1]);
    print_hunks(texts);
}

static void compare_files(const char *a, const char *b, const char *command)
{
    struct text texts[2] = {{0}, {0}};
    bool good = read_text(&texts[0], a);
    good = read_text(&texts[1], b) && good;
    if (good)
        compare_texts(texts, command);
    else
        worsen(2);
    free_text(&texts[0]);
    free_text(&texts[1]);
}

/* ---- Directories ---- */

/* Two paths to be compared; in NULL's place there is nothing: only is where the other one is. */
struct pair {
    char *paths[2];
    char *only, *name;
};

static struct {
    struct pair *list;
    size_t count, capacity;
} pending;

/* push_names: the merged names of two directories, in reverse, so that the first is on top. */
static void push_names(const char *a, const char *b)
{
    const char *directories[2] = {a, b};
    struct names names[2];
    for (int side = 0; side < 2; side++)
        if (names_read(&names[side], directories[side], false) < 0 &&
            !(options.absent_is_empty && errno == ENOENT)) {
            warn("%s", directories[side]);
            worsen(2);
        }
    size_t i = names[0].count, j = names[1].count;
    while (i > 0 || j > 0) {
        int order = i == 0 ? -1 : j == 0 ? 1 : strcmp(names[0].list[i - 1], names[1].list[j - 1]);
        const char *name = order >= 0 ? names[0].list[i - 1] : names[1].list[j - 1];
        struct pair pair = {.name = must_copy(name)};
        pair.paths[0] = path_join(a, name);
        pair.paths[1] = path_join(b, name);
        if (order != 0)
            pair.only = must_copy(directories[order < 0]);
        pending.list = must_grow(pending.list, pending.count, &pending.capacity, sizeof(pair));
        pending.list[pending.count++] = pair;
        i -= order >= 0;
        j -= order <= 0;
    }
    names_free(&names[0]);
    names_free(&names[1]);
}

static void compare_pair(const struct pair *pair)
{
    bool directory[2] = {is_directory(pair->paths[0]), is_directory(pair->paths[1])};
    if (pair->only != NULL &&
        !(options.absent_is_empty && (options.recursive || !(directory[0] || directory[1])))) {
        output_format("Only in %s: %s\n", pair->only, pair->name);
        worsen(1);
    } else if (directory[0] && directory[1] && !options.recursive) {
        output_format("Common subdirectories: %s and %s\n", pair->paths[0], pair->paths[1]);
    } else if (directory[0] && directory[1]) {
        push_names(pair->paths[0], pair->paths[1]);
    } else if (pair->only != NULL && (directory[0] || directory[1])) {
        push_names(pair->paths[0], pair->paths[1]);
    } else if (directory[0] || directory[1]) {
        output_format("File %s is a %s while file %s is a %s\n", pair->paths[0],
                      directory[0] ? "directory" : "regular file", pair->paths[1],
                      directory[1] ? "directory" : "regular file");
        worsen(1);
    } else {
        compare_files(pair->paths[0], pair->paths[1], options.recursive ? "diff -ru" : "diff -u");
    }
}

static void compare_directories(const char *a, const char *b)
{
    push_names(a, b);
    while (pending.count > 0) {
        struct pair pair = pending.list[--pending.count];
        compare_pair(&pair);
        free(pair.paths[0]);
        free(pair.paths[1]);
        free(pair.only);
        free(pair.name);
    }
    free(pending.list);
}

int main(int argc, char **argv)
{
    int option;
    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "NqrsuU:")) != -1) {
        options.absent_is_empty |= option == 'N';
        options.brief |= option == 'q';
        options.recursive |= option == 'r';
        options.report_same |= option == 's';
        if (option == 'U' && !parse_count(optarg, &options.context))
            errx(2, "%s: invalid number of lines", optarg);
    }
    if (argc - optind != 2)
        utility_misuse("two operands are needed");
    const char *a = argv[optind], *b = argv[optind + 1];
    bool a_directory = is_directory(a), b_directory = is_directory(b);
    if (a_directory && b_directory) {
        compare_directories(a, b);
    } else if (a_directory || b_directory) { /* the file of the same name in the directory */
        char *base = path_base(a_directory ? b : a);
        char *inside = path_join(a_directory ? a : b, base);
        compare_files(a_directory ? inside : a, a_directory ? b : inside, NULL);
        free(base);
        free(inside);
    } else {
        compare_files(a, b, NULL);
    }
    return status;
}
