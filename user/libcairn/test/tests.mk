HOST_TESTS += libcairn-name-cache libcairn-spawn-block libcairn-textfile

libcairn-name-cache_SOURCES := user/libcairn/test/name_cache_test.c user/libcairn/name_cache.c
libcairn-spawn-block_SOURCES := user/libcairn/test/spawn_block_test.c user/libcairn/spawn_block.c \
    servers/init/core/block.c
libcairn-textfile_SOURCES := user/libcairn/test/textfile_test.c user/libcairn/textfile.c
