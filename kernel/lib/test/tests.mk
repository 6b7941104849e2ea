# Host tests and fuzz targets of the parsers that the kernel shares with init, and of the memory
# functions.
HOST_TESTS += elf cpio kernel_string
elf_SOURCES := kernel/lib/test/elf_test.c kernel/lib/elf.c
cpio_SOURCES := kernel/lib/test/cpio_test.c kernel/lib/cpio.c
kernel_string_SOURCES := kernel/lib/test/string_test.c kernel/lib/string.c
kernel_string_CFLAGS := -Iuser/libcairn/test -fno-builtin \
    $(foreach f,memcpy memset memcmp strlen strnlen strcmp string_copy,-D$(f)=kernel_$(f))

FUZZERS += elf_fuzz cpio_fuzz
elf_fuzz_SOURCES := kernel/lib/test/elf_fuzz.c kernel/lib/elf.c
elf_fuzz_CORPUS := kernel/lib/test/fuzz/elf_fuzz
cpio_fuzz_SOURCES := kernel/lib/test/cpio_fuzz.c kernel/lib/cpio.c
cpio_fuzz_CORPUS := kernel/lib/test/fuzz/cpio_fuzz
