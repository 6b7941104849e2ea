/* Reads the boot archive where the kernel left it. Its files are not page-aligned, so an executable
 * is copied once to a memory object before it can be mapped. */

#include "archive.h"
#include "init.h"
#include <string.h>

static struct {
    const char *name; /* in the archive */
    handle_t memory;
} images[CONFIG_SECTIONS_MAX];
static size_t image_count;

int archive_open(void)
{
    uint64_t size = (init.info->archive_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int64_t address = memory_map(0, init.info->archive, 0, 0, size, PROT_READ);
    if (address < 0)
        return (int)address;
    init.archive = (const uint8_t *)address;
    return 0;
}

int archive_find(const char *name, struct cpio_file *file)
{
    return cpio_find(init.archive, init.info->archive_size, name, file);
}

bool archive_has(const char *name)
{
    struct cpio_file file;
    return archive_find(name, &file) == 0;
}

static handle_t copy_to_memory(const struct cpio_file *file)
{
    uint64_t size = (file->size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    if (size == 0)
        return -ENOEXEC;
    int64_t memory = memory_create(size, 0);
    if (memory < 0)
        return (handle_t)memory;
    int64_t address = memory_map(0, (handle_t)memory, 0, 0, size, PROT_READ | PROT_WRITE);
    if (address < 0) {
        handle_close((handle_t)memory);
        return (handle_t)address;
    }
    memcpy((void *)address, file->data, file->size);
    memory_unmap(0, (uint64_t)address, size);
    return (handle_t)memory;
}

handle_t archive_image(const char *name)
{
    struct cpio_file file;

    int error = archive_find(name, &file);
    if (error < 0)
        return error;
    for (size_t i = 0; i < image_count; i++)
        if (images[i].name == file.name)
            return images[i].memory;
    if (image_count == CONFIG_SECTIONS_MAX)
        return -ENFILE;
    handle_t memory = copy_to_memory(&file);
    if (memory > 0) {
        images[image_count].name = file.name;
        images[image_count++].memory = memory;
    }
    return memory;
}
