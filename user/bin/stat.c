/* stat: all that is known about files. */
#include "common/file_mode.h"
#include "common/path.h"
#include <time.h>

static const char usage[] =
    "usage: stat [-L] [-c FORMAT] FILE...\n"
    "  -L         what symbolic links lead to\n"
    "  -c FORMAT  %n name, %N with target, %s size, %b blocks, %B bytes in each,\n"
    "             %f %a %A mode (hex, octal, letters), %F type, %u %g owner,\n"
    "             %i inode, %h links, %d device, %o best size for transfers,\n"
    "             %x %y %z times (%X %Y %Z in seconds), %%\n";

static const char *type_text(const struct stat *status)
{
    mode_t mode = status->st_mode;
    return S_ISREG(mode)    ? status->st_size > 0 ? "regular file" : "regular empty file"
           : S_ISDIR(mode)  ? "directory"
           : S_ISLNK(mode)  ? "symbolic link"
           : S_ISCHR(mode)  ? "character special file"
           : S_ISBLK(mode)  ? "block special file"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISSOCK(mode) ? "socket"
                            : "unknown";
}

static void print_time(const struct timespec *time)
{
    char text[64], zone[16];
    struct tm parts;
    localtime_r(&time->tv_sec, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    strftime(zone, sizeof(zone), "%z", &parts);
    output_format("%s.%09ld %s", text, (long)time->tv_nsec, zone);
}

/* print_link: the name, and where it leads. */
static void print_link(const char *path, const struct stat *status, const char *quote)
{
    char target[4096];
    ssize_t length = -1;
    output_format("%s%s%s", quote, path, quote);
    if (S_ISLNK(status->st_mode))
        length = readlink(path, target, sizeof(target) - 1);
    if (length >= 0) {
        target[length] = '\0';
        output_format(" -> %s%s%s", quote, target, quote);
    }
}

static void print_field(char field, const char *path, const struct stat *status)
{
    char mode[11];
    const struct {
        char letter;
        char base; /* d, x, o */
        unsigned long long value;
    } numbers[] = {
        {'s', 'd', (unsigned long long)status->st_size},
        {'b', 'd', (unsigned long long)status->st_blocks},
        {'B', 'd', 512},
        {'f', 'x', status->st_mode},
        {'a', 'o', status->st_mode & MODE_BITS},
        {'u', 'd', status->st_uid},
        {'g', 'd', status->st_gid},
        {'i', 'd', status->st_ino},
        {'h', 'd', status->st_nlink},
        {'d', 'd', status->st_dev},
        {'o', 'd', (unsigned long long)status->st_blksize},
        {'X', 'd', (unsigned long long)status->st_atime},
        {'Y', 'd', (unsigned long long)status->st_mtime},
        {'Z', 'd', (unsigned long long)status->st_ctime},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].letter == field) {
            output_format(numbers[i].base == 'x'   ? "%llx"
                          : numbers[i].base == 'o' ? "%llo"
                                                   : "%llu",
                          numbers[i].value);
            return;
        }
    if (field == 'n')
        output_text(path);
    else if (field == 'N')
        print_link(path, status, "'");
    else if (field == 'A')
        output_text(mode_string(status->st_mode, mode));
    else if (field == 'F')
        output_text(type_text(status));
    else if (field == 'x')
        print_time(&status->st_atim);
    else if (field == 'y')
        print_time(&status->st_mtim);
    else if (field == 'z')
        print_time(&status->st_ctim);
    else if (field == '%')
        output_char('%');
    else
        output_char('?');
}

static void print_formatted(const char *format, const char *path, const struct stat *status)
{
    for (; *format != '\0'; format++) {
        if (*format == '%' && format[1] != '\0')
            print_field(*++format, path, status);
        else
            output_char(*format);
    }
    output_char('\n');
}

static void print_all(const char *path, const struct stat *status)
{
    char mode[11];
    output_text("  File: ");
    print_link(path, status, "");
    output_format("\n  Size: %-10llu\tBlocks: %-10llu IO Block: %-6llu %s\n",
                  (unsigned long long)status->st_size, (unsigned long long)status->st_blocks,
                  (unsigned long long)status->st_blksize, type_text(status));
    output_format("Device: %llu\tInode: %-11llu Links: %llu\n", (unsigned long long)status->st_dev,
                  (unsigned long long)status->st_ino, (unsigned long long)status->st_nlink);
    output_format("Access: (%04o/%s)  Uid: %u   Gid: %u\n", (unsigned)(status->st_mode & MODE_BITS),
                  mode_string(status->st_mode, mode), (unsigned)status->st_uid,
                  (unsigned)status->st_gid);
    output_text("Access: ");
    print_time(&status->st_atim);
    output_text("\nModify: ");
    print_time(&status->st_mtim);
    output_text("\nChange: ");
    print_time(&status->st_ctim);
    output_char('\n');
}

int main(int argc, char **argv)
{
    const char *format = NULL;
    bool follow = false;
    int option, result = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "Lc:")) != -1) {
        if (option == 'c')
            format = optarg;
        else
            follow = true;
    }
    if (optind == argc)
        utility_misuse("missing operand");
    for (int i = optind; i < argc; i++) {
        struct stat status;
        if ((follow ? stat(argv[i], &status) : lstat(argv[i], &status)) < 0) {
            warn("%s", argv[i]);
            result = 1;
        } else if (format != NULL) {
            print_formatted(format, argv[i], &status);
        } else {
            print_all(argv[i], &status);
        }
    }
    return result;
}
