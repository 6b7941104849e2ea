/* ls: what is in directories: in columns on a terminal, else one name a line. */
#include "common/file_mode.h"
#include "common/human.h"
#include "common/walk.h"
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

static const char usage[] = "usage: ls [-1aACdFhiklLnpqrRsStU] [FILE]...\n"
                            "  -a, -A   also names that start with '.', without . and ..\n"
                            "  -l, -n   long: mode, links, owner, size, time\n"
                            "  -1, -C   one name a line, columns\n"
                            "  -d       directories themselves, not what is in them\n"
                            "  -R       directories in directories, too\n"
                            "  -t, -S, -U, -r  by time, by size, not at all; reversed\n"
                            "  -h       sizes with units\n"
                            "  -i, -s   with inode numbers, with blocks of 1024 bytes\n"
                            "  -F, -p   mark types (/ @ * | =), only directories\n"
                            "  -L       show what symbolic links lead to\n";

static struct {
    bool all, almost_all, columns, directory, human, inode, link, long_form, recursive, reverse;
    bool blocks, hide_controls;
    char sort; /* 0: by name, or 't', 'S', 'U' */
    char mark; /* 0, 'F', 'p' */
    size_t width;
} options;

struct file {
    char *name; /* as printed */
    char *path;
    char *target; /* of a symbolic link, if wanted */
    struct stat stat;
    bool known; /* stat is valid */
};

struct files {
    struct file *list;
    size_t count, capacity;
};

static int status;

/* ---- Collecting ---- */

static void complain(const char *path, int severity)
{
    warn("%s", path);
    if (severity > status)
        status = severity;
}

static char *read_target(const char *path)
{
    char text[4096];
    ssize_t length = readlink(path, text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? must_copy(text) : NULL;
}

/* needs_stat: names alone can be listed without asking about each file. */
static bool needs_stat(void)
{
    return options.long_form || options.recursive || options.inode || options.blocks ||
           options.mark != 0 || options.sort == 't' || options.sort == 'S';
}

/* add_file: takes over path. follow: what a link leads to counts, if it leads anywhere. */
static bool add_file(struct files *files, const char *name, char *path, bool follow, int severity)
{
    struct file file = {.name = must_copy(name), .path = path};
    if (severity == 2 || needs_stat()) {
        file.known = (follow && stat(path, &file.stat) == 0) ||
                     (!options.link && lstat(path, &file.stat) == 0);
        if (!file.known)
            complain(path, severity);
        if (!file.known && severity == 2) {
            free(file.name);
            free(path);
            return false;
        }
        if (file.known && options.long_form && S_ISLNK(file.stat.st_mode))
            file.target = read_target(path);
    }
    files->list = must_grow(files->list, files->count, &files->capacity, sizeof(file));
    files->list[files->count++] = file;
    return true;
}

static void free_files(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->list[i].name);
        free(files->list[i].path);
        free(files->list[i].target);
    }
    free(files->list);
    *files = (struct files){0};
}

static int compare_files(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    int result = 0;
    if (options.sort == 'S' && x->stat.st_size != y->stat.st_size)
        result = x->stat.st_size > y->stat.st_size ? -1 : 1;
    if (options.sort == 't' && x->stat.st_mtim.tv_sec != y->stat.st_mtim.tv_sec)
        result = x->stat.st_mtim.tv_sec > y->stat.st_mtim.tv_sec ? -1 : 1;
    else if (options.sort == 't' && x->stat.st_mtim.tv_nsec != y->stat.st_mtim.tv_nsec)
        result = x->stat.st_mtim.tv_nsec > y->stat.st_mtim.tv_nsec ? -1 : 1;
    if (result == 0)
        result = strcmp(x->name, y->name);
    return options.reverse ? -result : result;
}

static void sort_files(struct files *files)
{
    if (files->count > 1 && options.sort != 'U')
        qsort(files->list, files->count, sizeof(struct file), compare_files);
}

/* ---- Printing ---- */

