HOST_TESTS += piped_pipe
piped_pipe_SOURCES := servers/piped/pipe.c servers/piped/test/pipe_stream.c \
    servers/piped/test/pipe_test.c

FUZZERS += piped_pipe_fuzz
piped_pipe_fuzz_SOURCES := servers/piped/pipe.c servers/piped/test/pipe_stream.c \
    servers/piped/test/pipe_fuzz.c
piped_pipe_fuzz_CORPUS := servers/piped/test/fuzz/piped_pipe_fuzz

# Whole: its messages.
PIPED = $(HOST) $(wildcard servers/piped/*.c) servers/piped/test/serve.c \
    user/libcairn/textfile.c user/libcairn/textserver.c
HOST_TESTS += piped_messages
piped_messages_SOURCES = $(PIPED) servers/piped/test/messages_test.c
piped_messages_CFLAGS = $(HOST_FLAGS)

FUZZERS += piped_messages_fuzz
piped_messages_fuzz_SOURCES = $(PIPED) servers/piped/test/messages_fuzz.c
piped_messages_fuzz_CFLAGS = $(HOST_FLAGS)

HOST_TESTS += piped_mortal
piped_mortal_SOURCES := servers/piped/pipe.c servers/piped/test/pipe_mortal_test.c \
    user/libcairn/test/mortal.c
