# netd whole, on a device of the test: its messages.
NETD = $(HOST) $(HOST_VIRTIO) $(wildcard servers/netd/*.c servers/netd/driver/*.c) \
    $(shell find servers/netd/stack -name '*.c' -not -path '*/test/*') \
    servers/netd/test/serve.c user/libcairn/textfile.c user/libcairn/textserver.c
NETD_FLAGS = $(HOST_FLAGS) $(HOST_VIRTIO_FLAGS)
HOST_TESTS += netd_messages
netd_messages_SOURCES = $(NETD) servers/netd/test/messages_test.c
netd_messages_CFLAGS = $(NETD_FLAGS)

FUZZERS += netd_messages_fuzz
netd_messages_fuzz_SOURCES = $(NETD) servers/netd/test/messages_fuzz.c
netd_messages_fuzz_CFLAGS = $(NETD_FLAGS)
