HOST_TESTS += consoled_line
consoled_line_SOURCES := servers/consoled/line_discipline.c \
    servers/consoled/test/line_model.c servers/consoled/test/line_discipline_test.c

FUZZERS += consoled_line_fuzz
consoled_line_fuzz_SOURCES := servers/consoled/line_discipline.c \
    servers/consoled/test/line_model.c servers/consoled/test/line_fuzz.c
consoled_line_fuzz_CORPUS := servers/consoled/test/fuzz/consoled_line_fuzz

# Whole, with a serial device of the test: its messages.
CONSOLED = $(HOST) $(HOST_VIRTIO) $(wildcard servers/consoled/*.c servers/consoled/driver/*.c \
    servers/consoled/port/*.c) servers/consoled/test/serve.c
CONSOLED_FLAGS = $(HOST_FLAGS) $(HOST_VIRTIO_FLAGS)
HOST_TESTS += consoled_messages
consoled_messages_SOURCES = $(CONSOLED) servers/consoled/test/messages_test.c
consoled_messages_CFLAGS = $(CONSOLED_FLAGS)

FUZZERS += consoled_messages_fuzz
consoled_messages_fuzz_SOURCES = $(CONSOLED) servers/consoled/test/messages_fuzz.c
consoled_messages_fuzz_CFLAGS = $(CONSOLED_FLAGS)

# What is kept of a port.
HOST_TESTS += consoled_keep
consoled_keep_SOURCES := $(wildcard servers/consoled/port/*.c) servers/consoled/line_discipline.c \
    servers/consoled/test/keep_test.c
