/* dd: copies blocks of chosen size between files, devices and pipes. */
#include "common/utility.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static const char usage[] =
    "usage: dd [if=FILE] [of=FILE] [bs=BYTES | ibs=BYTES obs=BYTES] [count=BLOCKS] [skip=BLOCKS]\n"
    "          [seek=BLOCKS] [conv=notrunc,fsync,sync,noerror] [status=none|noxfer]\n"
    "  skip=, seek=  blocks to pass over in the input, in the output\n"
    "  conv=notrunc  do not cut the output off\n"
    "  conv=fsync    all is on the medium before the end\n"
    "  conv=sync     short blocks are filled with zeros\n"
    "  conv=noerror  go on after read errors\n"
    "Numbers may have units: c 1, w 2, b 512, k, M, G.\n";

static struct {
    const char *input, *output;
    uint64_t input_size, output_size, count, skip, seek;
    bool keep_length, sync_medium, pad, go_on, quiet, no_transfer, one_size;
} options = {.input_size = 512, .output_size = 512, .count = UINT64_MAX};

static struct {
    uint64_t full_in, part_in, full_out, part_out, bytes;
} records;

/* ---- Operands ---- */

static uint64_t number_operand(const char *name, const char *text)
{
    uint64_t value;
    if (!parse_size(text, &value))
        errx(1, "%s%s: invalid number", name, text);
    return value;
}

static void take_flags(const char *name, const char *text, const char *const *names,
                       bool *const *flags)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ","), i = 0;
        while (names[i] != NULL &&
               (strlen(names[i]) != length || memcmp(names[i], text, length) != 0))
            i++;
        if (names[i] == NULL)
            errx(1, "%s%s: unknown word", name, text);
        *flags[i] = true;
        text += length + (text[length] == ',');
    }
}

static void take_operand(const char *operand)
{
    static const char *const conversions[] = {"notrunc", "fsync", "sync", "noerror", NULL};
    static bool *const conversion_flags[] = {&options.keep_length, &options.sync_medium,
                                             &options.pad, &options.go_on};
    static const char *const statuses[] = {"none", "noxfer", NULL};
    static bool *const status_flags[] = {&options.quiet, &options.no_transfer};
    static const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {{"ibs=", &options.input_size},
                   {"obs=", &options.output_size},
                   {"count=", &options.count},
                   {"skip=", &options.skip},
                   {"seek=", &options.seek}};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strncmp(operand, numbers[i].name, strlen(numbers[i].name)) == 0) {
            *numbers[i].value = number_operand(numbers[i].name, operand + strlen(numbers[i].name));
            return;
        }
    if (strncmp(operand, "bs=", 3) == 0) {
        options.input_size = options.output_size = number_operand("bs=", operand + 3);
        options.one_size = true;
    } else if (strncmp(operand, "if=", 3) == 0) {
        options.input = operand + 3;
    } else if (strncmp(operand, "of=", 3) == 0) {
        options.output = operand + 3;
    } else if (strncmp(operand, "conv=", 5) == 0) {
        take_flags("conv=", operand + 5, conversions, conversion_flags);
    } else if (strncmp(operand, "status=", 7) == 0) {
        take_flags("status=", operand + 7, statuses, status_flags);
    } else {
        errx(1, "%s: unknown operand", operand);
    }
}

/* ---- Files ---- */

static void open_files(void)
{
    if (options.input != NULL) {
        int fd = open(options.input, O_RDONLY);
        if (fd < 0 || (fd != STDIN_FILENO && dup2(fd, STDIN_FILENO) < 0))
            err(1, "%s", options.input);
    } else {
        options.input = "standard input";
    }
    if (options.output != NULL) {
        bool cut = !options.keep_length;
        int flags = O_WRONLY | O_CREAT | (cut && options.seek == 0 ? O_TRUNC : 0);
        int fd = open(options.output, flags, 0666);
        if (fd < 0)
            err(1, "%s", options.output);
        struct stat status;
        if (cut && options.seek > 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
            ftruncate(fd, (off_t)(options.seek * options.output_size)) < 0)
            err(1, "%s", options.output);
        if (fd != STDOUT_FILENO && dup2(fd, STDOUT_FILENO) < 0)
            err(1, "%s", options.output);
    } else {
        options.output = "standard output";
    }
}

