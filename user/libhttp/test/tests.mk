# Host tests of libhttp: its pure parts, and the client against servers of the test's.
HTTP_PURE := user/libhttp/head.c user/libhttp/body.c user/libhttp/url.c

HOST_TESTS += http_parser http_client
http_parser_SOURCES := $(HTTP_PURE) user/libhttp/test/parser_test.c
http_parser_CFLAGS := -Iuser/libcairn/test
http_client_SOURCES := $(wildcard user/libhttp/*.c) user/libhttp/test/client_test.c
http_client_CFLAGS := -Iuser/libcairn/test -pthread

FUZZERS += http_fuzz
http_fuzz_SOURCES := $(HTTP_PURE) user/libhttp/test/http_fuzz.c
http_fuzz_CORPUS := user/libhttp/test/fuzz/http_fuzz
