/* The flattened device tree (Devicetree Specification 0.4, chapter 5), reduced to what a small
 * kernel needs. Every offset and length is checked: the blob comes from outside. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FDT_DEVICES 48
#define FDT_CPUS 8

struct fdt_device {
    char compatible[64]; /* all of them, each with its NUL */
    size_t compatible_len;
    uint64_t base, size;
    uint32_t interrupt;
};

struct fdt_info {
    uint64_t memory_start, memory_size;
    uint64_t timebase; /* ticks per second */
    uint64_t initrd_start, initrd_end;
    char bootargs[1024];
    uint8_t rng_seed[64];
    size_t cpu_count, device_count;
    struct {
        uint32_t hart;
        int sstc; /* has the stimecmp register */
    } cpus[FDT_CPUS];
    struct fdt_device devices[FDT_DEVICES];
};

/* fdt_size: the total size that the header at blob (40 readable bytes) states, 0 = no tree. */
size_t fdt_size(const void *blob);

/* fdt_parse: 0, or -EINVAL for a damaged tree. More devices or cpus than fit are left out. */
int fdt_parse(const void *blob, size_t size, struct fdt_info *info);

/* fdt_compatible: does the device say so? */
int fdt_compatible(const struct fdt_device *device, const char *name);