static char mark_of(const struct file *file)
{
    mode_t mode = file->stat.st_mode;
    if (options.mark == 0 || !file->known)
        return '\0';
    if (S_ISDIR(mode))
        return '/';
    if (options.mark == 'p')
        return '\0';
    return S_ISLNK(mode)                    ? '@'
           : S_ISFIFO(mode)                 ? '|'
           : S_ISSOCK(mode)                 ? '='
           : S_ISREG(mode) && (mode & 0111) ? '*'
                                            : '\0';
}

/* print_name: control characters would let a name play with the terminal. */
static void print_name(const char *name)
{
    for (; *name != '\0'; name++) {
        bool control = (unsigned char)*name < 0x20 || *name == 0x7f;
        output_char(options.hide_controls && control ? '?' : *name);
    }
}

static unsigned long long kilobytes(const struct stat *status_)
{
    return ((unsigned long long)status_->st_blocks + 1) / 2;
}

static const char *size_text(char *text, uint64_t bytes)
{
    if (options.human)
        return human_size(text, bytes);
    snprintf(text, HUMAN_SIZE, "%llu", (unsigned long long)bytes);
    return text;
}

/* blocks_text: in units of 1024 bytes. */
static const char *blocks_text(char *text, const struct stat *file)
{
    if (options.human)
        return human_size(text, (uint64_t)file->st_blocks * 512);
    snprintf(text, HUMAN_SIZE, "%llu", kilobytes(file));
    return text;
}

static int text_width(uint64_t number)
{
    int width = 1;
    for (; number >= 10; number /= 10)
        width++;
    return width;
}

struct widths {
    int inode, blocks, links, owner, group, size;
};

static void widen(int *width, int to)
{
    if (to > *width)
        *width = to;
}

static struct widths measure(const struct files *files)
{
    struct widths widths = {0};
    char text[HUMAN_SIZE];
    for (size_t i = 0; i < files->count; i++) {
        const struct stat *file = &files->list[i].stat;
        if (!files->list[i].known) {
            widen(&widths.size, 1);
            continue;
        }
        widen(&widths.inode, text_width(file->st_ino));
        widen(&widths.blocks, (int)strlen(blocks_text(text, file)));
        widen(&widths.links, text_width(file->st_nlink));
        widen(&widths.owner, text_width(file->st_uid));
        widen(&widths.group, text_width(file->st_gid));
        widen(&widths.size, (int)strlen(size_text(text, (uint64_t)file->st_size)));
    }
    return widths;
}

/* print_front: inode number and blocks, which every form may have. */
static void print_front(const struct file *file, const struct widths *widths)
{
    char text[HUMAN_SIZE];
    if (options.inode && file->known)
        output_format("%*llu ", widths->inode, (unsigned long long)file->stat.st_ino);
    else if (options.inode)
        output_format("%*s ", widths->inode, "?");
    if (options.blocks)
        output_format("%*s ", widths->blocks, file->known ? blocks_text(text, &file->stat) : "?");
}

/* time_text: with the time of day if that is of the last half year. */
static const char *time_text(char *text, size_t size, time_t when)
{
    static time_t now;
    struct tm parts;
    if (now == 0)
        now = time(NULL);
    bool recent = when <= now && now - when < 31556952 / 2;
    localtime_r(&when, &parts);
    strftime(text, size, recent ? "%b %e %H:%M" : "%b %e  %Y", &parts);
    return text;
}

static void print_long(const struct file *file, const struct widths *widths)
{
    char mode[11], size[HUMAN_SIZE], when[32];
    print_front(file, widths);
    if (file->known)
        output_format("%s %*lu %-*lu %-*lu %*s %s ", mode_string(file->stat.st_mode, mode),
                      widths->links, (unsigned long)file->stat.st_nlink, widths->owner,
                      (unsigned long)file->stat.st_uid, widths->group,
                      (unsigned long)file->stat.st_gid, widths->size,
                      size_text(size, (uint64_t)file->stat.st_size),
                      time_text(when, sizeof(when), file->stat.st_mtime));
    else
        output_format("?????????? %*s %-*s %-*s %*s %12s ", widths->links, "?", widths->owner, "?",
                      widths->group, "?", widths->size, "?", "?");
    print_name(file->name);
    if (file->target != NULL) {
        output_text(" -> ");
        print_name(file->target);
    } else if (mark_of(file) != '\0') {
        output_char(mark_of(file));
    }
    output_char('\n');
}

