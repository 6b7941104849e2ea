HOST_TESTS += libc-path libc-fd libc-glob libc-memory

libc-path_SOURCES := user/libc/test/path_test.c user/libc/file/path.c
libc-fd_SOURCES := user/libc/test/fd_test.c user/libc/file/fd.c
libc-fd_CFLAGS := -Iuser/libc/test/host
libc-glob_SOURCES := user/libc/test/glob_test.c user/libc/file/glob.c
libc-glob_CFLAGS := -Dglob=tested_glob -Dglobfree=tested_globfree
libc-memory_SOURCES := user/libc/test/memory_test.c user/libc/system/memory.c
libc-memory_CFLAGS := -Dmemcpy=tested_memcpy -Dmemmove=tested_memmove -Dmemset=tested_memset \
    -fno-builtin -Wno-unknown-attributes
