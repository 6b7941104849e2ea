# Host tests of randd's generator.
HOST_TESTS += rand_generator
rand_generator_SOURCES := servers/randd/test/generator_test.c servers/randd/generator.c \
    servers/randd/chacha20.c
rand_generator_CFLAGS := -Iservers/randd -Iuser/libvirtio/test

# Whole, with a device of the test: its messages.
RANDD = $(HOST) $(HOST_VIRTIO) $(wildcard servers/randd/*.c) servers/randd/test/serve.c
RANDD_FLAGS = $(HOST_FLAGS) $(HOST_VIRTIO_FLAGS) -Iservers/randd
HOST_TESTS += rand_messages
rand_messages_SOURCES = $(RANDD) servers/randd/test/messages_test.c
rand_messages_CFLAGS = $(RANDD_FLAGS)

FUZZERS += rand_messages_fuzz
rand_messages_fuzz_SOURCES = $(RANDD) servers/randd/test/messages_fuzz.c
rand_messages_fuzz_CFLAGS = $(RANDD_FLAGS)
