/* A walk through the device tree's structure block that keeps what the kernel needs. Invariant:
 * nothing is read outside [blob, blob + size). */
#include "boot/fdt.h"
#include "abi/errno.h"
#include "lib/string.h"
#include <stdbool.h>

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };
#define FDT_MAGIC 0xd00dfeedu
#define DEPTH_MAX 16

/* A node while it is being read; its children inherit the cell counts. */
struct node {
    const char *name;
    uint32_t address_cells, size_cells;   /* of its children */
    struct fdt_device device;
    bool is_memory, is_cpu, disabled;
    uint32_t hart;
    int sstc;
};

struct walk {
    const uint8_t *blob;
    size_t structure, structure_end, strings, strings_end;
    struct node nodes[DEPTH_MAX];
    int depth; /* of the node being read; -1 outside */
    struct fdt_info *info;
};

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t cells(const uint8_t *at, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value << 32 | be32(at + 4 * i);
    return value;
}

size_t fdt_size(const void *blob)
{
    const uint8_t *header = blob;
    return be32(header) == FDT_MAGIC ? be32(header + 4) : 0;
}

static bool has_word(const uint8_t *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp(text + i, word, n) == 0)
            return true;
    }
    return false;
}

int fdt_compatible(const struct fdt_device *device, const char *name)
{
    size_t n = strlen(name) + 1;
    for (size_t i = 0; i + n <= device->compatible_len; i++) {
        if ((i == 0 || !device->compatible[i - 1]) && memcmp(device->compatible + i, name, n) == 0)
            return 1;
    }
    return 0;
}

static void read_reg(struct walk *walk, const uint8_t *value, size_t len)
{
    struct node *node = &walk->nodes[walk->depth];
    const struct node *parent = &walk->nodes[walk->depth > 0 ? walk->depth - 1 : 0];
    uint32_t address = parent->address_cells, size = parent->size_cells;
    if (address > 2 || size > 2 || len < 4 * (address + size))
        return;
    node->device.base = cells(value, address);
    node->device.size = cells(value + 4 * address, size);
    node->hart = (uint32_t)node->device.base;
}

/* Keeps whole names only: what is left of one that is cut must not pass for another. */
static void read_compatible(struct fdt_device *device, const uint8_t *value, size_t len)
{
    size_t n = len < sizeof(device->compatible) ? len : sizeof(device->compatible);
    memcpy(device->compatible, value, n);
    while (n && device->compatible[n - 1])
        n--;
    device->compatible_len = n;
}

static void chosen(struct fdt_info *info, const char *name, const uint8_t *value, size_t len)
{
    if (strcmp(name, "bootargs") == 0 && len > 0) {
        size_t n = len < sizeof(info->bootargs) ? len : sizeof(info->bootargs) - 1;
        memcpy(info->bootargs, value, n);
        info->bootargs[n] = 0;
    } else if (strcmp(name, "linux,initrd-start") == 0 && len >= 4) {
        info->initrd_start = cells(value, len >= 8 ? 2 : 1);
    } else if (strcmp(name, "linux,initrd-end") == 0 && len >= 4) {
        info->initrd_end = cells(value, len >= 8 ? 2 : 1);
    } else if (strcmp(name, "rng-seed") == 0) {
        memcpy(info->rng_seed, value, len < sizeof(info->rng_seed) ? len : sizeof(info->rng_seed));
    }
}