static size_t short_width(const struct file *file, const struct widths *widths)
{
    return strlen(file->name) + (mark_of(file) != '\0') +
           (options.inode ? (size_t)widths->inode + 1 : 0) +
           (options.blocks ? (size_t)widths->blocks + 1 : 0);
}

static void print_short(const struct file *file, const struct widths *widths)
{
    print_front(file, widths);
    print_name(file->name);
    if (mark_of(file) != '\0')
        output_char(mark_of(file));
}

/* fit_columns: widths of columns for this many rows; their sum. */
static size_t fit_columns(const struct files *files, const struct widths *widths, size_t rows,
                          size_t *columns)
{
    size_t total = 0;
    for (size_t i = 0; i < files->count; i++) {
        size_t *column = &columns[i / rows], width = short_width(&files->list[i], widths) + 2;
        if (i % rows == 0)
            *column = 0;
        if (width > *column) {
            total += width - *column;
            *column = width;
        }
    }
    return total - 2;
}

/* print_columns: as few rows as fit, filled downwards. */
static void print_columns(const struct files *files, const struct widths *widths)
{
    size_t *columns = must_allocate(files->count * sizeof(size_t)), rows = 0;
    size_t sum = 0;
    for (size_t i = 0; i < files->count; i++)
        sum += short_width(&files->list[i], widths) + 2;
    rows = sum / (options.width + 2); /* fewer cannot fit */
    if (rows >= files->count)
        rows = files->count - 1;
    do
        rows++;
    while (rows < files->count && fit_columns(files, widths, rows, columns) >= options.width);
    fit_columns(files, widths, rows, columns);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < files->count; i += rows) {
            print_short(&files->list[i], widths);
            size_t width = short_width(&files->list[i], widths);
            if (i + rows < files->count)
                output_format("%*s", (int)(columns[i / rows] - width), "");
        }
        output_char('\n');
    }
    free(columns);
}

static void print_files(const struct files *files)
{
    struct widths widths = measure(files);
    if (options.columns && !options.long_form && files->count > 0) {
        print_columns(files, &widths);
        return;
    }
    for (size_t i = 0; i < files->count; i++) {
        if (options.long_form) {
            print_long(&files->list[i], &widths);
        } else {
            print_short(&files->list[i], &widths);
            output_char('\n');
        }
    }
}

/* ---- Directories ---- */

static void print_total(const struct files *files)
{
    unsigned long long total = 0;
    char text[HUMAN_SIZE];
    for (size_t i = 0; i < files->count; i++)
        total += files->list[i].known ? (unsigned long long)files->list[i].stat.st_blocks : 0;
    if (options.human)
        output_format("total %s\n", human_size(text, total * 512));
    else
        output_format("total %llu\n", (total + 1) / 2);
}

static bool is_shown(const char *name)
{
    return name[0] != '.' || options.all || (options.almost_all && !path_is_dots(name));
}

/* read_directory: its files, in order. */
static bool read_directory(struct files *files, const char *path, int severity)
{
    struct names names;
    *files = (struct files){0};
    bool good = names_read(&names, path, true) == 0;
    int error = errno;
    if (!good) {
        complain(path, severity);
        if (error == ENOTDIR || (names.count == 0 && error == ENOENT))
            return false;
    }
    /* servers of names need not list "." and ".."; file systems do */
    for (size_t i = 0; i < names.count; i++)
        if (is_shown(names.list[i]))
            add_file(files, names.list[i], path_join(path, names.list[i]), options.link, 1);
    names_free(&names);
    sort_files(files);
    return good || files->count > 0;
}

