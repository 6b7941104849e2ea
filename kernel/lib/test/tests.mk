# Host tests and fuzz targets of the parsers that the kernel shares with init.
HOST_TESTS += elf cpio
elf_SOURCES := kernel/lib/test/elf_test.c kernel/lib/elf.c
cpio_SOURCES := kernel/lib/test/cpio_test.c kernel/lib/cpio.c

FUZZERS += elf_fuzz cpio_fuzz
elf_fuzz_SOURCES := kernel/lib/test/elf_fuzz.c kernel/lib/elf.c
elf_fuzz_CORPUS := kernel/lib/test/fuzz/elf_fuzz
cpio_fuzz_SOURCES := kernel/lib/test/cpio_fuzz.c kernel/lib/cpio.c
cpio_fuzz_CORPUS := kernel/lib/test/fuzz/cpio_fuzz
