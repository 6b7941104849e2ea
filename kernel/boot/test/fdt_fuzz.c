/* Fuzzes the device tree parser. The first byte of an input chooses: the rest is a blob (its header
 * made plausible, or not), or a program that builds a tree out of the properties that matter. What
 * is accepted must keep the promises of boot/fdt.h. */
#include "boot/fdt.h"
#include "tree.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check(const void *blob, size_t size)
{
    struct fdt_info info;
    if (fdt_parse(blob, size, &info))
        return;
    require(info.cpu_count <= FDT_CPUS && info.device_count <= FDT_DEVICES);
    require(memchr(info.bootargs, 0, sizeof info.bootargs) != NULL);
    for (size_t i = 0; i < info.device_count; i++) {
        const struct fdt_device *device = &info.devices[i];
        require(device->size > 0);
        require(device->compatible_len > 0 &&
                device->compatible_len <= sizeof device->compatible);
        require(device->compatible[device->compatible_len - 1] == 0);
        require(fdt_compatible(device, device->compatible));
        fdt_compatible(device, "virtio,mmio");
    }
}

/* A blob as it came, in a block of exactly its size. */
static void parse_raw(const uint8_t *data, size_t size, int mend)
{
    uint8_t *blob = malloc(size ? size : 1);
    require(blob != NULL);
    if (size)
        memcpy(blob, data, size);
    if (mend && size >= TREE_HEADER) {
        tree_put(blob + TREE_MAGIC, 0xd00dfeed);
        tree_put(blob + TREE_TOTAL_SIZE, (uint32_t)size);
        tree_put(blob + TREE_STRUCTURE, TREE_HEADER);
        tree_put(blob + TREE_STRUCTURE_SIZE, (uint32_t)(size - TREE_HEADER));
    }
    check(blob, size);
    if (size >= TREE_HEADER)
        fdt_size(blob);
    free(blob);
}

static const char *const names[] = {
    "#address-cells", "#size-cells", "reg",       "compatible",
    "interrupts",     "device_type", "status",    "riscv,isa",
    "bootargs",       "rng-seed",    "timebase-frequency", "linux,initrd-start",
    "linux,initrd-end", "ranges",    "",          "model",
};

static void parse_built(const uint8_t *data, size_t size)
{
    static struct tree tree;
    size_t len;
    memset(&tree, 0, sizeof tree);
    tree_begin(&tree, "");
    while (size >= 2 && tree.structure_len < TREE_MAX - 1024 &&
           tree.strings_len < TREE_MAX - 1024) {
        unsigned what = data[0], n = data[1];
        data += 2;
        size -= 2;
        if (what < 160) {
            size_t value = n < size ? n : size;
            tree_property(&tree, names[what % 16], data, value);
            data += value;
            size -= value;
        } else if (what < 200) {
            tree_begin(&tree, n & 1 ? "chosen" : "node");
        } else if (what < 250) {
            tree_end(&tree);
        } else {
            tree_token(&tree, n);
        }
    }
    uint8_t *blob = tree_finish(&tree, &len);
    check(blob, len);
    free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 4 >= 2)
        parse_built(data + 1, size - 1);
    else
        parse_raw(data + 1, size - 1, data[0] % 4);
    return 0;
}