struct pending {
    char **paths;
    size_t count, capacity;
};

/* push_directories: in reverse, so that the first is on top. */
static void push_directories(struct pending *pending, const struct files *files, bool arguments)
{
    for (size_t i = files->count; i-- > 0;) {
        const struct file *file = &files->list[i];
        if (!file->known || !S_ISDIR(file->stat.st_mode) ||
            (!arguments && path_is_dots(file->name)))
            continue;
        pending->paths =
            must_grow(pending->paths, pending->count, &pending->capacity, sizeof(char *));
        pending->paths[pending->count++] = must_copy(file->path);
    }
}

/* list_directories: a stack of what is still to be listed, no recursion. headers: with names. */
static void list_directories(const struct files *arguments, bool headers, bool first)
{
    struct pending pending = {0};
    struct files files;
    push_directories(&pending, arguments, true);
    size_t from_arguments = pending.count;
    while (pending.count > 0) {
        char *path = pending.paths[--pending.count];
        int severity = pending.count < from_arguments ? 2 : 1;
        if (pending.count < from_arguments)
            from_arguments = pending.count;
        if (read_directory(&files, path, severity)) {
            if (headers || options.recursive)
                output_format("%s%s:\n", first ? "" : "\n", path);
            first = false;
            if (options.long_form || options.blocks)
                print_total(&files);
            print_files(&files);
            if (options.recursive)
                push_directories(&pending, &files, false);
        }
        free_files(&files);
        free(path);
    }
    free(pending.paths);
}

static size_t terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    uint64_t number;
    if (columns != NULL && parse_count(columns, &number) && number > 0)
        return (size_t)number;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void take_options(int argc, char **argv)
{
    bool terminal = isatty(STDOUT_FILENO);
    int option;
    options.columns = options.hide_controls = terminal;
    while ((option = utility_option(argc, argv, "1aACdFhiklLnpqrRsStU")) != -1) {
        options.all |= option == 'a';
        options.almost_all |= option == 'A';
        options.directory |= option == 'd';
        options.human |= option == 'h';
        options.inode |= option == 'i';
        options.link |= option == 'L';
        options.hide_controls |= option == 'q';
        options.recursive |= option == 'R';
        options.reverse |= option == 'r';
        options.blocks |= option == 's';
        if (option == 'l' || option == 'n' || option == '1' || option == 'C') {
            options.long_form =
                option == 'l' || option == 'n' || (option == '1' && options.long_form);
            options.columns = option == 'C';
        }
        if (option == 't' || option == 'S' || option == 'U')
            options.sort = (char)option;
        if (option == 'F' || option == 'p')
            options.mark = (char)option;
    }
    options.width = terminal_width();
}

int main(int argc, char **argv)
{
    struct files arguments = {0}, plain = {0}, directories = {0};
    utility_start(usage, 2);
    take_options(argc, argv);
    if (optind == argc)
        add_file(&arguments, ".", must_copy("."), true, 2);
    for (int i = optind; i < argc; i++)
        add_file(&arguments, argv[i], must_copy(argv[i]),
                 options.link || (!options.directory && !options.long_form && options.mark != 'F'),
                 2);
    sort_files(&arguments);
    /* the structures are only shared out; arguments still owns what they point to */
    for (size_t i = 0; i < arguments.count; i++) {
        bool enter = S_ISDIR(arguments.list[i].stat.st_mode) && !options.directory;
        struct files *to = enter ? &directories : &plain;
        to->list = must_grow(to->list, to->count, &to->capacity, sizeof(struct file));
        to->list[to->count++] = arguments.list[i];
    }
    if (plain.count > 0)
        print_files(&plain);
    if (directories.count > 0)
        list_directories(&directories, argc - optind > 1, plain.count == 0);
    free(plain.list);
    free(directories.list);
    free_files(&arguments);
    return status;
}
