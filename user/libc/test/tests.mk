HOST_TESTS += libc-path libc-fd libc-getopt libc-glob libc-memory

libc-path_SOURCES := user/libc/test/path_test.c user/libc/file/path.c
libc-fd_SOURCES := user/libc/test/fd_test.c user/libc/file/fd.c
libc-fd_CFLAGS := -Iuser/libc/test/host
libc-getopt_SOURCES := user/libc/test/getopt_test.c user/libc/system/getopt.c
libc-getopt_CFLAGS := -Dgetopt=tested_getopt -Dgetopt_long=tested_getopt_long \
    -Dgetopt_long_only=tested_getopt_long_only -Doptarg=tested_optarg -Doptind=tested_optind \
    -Dopterr=tested_opterr -Doptopt=tested_optopt
libc-glob_SOURCES := user/libc/test/glob_test.c user/libc/file/glob.c
libc-glob_CFLAGS := -Dglob=tested_glob -Dglobfree=tested_globfree
libc-memory_SOURCES := user/libc/test/memory_test.c user/libc/system/memory.c
libc-memory_CFLAGS := -Dmemcpy=tested_memcpy -Dmemmove=tested_memmove -Dmemset=tested_memset \
    -fno-builtin -Wno-unknown-attributes
