# The decoder and the filters of tcpdump; grade/on_host has the whole program.
FUZZERS += tcpdump_fuzz
tcpdump_fuzz_SOURCES := $(filter-out %/main.c,$(wildcard user/bin/tcpdump/*.c)) \
    user/bin/tcpdump/test/tcpdump_fuzz.c
tcpdump_fuzz_CFLAGS := -Iuser/bin/tcpdump
tcpdump_fuzz_CORPUS := user/bin/tcpdump/test/fuzz/tcpdump_fuzz
