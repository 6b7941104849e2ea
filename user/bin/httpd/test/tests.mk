# The strings of httpd's requests; grade/on_host has the whole program.
FUZZERS += httpd_fuzz
httpd_fuzz_SOURCES := user/bin/httpd/request.c user/bin/httpd/test/httpd_fuzz.c
httpd_fuzz_CFLAGS := -Iuser/bin/httpd
httpd_fuzz_CORPUS := user/bin/httpd/test/fuzz/httpd_fuzz
