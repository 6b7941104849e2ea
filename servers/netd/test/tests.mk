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

# The stack in a shared library, for testers of TCP that drive it by scripts.
PACKETDRILL := $(BUILD)/host/libcairn-packetdrill.so
PACKETDRILL_SOURCES := $(wildcard servers/netd/stack/test/packetdrill/*.c) \
    $(shell find servers/netd/stack -name '*.c' -not -path '*/test/*')
$(PACKETDRILL): $(PACKETDRILL_SOURCES) $(shell find servers/netd/stack -name '*.h')
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -g -O1 -D_GNU_SOURCE $(WARN) -Wno-gnu -fPIC -shared -fvisibility=hidden \
	    -Ikernel -Iservers $(PACKETDRILL_SOURCES) -lpthread -o $@
.PHONY: packetdrill-adapter
packetdrill-adapter: $(PACKETDRILL) ## the stack as a library for packetdrill (--so_filename)
