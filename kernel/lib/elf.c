/* Reads the headers of ELF64 RISC-V executables; every number that leaves here is a checked one.
 * Each byte of the image is read once, so that an owner who changes it meanwhile gains nothing. */

#include "lib/elf.h"
#include "abi/errno.h"
#include "abi/memory.h"
#include <stdbool.h>

/* The headers as they lie in the file. */
struct file_header {
    uint8_t magic[4], class, data, ident_version, padding[9];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, align;
};
_Static_assert(sizeof(struct file_header) == 64 && sizeof(struct program_header) == 56 &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the bytes of the file as they are (System V ABI, figures 4-3 and 5-1)");

enum {
    CLASS_64 = 2,
    DATA_LITTLE_ENDIAN = 1,
    VERSION_CURRENT = 1,
    TYPE_EXECUTABLE = 2,
    MACHINE_RISCV = 243,
    PROGRAM_HEADERS_MAX = 64,
};
enum { SEGMENT_LOAD = 1, SEGMENT_DYNAMIC = 2, SEGMENT_INTERPRETER = 3 };
enum { FLAG_EXECUTE = 1, FLAG_WRITE = 2, FLAG_READ = 4 };

static bool range_inside(uint64_t start, uint64_t length, uint64_t limit)
{
    return start <= limit && length <= limit - start;
}

static bool header_supported(const struct file_header *header)
{
    return __builtin_memcmp(header->magic, "\177ELF", 4) == 0 && header->class == CLASS_64 &&
           header->data == DATA_LITTLE_ENDIAN && header->ident_version == VERSION_CURRENT &&
           header->type == TYPE_EXECUTABLE && header->machine == MACHINE_RISCV &&
           header->version == VERSION_CURRENT;
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

/* Do they share a page? Valid once the address ranges have been checked. */
static bool segment_overlaps_earlier(const struct elf_image *image,
                                     const struct elf_segment *segment)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *other = &image->segments[i];
        uint64_t last = segment->address + segment->memory_size - 1;
        uint64_t other_last = other->address + other->memory_size - 1;
        if (segment->address / PAGE_SIZE <= other_last / PAGE_SIZE &&
            other->address / PAGE_SIZE <= last / PAGE_SIZE)
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

static int add_segment(struct elf_image *out, const struct program_header *header,
                       uint64_t file_size)
{
    struct elf_segment segment = {.address = header->address,
                                  .file_offset = header->offset,
                                  .file_size = header->file_size,
                                  .memory_size = header->memory_size};
    if (segment.memory_size == 0 && segment.file_size == 0)
        return 0;
    if ((header->flags & (FLAG_READ | FLAG_WRITE | FLAG_EXECUTE)) == 0)
        return -ENOEXEC;
    /* Write without read is reserved in Sv39, and execute-only would serve nobody here. */
    segment.prot = PROT_READ | ((header->flags & FLAG_WRITE) ? PROT_WRITE : 0u) |
                   ((header->flags & FLAG_EXECUTE) ? PROT_EXEC : 0u);
    if (!segment_valid(&segment, file_size) || out->segment_count == ELF_SEGMENTS_MAX ||
        segment_overlaps_earlier(out, &segment))
        return -ENOEXEC;
    out->segments[out->segment_count++] = segment;
    return 0;
}

int elf_parse_header(const void *header, size_t header_size, size_t file_size,
                     struct elf_image *out)
{
    struct file_header file;
    if (header == NULL || out == NULL || header_size > file_size)
        return -EINVAL;
    if (header_size < sizeof(file))
        return -ENOEXEC;
    __builtin_memcpy(&file, header, sizeof(file));
    uint64_t count = file.program_header_count;
    if (!header_supported(&file) || file.program_header_size != sizeof(struct program_header) ||
        count == 0 || count > PROGRAM_HEADERS_MAX ||
        !range_inside(file.program_headers, count * sizeof(struct program_header), header_size))
        return -ENOEXEC;
    out->entry = file.entry;
    out->segment_count = 0;
    const char *at = (const char *)header + file.program_headers;
    for (uint64_t i = 0; i < count; i++) {
        struct program_header one;
        __builtin_memcpy(&one, at + i * sizeof(one), sizeof(one));
        if (one.type == SEGMENT_DYNAMIC || one.type == SEGMENT_INTERPRETER)
            return -ENOEXEC;
        int error = one.type == SEGMENT_LOAD ? add_segment(out, &one, file_size) : 0;
        if (error < 0)
            return error;
    }
    return entry_valid(out) ? 0 : -ENOEXEC;
}

int elf_parse(const void *image, size_t size, struct elf_image *out)
{
    return elf_parse_header(image, size, size, out);
}
