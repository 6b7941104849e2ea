HOST_TESTS += piped_pipe
piped_pipe_SOURCES := servers/piped/pipe.c servers/piped/test/pipe_stream.c \
    servers/piped/test/pipe_test.c

FUZZERS += piped_pipe_fuzz
piped_pipe_fuzz_SOURCES := servers/piped/pipe.c servers/piped/test/pipe_stream.c \
    servers/piped/test/pipe_fuzz.c
piped_pipe_fuzz_CORPUS := servers/piped/test/fuzz/piped_pipe_fuzz
