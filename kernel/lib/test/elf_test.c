/* Tests elf_parse: one good image, built by hand, and every way in which it may be spoiled. */

#include "abi/errno.h"
#include "abi/memory.h"
#include "lib/elf.h"
#include <stdio.h>
#include <string.h>

static int passed, failed;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition)                                                                             \
            passed++;                                                                              \
        else {                                                                                     \
            failed++;                                                                              \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

enum { TEXT = 0, DATA = 1, NOTE = 2, PHDRS = 3, IMAGE_SIZE = 0x3000 };
enum { FLAG_X = 1, FLAG_W = 2, FLAG_R = 4 };
enum { P_TYPE = 0, P_FLAGS = 4, P_OFFSET = 8, P_VADDR = 16, P_FILESZ = 32, P_MEMSZ = 40 };

static uint8_t image[IMAGE_SIZE];

static void put(size_t offset, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_phdr(unsigned index, unsigned field, uint64_t value)
{
    put(64 + index * 56 + field, value, field < P_OFFSET ? 4 : 8);
}

static void segment(unsigned index, uint32_t flags, uint64_t offset, uint64_t address,
                    uint64_t file_size, uint64_t memory_size)
{
    put_phdr(index, P_TYPE, 1);
    put_phdr(index, P_FLAGS, flags);
    put_phdr(index, P_OFFSET, offset);
    put_phdr(index, P_VADDR, address);
    put_phdr(index, P_FILESZ, file_size);
    put_phdr(index, P_MEMSZ, memory_size);
}

/* Text at 0x10000, data with a bss at 0x12800, and a note, which is not loaded. */
static void build(void)
{
    memset(image, 0, sizeof image);
    memcpy(image, "\177ELF\2\1\1", 7);
    put(16, 2, 2);
    put(18, 243, 2);
    put(20, 1, 4);
    put(24, 0x10100, 8);
    put(32, 64, 8);
    put(54, 56, 2);
    put(56, PHDRS, 2);
    segment(TEXT, FLAG_R | FLAG_X, 0, 0x10000, 0x1800, 0x1800);
    segment(DATA, FLAG_R | FLAG_W, 0x1800, 0x12800, 0x400, 0x9000);
    put_phdr(NOTE, P_TYPE, 4);
}

static int parse(void)
{
    struct elf_image out;
    return elf_parse(image, sizeof image, &out);
}

static void test_good(void)
{
    struct elf_image out;
    build();
    CHECK(elf_parse(image, sizeof image, &out) == 0);
    CHECK(out.entry == 0x10100);
    CHECK(out.segment_count == 2);
    CHECK(out.segments[0].prot == (PROT_READ | PROT_EXEC));
    CHECK(out.segments[1].prot == (PROT_READ | PROT_WRITE));
    CHECK(out.segments[1].address == 0x12800 && out.segments[1].file_offset == 0x1800);
    CHECK(out.segments[1].file_size == 0x400 && out.segments[1].memory_size == 0x9000);
    CHECK(elf_parse_header(image, 64 + 3 * 56, sizeof image, &out) == 0);
    CHECK(elf_parse_header(image, 64 + 3 * 56 - 1, sizeof image, &out) == -ENOEXEC);
    CHECK(elf_parse_header(image, sizeof image + 1, sizeof image, &out) == -EINVAL);
    CHECK(elf_parse(NULL, 100, &out) == -EINVAL);
    CHECK(elf_parse(image, sizeof image, NULL) == -EINVAL);
    for (size_t size = 0; size < 64; size++)
        CHECK(elf_parse(image, size, &out) == -ENOEXEC);
    put_phdr(TEXT, P_FLAGS, FLAG_X);
    CHECK(elf_parse(image, sizeof image, &out) == 0);
    CHECK(out.segments[0].prot == (PROT_READ | PROT_EXEC));
}

/* One spoiled field each; width in bytes. */
static void test_header_fields(void)
{
    static const struct {
        size_t offset;
        uint64_t value;
        unsigned width;
    } cases[] = {
        {0, 'x', 1},
        {3, 'f', 1},
        {4, 1, 1},
        {5, 2, 1},
        {6, 0, 1},
        {16, 3, 2},
        {16, 1, 2},
        {18, 62, 2},
        {20, 2, 4},
        {54, 32, 2},
        {54, 57, 2},
        {56, 0, 2},
        {56, 65, 2},
        {56, 0xffff, 2},
        {32, IMAGE_SIZE - 100, 8},
        {32, UINT64_MAX, 8},
        {32, UINT64_MAX - 167, 8},
        {24, 0x10101, 8},
        {24, 0x11800, 8},
        {24, 0xfffe, 8},
        {24, 0x12800, 8},
        {24, 0, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        build();
        put(cases[i].offset, cases[i].value, cases[i].width);
        if (parse() != -ENOEXEC)
            printf("header case %zu accepted\n", i);
        CHECK(parse() == -ENOEXEC);
    }
}

static void test_segment_fields(void)
{
    static const struct {
        const char *what;
        unsigned field;
        uint64_t value;
    } cases[] = {
        {"file range ends behind the image", P_FILESZ, IMAGE_SIZE},
        {"file larger than memory", P_MEMSZ, 0x3ff},
        {"file offset wraps", P_OFFSET, UINT64_MAX - 0x7ff},
        {"file size wraps", P_FILESZ, UINT64_MAX - 0x17ff},
        {"not congruent", P_OFFSET, 0x1900},
        {"page 0", P_VADDR, 0x800},
        {"kernel half", P_VADDR, 0xffffffc000000800},
        {"wraps around", P_VADDR, UINT64_MAX - 0x7ff},
        {"crosses the top", P_VADDR, USER_TOP - 0x8800},
        {"memory size wraps", P_MEMSZ, UINT64_MAX},
        {"memory ends at 2^64", P_MEMSZ, UINT64_MAX - 0x12800 + 1},
        {"writable and executable", P_FLAGS, FLAG_R | FLAG_W | FLAG_X},
        {"no access", P_FLAGS, 0},
        {"same page as text", P_VADDR, 0x11800},
        {"covers text", P_VADDR, 0x9800},
        {"interpreter", P_TYPE, 3},
        {"dynamic", P_TYPE, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        build();
        put_phdr(DATA, cases[i].field, cases[i].value);
        if (parse() != -ENOEXEC)
            printf("accepted: %s\n", cases[i].what);
        CHECK(parse() == -ENOEXEC);
    }
}

static void test_limits(void)
{
    struct elf_image out;

    build(); /* up to the last user page is fine */
    segment(DATA, FLAG_R | FLAG_W, 0x1800, USER_TOP - 0x1800, 0x400, 0x1800);
    CHECK(parse() == 0);

    build(); /* a bss without file part needs no congruence */
    segment(DATA, FLAG_R | FLAG_W, 0x123, 0x20000, 0, 0x1000);
    CHECK(parse() == 0);

    build(); /* empty segments are left out */
    segment(DATA, FLAG_R, 0, 0, 0, 0);
    CHECK(elf_parse(image, sizeof image, &out) == 0 && out.segment_count == 1);

    build(); /* eight segments, then a ninth */
    put(56, 9, 2);
    for (unsigned i = 1; i < 8; i++)
        segment(i, FLAG_R, 0, 0x20000 + i * 0x1000, 0x1000, 0x1000);
    CHECK(elf_parse(image, sizeof image, &out) == 0 && out.segment_count == 8);
    segment(8, FLAG_R, 0, 0x40000, 0x1000, 0x1000);
    CHECK(parse() == -ENOEXEC);

    build(); /* entry in the bss of an executable segment is not code */
    segment(TEXT, FLAG_R | FLAG_X, 0, 0x10000, 0x80, 0x1800);
    CHECK(parse() == -ENOEXEC);
    put(24, 0x1007e, 8);
    CHECK(parse() == 0);

    build(); /* nothing to load */
    put_phdr(TEXT, P_TYPE, 4);
    put_phdr(DATA, P_TYPE, 4);
    CHECK(parse() == -ENOEXEC);
}

int main(void)
{
    test_good();
    test_header_fields();
    test_segment_fields();
    test_limits();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
