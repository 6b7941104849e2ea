/* Fuzzes elf_parse; what it accepts must keep every promise of lib/elf.h. */

#include "abi/memory.h"
#include "lib/elf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ident[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1\0\0";
    static uint8_t copy[4096];
    struct elf_image image;
    int entry_found = 0;

    if (size > sizeof copy)
        return 0;
    memcpy(copy, data, size);
    if (size > 120 && data[0] % 2 == 0) { /* half of the inputs get past the fixed fields */
        memcpy(copy, ident, sizeof ident);
        copy[54] = 56;
        copy[55] = 0;
        copy[57] = 0;
    }
    uint8_t *exact = malloc(size); /* so that the sanitizer sees a read behind the end */
    require(exact != NULL || size == 0);
    memcpy(exact, copy, size);
    int result = elf_parse(exact, size, &image);
    free(exact);
    if (result != 0)
        return 0;
    require(image.segment_count >= 1 && image.segment_count <= ELF_SEGMENTS_MAX);
    for (size_t i = 0; i < image.segment_count; i++) {
        const struct elf_segment *a = &image.segments[i];
        __uint128_t end = (__uint128_t)a->address + a->memory_size;
        require(a->address >= USER_BASE && end <= USER_TOP && a->memory_size > 0);
        require((__uint128_t)a->file_offset + a->file_size <= size);
        require(a->file_size <= a->memory_size);
        require(a->prot == PROT_READ || a->prot == (PROT_READ | PROT_WRITE) ||
                a->prot == (PROT_READ | PROT_EXEC));
        require(a->file_size == 0 || (a->address - a->file_offset) % PAGE_SIZE == 0);
        entry_found |= (a->prot & PROT_EXEC) && image.entry >= a->address && image.entry < end;
        for (size_t j = 0; j < i; j++) {
            const struct elf_segment *b = &image.segments[j];
            require(a->address / PAGE_SIZE > (b->address + b->memory_size - 1) / PAGE_SIZE ||
                    b->address / PAGE_SIZE > (a->address + a->memory_size - 1) / PAGE_SIZE);
        }
    }
    require(entry_found);
    return 0;
}
