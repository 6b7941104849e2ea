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

HOST_TESTS += libc-address libc-getaddrinfo libc-tables
libc-address_SOURCES := user/libc/test/address_test.c user/libc/net/address.c
libc-address_CFLAGS := -Dinet_pton=tested_inet_pton -Dinet_ntop=tested_inet_ntop \
    -Dinet_aton=tested_inet_aton -Dinet_addr=tested_inet_addr -Dinet_ntoa=tested_inet_ntoa \
    -Din6addr_any=tested_in6addr_any -Din6addr_loopback=tested_in6addr_loopback
libc-getaddrinfo_SOURCES := user/libc/test/getaddrinfo_test.c user/libc/net/getaddrinfo.c \
    user/libc/net/getnameinfo.c user/libc/net/sockaddr.c
libc-getaddrinfo_CFLAGS := -Dgetaddrinfo=tested_getaddrinfo -Dfreeaddrinfo=tested_freeaddrinfo \
    -Dgetnameinfo=tested_getnameinfo -Dgai_strerror=tested_gai_strerror
libc-tables_SOURCES := user/libc/test/tables_test.c user/libc/net/tables.c
