# Host tests and fuzz targets of init's pure parts.
HOST_TESTS += init_config init_block init_processes
init_config_SOURCES := servers/init/test/config_test.c servers/init/core/config.c
init_block_SOURCES := servers/init/test/block_test.c servers/init/core/block.c
init_processes_SOURCES := servers/init/test/processes_test.c servers/init/core/processes.c

FUZZERS += init_config_fuzz init_block_fuzz init_processes_fuzz
init_config_fuzz_SOURCES := servers/init/test/config_fuzz.c servers/init/core/config.c
init_block_fuzz_SOURCES := servers/init/test/block_fuzz.c servers/init/core/block.c
init_processes_fuzz_SOURCES := servers/init/test/processes_fuzz.c servers/init/core/processes.c

# Whole, on a kernel of the test: its messages. What touches init's own pages stays away.
INIT = $(HOST) $(filter-out servers/init/own_memory.c,$(wildcard servers/init/*.c)) \
    $(wildcard servers/init/core/*.c servers/init/text/*.c) servers/init/test/serve.c \
    user/libcairn/spawn_block.c kernel/lib/elf.c kernel/lib/cpio.c
HOST_TESTS += init_messages
init_messages_SOURCES = $(INIT) servers/init/test/messages_test.c
init_messages_CFLAGS = $(HOST_FLAGS)

FUZZERS += init_messages_fuzz
init_messages_fuzz_SOURCES = $(INIT) servers/init/test/messages_fuzz.c
init_messages_fuzz_CFLAGS = $(HOST_FLAGS)