/* skip_input: by seeking, or by reading where that does not work. */
static void skip_input(uint8_t *buffer)
{
    struct stat status;
    if (options.skip == 0)
        return;
    bool is_pipe = fstat(STDIN_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
    off_t offset = (off_t)(options.skip * options.input_size);
    if (!is_pipe && lseek(STDIN_FILENO, offset, SEEK_CUR) >= 0)
        return;
    for (uint64_t i = 0; i < options.skip; i++) {
        ssize_t n = read_some(STDIN_FILENO, buffer, (size_t)options.input_size);
        if (n < 0)
            err(1, "%s", options.input);
        if (n == 0)
            break;
    }
}

static void write_block(const uint8_t *data, size_t length)
{
    if (write_all(STDOUT_FILENO, data, length) < 0)
        err(1, "%s", options.output);
    if (length == options.output_size)
        records.full_out++;
    else
        records.part_out++;
    records.bytes += length;
}

/* copy_blocks: with one size, each block read is written at once; else blocks are regrouped. */
static int copy_blocks(uint8_t *in, uint8_t *out)
{
    size_t input_size = (size_t)options.input_size, output_size = (size_t)options.output_size;
    size_t held = 0;
    int status = 0;

    for (uint64_t block = 0; block < options.count; block++) {
        ssize_t n = read_some(STDIN_FILENO, in, input_size);
        if (n < 0) {
            warn("%s", options.input);
            status = 1;
            if (!options.go_on || lseek(STDIN_FILENO, (off_t)input_size, SEEK_CUR) < 0)
                break;
            if (!options.pad)
                continue;
            n = 0;
        } else if (n == 0) {
            break;
        }
        if ((size_t)n == input_size)
            records.full_in++;
        else
            records.part_in++;
        if (options.pad && (size_t)n < input_size) {
            memset(in + n, 0, input_size - (size_t)n);
            n = (ssize_t)input_size;
        }
        if (options.one_size) {
            write_block(in, (size_t)n);
            continue;
        }
        for (size_t at = 0, part; at < (size_t)n; at += part) {
            part = output_size - held < (size_t)n - at ? output_size - held : (size_t)n - at;
            memcpy(out + held, in + at, part);
            held += part;
            if (held == output_size) {
                write_block(out, held);
                held = 0;
            }
        }
    }
    if (held > 0)
        write_block(out, held);
    return status;
}

/* ---- Report ---- */

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void report(uint64_t elapsed)
{
    unsigned long long milliseconds = elapsed / 1000000;
    if (options.quiet)
        return;
    fprintf(stderr, "%llu+%llu records in\n%llu+%llu records out\n",
            (unsigned long long)records.full_in, (unsigned long long)records.part_in,
            (unsigned long long)records.full_out, (unsigned long long)records.part_out);
    if (options.no_transfer)
        return;
    unsigned long long rate = /* in units of 100 kB/s */
        (unsigned long long)((unsigned __int128)records.bytes * 10000 /
                             (elapsed > 0 ? elapsed : 1));
    fprintf(stderr, "%llu bytes copied, %llu.%03llu s, %llu.%llu MB/s\n",
            (unsigned long long)records.bytes, milliseconds / 1000, milliseconds % 1000, rate / 10,
            rate % 10);
}

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    for (int i = optind; i < argc; i++)
        take_operand(argv[i]);
    uint64_t most = 1u << 30, product;
    if (options.input_size == 0 || options.input_size > most || options.output_size == 0 ||
        options.output_size > most)
        errx(1, "block sizes must be between 1 and 1G");
    if (__builtin_mul_overflow(options.skip, options.input_size, &product) || product > INT64_MAX ||
        __builtin_mul_overflow(options.seek, options.output_size, &product) || product > INT64_MAX)
        errx(1, "offset too large");
    uint8_t *in = must_allocate((size_t)options.input_size);
    uint8_t *out = options.one_size ? NULL : must_allocate((size_t)options.output_size);
    uint64_t start = nanoseconds();
    open_files();
    skip_input(in);
    if (options.seek > 0 && lseek(STDOUT_FILENO, (off_t)product, SEEK_CUR) < 0)
        err(1, "%s", options.output);
    int status = copy_blocks(in, out);
    if (options.sync_medium && fsync(STDOUT_FILENO) < 0) {
        warn("%s", options.output);
        status = 1;
    }
    report(nanoseconds() - start);
    if (close(STDOUT_FILENO) < 0) {
        warn("%s", options.output);
        status = 1;
    }
    free(in);
    free(out);
    return status;
}