static void property(struct walk *walk, const char *name, const uint8_t *value, size_t len)
{
    struct node *node = &walk->nodes[walk->depth];
    if (strcmp(name, "#address-cells") == 0 && len == 4) {
        node->address_cells = be32(value);
    } else if (strcmp(name, "#size-cells") == 0 && len == 4) {
        node->size_cells = be32(value);
    } else if (strcmp(name, "reg") == 0) {
        read_reg(walk, value, len);
    } else if (strcmp(name, "compatible") == 0) {
        read_compatible(&node->device, value, len);
    } else if (strcmp(name, "interrupts") == 0 && len >= 4) {
        node->device.interrupt = be32(value);
    } else if (strcmp(name, "device_type") == 0) {
        node->is_memory = has_word(value, len, "memory");
        node->is_cpu = has_word(value, len, "cpu");
    } else if (strcmp(name, "status") == 0) {
        node->disabled = has_word(value, len, "disabled");
    } else if (strcmp(name, "riscv,isa") == 0) {
        node->sstc = has_word(value, len, "sstc");
    } else if (strcmp(name, "timebase-frequency") == 0 && len == 4) {
        walk->info->timebase = be32(value);
    } else if (strcmp(node->name, "chosen") == 0) {
        chosen(walk->info, name, value, len);
    }
}

/* All properties of the node are known: keep it if it is of use. */
static void node_done(struct fdt_info *info, const struct node *node)
{
    if (node->disabled)
        return;
    if (node->is_memory) {
        if (!info->memory_size) {
            info->memory_start = node->device.base;
            info->memory_size = node->device.size;
        }
    } else if (node->is_cpu) {
        if (info->cpu_count < FDT_CPUS) {
            info->cpus[info->cpu_count].hart = node->hart;
            info->cpus[info->cpu_count++].sstc = node->sstc;
        }
    } else if (node->device.compatible_len && node->device.size) {
        if (info->device_count < FDT_DEVICES)
            info->devices[info->device_count++] = node->device;
    }
}

/* One token; its end, or 0: the tree is damaged, or *end was set. */
static size_t token(struct walk *walk, size_t at, bool *end)
{
    if (walk->structure_end - at < 4)
        return 0;
    uint32_t kind = be32(walk->blob + at);
    at += 4;
    switch (kind) {
    case FDT_NOP:
        return at;
    case FDT_BEGIN_NODE: {
        const char *name = (const char *)walk->blob + at;
        size_t len = strnlen(name, walk->structure_end - at);
        if (len == walk->structure_end - at || walk->depth + 1 >= DEPTH_MAX)
            return 0;
        walk->nodes[++walk->depth] =
            (struct node){.name = name, .address_cells = 2, .size_cells = 1};
        at += (len + 4) & ~3ul;
        return at <= walk->structure_end ? at : 0;
    }
    case FDT_END_NODE:
        if (walk->depth < 0)
            return 0;
        node_done(walk->info, &walk->nodes[walk->depth--]);
        return at;
    case FDT_PROP: {
        if (walk->structure_end - at < 8 || walk->depth < 0)
            return 0;
        size_t len = be32(walk->blob + at), name = be32(walk->blob + at + 4);
        at += 8;
        size_t names = walk->strings_end - walk->strings;
        if (len > walk->structure_end - at || name >= names)
            return 0;
        const char *text = (const char *)walk->blob + walk->strings + name;
        if (strnlen(text, names - name) == names - name)
            return 0;
        property(walk, text, walk->blob + at, len);
        at += (len + 3) & ~3ul;
        return at <= walk->structure_end ? at : 0;
    }
    case FDT_END:
        *end = true;
        return 0;
    }
    return 0;
}

int fdt_parse(const void *blob, size_t size, struct fdt_info *info)
{
    const uint8_t *header = blob;
    memset(info, 0, sizeof(*info));
    if (size < 40 || be32(header) != FDT_MAGIC || be32(header + 4) > size)
        return -EINVAL;
    size = be32(header + 4);
    struct walk walk = {.blob = blob, .depth = -1, .info = info};
    walk.structure = be32(header + 8);
    walk.strings = be32(header + 12);
    size_t strings_size = be32(header + 32), structure_size = be32(header + 36);
    if (walk.structure > size || structure_size > size - walk.structure || walk.strings > size ||
        strings_size > size - walk.strings)
        return -EINVAL;
    walk.structure_end = walk.structure + structure_size;
    walk.strings_end = walk.strings + strings_size;
    bool end = false;
    size_t at = walk.structure;
    while ((at = token(&walk, at, &end)))
        ;
    return end && walk.depth == -1 ? 0 : -EINVAL;
}
