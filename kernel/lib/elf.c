/* Reads the headers of ELF64 RISC-V executables; every number that leaves here is a checked one.
 * Each byte of the image is read once, so that an owner who changes it meanwhile gains nothing. */

#include "lib/elf.h"
#include "abi/errno.h"
#include "abi/memory.h"
#include <stdbool.h>

/* Offsets and values of the file format; only what is needed here. */
enum {
    EHDR_SIZE = 64,
    EHDR_CLASS = 4,
    EHDR_DATA = 5,
    EHDR_IDENT_VERSION = 6,
    EHDR_TYPE = 16,
    EHDR_MACHINE = 18,
    EHDR_VERSION = 20,
    EHDR_ENTRY = 24,
    EHDR_PHOFF = 32,
    EHDR_PHENTSIZE = 54,
    EHDR_PHNUM = 56,

    PHDR_SIZE = 56,
    PHDR_TYPE = 0,
    PHDR_FLAGS = 4,
    PHDR_OFFSET = 8,
    PHDR_VADDR = 16,
    PHDR_FILESZ = 32,
    PHDR_MEMSZ = 40,

    CLASS_64 = 2,
    DATA_LITTLE_ENDIAN = 1,
    VERSION_CURRENT = 1,
    TYPE_EXECUTABLE = 2,
    MACHINE_RISCV = 243,
    PHNUM_MAX = 64,

    SEGMENT_LOAD = 1,
    SEGMENT_DYNAMIC = 2,
    SEGMENT_INTERPRETER = 3,

    FLAG_EXECUTE = 1,
    FLAG_WRITE = 2,
    FLAG_READ = 4,
};

static uint64_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static bool range_inside(uint64_t start, uint64_t length, uint64_t limit)
{
    return start <= limit && length <= limit - start;
}

static bool header_supported(const uint8_t *header)
{
    return header[0] == 0x7f && header[1] == 'E' && header[2] == 'L' && header[3] == 'F' &&
           header[EHDR_CLASS] == CLASS_64 && header[EHDR_DATA] == DATA_LITTLE_ENDIAN &&
           header[EHDR_IDENT_VERSION] == VERSION_CURRENT &&
           little_endian(header + EHDR_TYPE, 2) == TYPE_EXECUTABLE &&
           little_endian(header + EHDR_MACHINE, 2) == MACHINE_RISCV &&
           little_endian(header + EHDR_VERSION, 4) == VERSION_CURRENT;
}

/* The page range of a segment; valid once its address range has been checked. */
static uint64_t first_page(const struct elf_segment *segment)
{
    return segment->address / PAGE_SIZE;
}

static uint64_t last_page(const struct elf_segment *segment)
{
    return (segment->address + segment->memory_size - 1) / PAGE_SIZE;
}

static bool segment_valid(const struct elf_segment *segment, uint64_t file_size)
{
    if (segment->file_size > segment->memory_size ||
        !range_inside(segment->file_offset, segment->file_size, file_size))
        return false;
    if (segment->address < USER_BASE ||
        !range_inside(segment->address, segment->memory_size, USER_TOP))
        return false;
    if (segment->file_size > 0 && segment->address % PAGE_SIZE != segment->file_offset % PAGE_SIZE)
        return false;
    return (segment->prot & (PROT_WRITE | PROT_EXEC)) != (PROT_WRITE | PROT_EXEC);
}

static bool segment_overlaps_earlier(const struct elf_image *image,
                                     const struct elf_segment *segment)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *other = &image->segments[i];
        if (first_page(segment) <= last_page(other) && first_page(other) <= last_page(segment))
            return true;
    }
    return false;
}

static bool entry_valid(const struct elf_image *image)
{
    if (image->entry % 2 != 0)
        return false;
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if ((segment->prot & PROT_EXEC) && image->entry >= segment->address &&
            image->entry - segment->address < segment->file_size)
            return true;
    }
    return false;
}

static int add_segment(struct elf_image *out, const uint8_t *phdr, uint64_t file_size)
{
    struct elf_segment segment = {
        .address = little_endian(phdr + PHDR_VADDR, 8),
        .file_offset = little_endian(phdr + PHDR_OFFSET, 8),
        .file_size = little_endian(phdr + PHDR_FILESZ, 8),
        .memory_size = little_endian(phdr + PHDR_MEMSZ, 8),
    };
    uint64_t flags = little_endian(phdr + PHDR_FLAGS, 4);

    if (segment.memory_size == 0 && segment.file_size == 0)
        return 0;
    if ((flags & (FLAG_READ | FLAG_WRITE | FLAG_EXECUTE)) == 0)
        return -ENOEXEC;
    /* Write without read is reserved in Sv39, and execute-only would serve nobody here. */
    segment.prot = PROT_READ | ((flags & FLAG_WRITE) ? PROT_WRITE : 0u) |
                   ((flags & FLAG_EXECUTE) ? PROT_EXEC : 0u);
    if (!segment_valid(&segment, file_size) || out->segment_count == ELF_SEGMENTS_MAX ||
        segment_overlaps_earlier(out, &segment))
        return -ENOEXEC;
    out->segments[out->segment_count++] = segment;
    return 0;
}

int elf_parse_header(const void *header, size_t header_size, size_t file_size,
                     struct elf_image *out)
{
    const uint8_t *bytes = header;

    if (header == NULL || out == NULL || header_size > file_size)
        return -EINVAL;
    if (header_size < EHDR_SIZE || !header_supported(bytes))
        return -ENOEXEC;

    uint64_t table = little_endian(bytes + EHDR_PHOFF, 8);
    uint64_t count = little_endian(bytes + EHDR_PHNUM, 2);
    if (little_endian(bytes + EHDR_PHENTSIZE, 2) != PHDR_SIZE || count == 0 || count > PHNUM_MAX ||
        !range_inside(table, count * PHDR_SIZE, header_size))
        return -ENOEXEC;

    out->entry = little_endian(bytes + EHDR_ENTRY, 8);
    out->segment_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *phdr = bytes + table + i * PHDR_SIZE;
        uint64_t type = little_endian(phdr + PHDR_TYPE, 4);
        if (type == SEGMENT_DYNAMIC || type == SEGMENT_INTERPRETER)
            return -ENOEXEC;
        if (type != SEGMENT_LOAD)
            continue;
        int error = add_segment(out, phdr, file_size);
        if (error < 0)
            return error;
    }
    return entry_valid(out) ? 0 : -ENOEXEC;
}

int elf_parse(const void *image, size_t size, struct elf_image *out)
{
    return elf_parse_header(image, size, size, out);
}
