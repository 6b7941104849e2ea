# Host tests and fuzz targets of init's pure parts.
HOST_TESTS += init_config init_block init_processes
init_config_SOURCES := servers/init/test/config_test.c servers/init/core/config.c
init_block_SOURCES := servers/init/test/block_test.c servers/init/core/block.c
init_processes_SOURCES := servers/init/test/processes_test.c servers/init/core/processes.c

FUZZERS += init_config_fuzz init_block_fuzz init_processes_fuzz
init_config_fuzz_SOURCES := servers/init/test/config_fuzz.c servers/init/core/config.c
init_block_fuzz_SOURCES := servers/init/test/block_fuzz.c servers/init/core/block.c
init_processes_fuzz_SOURCES := servers/init/test/processes_fuzz.c servers/init/core/processes.c
