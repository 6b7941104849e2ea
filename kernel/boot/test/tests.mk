# Host tests and the fuzz target of the device tree parser.
HOST_TESTS += fdt_tree
fdt_tree_SOURCES := kernel/boot/test/fdt_test.c kernel/boot/test/tree.c kernel/boot/fdt.c

FUZZERS += fdt
fdt_SOURCES := kernel/boot/test/fdt_fuzz.c kernel/boot/test/tree.c kernel/boot/fdt.c
fdt_CORPUS := kernel/boot/test/fuzz/fdt
