/* hexdump: bytes as hexadecimal numbers. */
#include "common/input.h"

static const char usage[] = "usage: hexdump [-Cv] [-n LENGTH] [-s SKIP] [FILE]...\n"
                            "  -C         bytes and their characters (else 16-bit words)\n"
                            "  -n LENGTH  only so many bytes\n"
                            "  -s SKIP    not the first SKIP bytes\n"
                            "  -v         do not shorten equal lines to *\n";

#define ROW 16

static struct input in;
static char **files;
static uint64_t limit = UINT64_MAX;
static int status;

/* next_bytes: up to size bytes of all files as if they were one. */
static size_t next_bytes(unsigned char *bytes, size_t size)
{
    size_t have = 0;
    if (size > limit)
        size = (size_t)limit;
    while (have < size) {
        if (in.fd < 0) {
            if (*files == NULL)
                break;
            if (!input_open(&in, *files++))
                status = 1;
            continue;
        }
        if (in.start == in.end && !input_fill(&in)) {
            status |= in.failed;
            input_close(&in);
            continue;
        }
        size_t part = in.end - in.start < size - have ? in.end - in.start : size - have;
        memcpy(bytes + have, in.buffer + in.start, part);
        in.start += part;
        have += part;
    }
    limit -= have;
    return have;
}

/* skip_bytes: by seeking where that works, so that a disk need not be read. */
static uint64_t skip_bytes(uint64_t count)
{
    static unsigned char ignored[BUFFER_SIZE];
    uint64_t left = count;

    while (left > 0 && *files != NULL && in.fd < 0) {
        off_t size;
        if (!input_open(&in, *files++)) {
            status = 1;
        } else if ((size = lseek(in.fd, 0, SEEK_END)) > 0 && (uint64_t)size < left) {
            left -= (uint64_t)size;
            input_close(&in);
        } else if (size > 0 && lseek(in.fd, (off_t)left, SEEK_SET) >= 0) {
            left = 0;
        } else {
            break;
        }
    }
    while (left > 0) {
        size_t n = next_bytes(ignored, left < sizeof(ignored) ? (size_t)left : sizeof(ignored));
        if (n == 0)
            errx(1, "cannot skip past the end of the input");
        left -= n;
    }
    return count;
}

static void print_canonical(const unsigned char *row, size_t length)
{
    for (size_t i = 0; i < ROW; i++) {
        output_text(i % 8 == 0 ? "  " : " ");
        if (i < length)
            output_format("%02x", row[i]);
        else
            output_text("  ");
    }
    output_text("  |");
    for (size_t i = 0; i < length; i++)
        output_char(row[i] >= 0x20 && row[i] < 0x7f ? row[i] : '.');
    output_text("|\n");
}

static void print_words(const unsigned char *row, size_t length)
{
    for (size_t i = 0; i < ROW; i += 2) {
        if (i < length)
            output_format(" %04x", row[i] | (i + 1 < length ? row[i + 1] << 8 : 0));
        else
            output_text("     ");
    }
    output_char('\n');
}

int main(int argc, char **argv)
{
    unsigned char row[ROW], last[ROW];
    uint64_t address = 0, skip = 0, digits = UINT64_MAX;
    bool canonical = false, all = false, squeezed = false, any = false;
    size_t length;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "Cvn:s:")) != -1) {
        canonical |= option == 'C';
        all |= option == 'v';
        if ((option == 'n' && !parse_size(optarg, &digits)) ||
            (option == 's' && !parse_size(optarg, &skip)))
            errx(1, "%s: invalid number", optarg);
    }
    in.fd = -1;
    files = input_arguments(argc, argv);
    address = skip_bytes(skip);
    limit = digits;
    const char *address_format = canonical ? "%08llx" : "%07llx";
    while ((length = next_bytes(row, ROW)) > 0) {
        bool same = any && !all && length == ROW && memcmp(row, last, ROW) == 0;
        if (same && !squeezed)
            output_text("*\n");
        if (!same) {
            output_format(address_format, (unsigned long long)address);
            if (canonical)
                print_canonical(row, length);
            else
                print_words(row, length);
        }
        squeezed = same;
        any = true;
        memcpy(last, row, ROW);
        address += length;
    }
    if (any) {
        output_format(address_format, (unsigned long long)address);
        output_char('\n');
    }
    free(in.buffer);
    return status;
}
