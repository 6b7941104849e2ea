/* ELF64 RISC-V executables: what to load where. Pure: no allocation, no I/O; the kernel starts
 * the first process with it and init all others. (System V ABI, chapters 4 and 5.) */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 8

struct elf_segment {
    uint64_t address;     /* user address, not necessarily at the start of a page */
    uint64_t file_offset; /* congruent to address modulo PAGE_SIZE if file_size > 0 */
    uint64_t file_size;   /* bytes from the file */
    uint64_t memory_size; /* bytes in memory, >= file_size; those behind the file's are zero */
    uint32_t prot;        /* PROT_*, always with PROT_READ, never PROT_WRITE and PROT_EXEC */
};

struct elf_image {
    uint64_t entry;       /* in the file's part of an executable segment */
    size_t segment_count; /* at least 1; in the order of the program headers */
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/* elf_parse: reads the headers of an executable of size bytes. Whatever it accepts can be loaded
 * without further checks: file ranges lie in the image, addresses in [USER_BASE, USER_TOP), and no
 * two segments share a page. -ENOEXEC for what is not a static RISC-V executable or breaks one
 * of these rules, -EINVAL for null pointers; *out is valid only after 0. */
int elf_parse(const void *image, size_t size, struct elf_image *out);

/* elf_parse_header: the same for a file of file_size bytes of which only the first header_size are
 * at hand; the program headers must be among them. */
int elf_parse_header(const void *header, size_t header_size, size_t file_size,
                     struct elf_image *out);
