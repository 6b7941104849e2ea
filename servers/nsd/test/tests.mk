nsd_CORE := servers/nsd/nametable.c servers/nsd/nameview.c

HOST_TESTS += nsd_nametable nsd_nametable_random
nsd_nametable_SOURCES := $(nsd_CORE) servers/nsd/test/nametable_test.c
nsd_nametable_random_SOURCES := $(nsd_CORE) servers/nsd/test/name_model.c \
    servers/nsd/test/nametable_random_test.c

FUZZERS += nsd_nametable_fuzz
nsd_nametable_fuzz_SOURCES := $(nsd_CORE) servers/nsd/test/name_model.c \
    servers/nsd/test/nametable_fuzz.c
nsd_nametable_fuzz_CORPUS := servers/nsd/test/fuzz/nsd_nametable_fuzz

# Whole: its messages.
NSD = $(HOST) $(wildcard servers/nsd/*.c) servers/nsd/test/serve.c user/libcairn/textfile.c
HOST_TESTS += nsd_messages
nsd_messages_SOURCES = $(NSD) servers/nsd/test/messages_test.c
nsd_messages_CFLAGS = $(HOST_FLAGS)

FUZZERS += nsd_messages_fuzz
nsd_messages_fuzz_SOURCES = $(NSD) servers/nsd/test/messages_fuzz.c
nsd_messages_fuzz_CFLAGS = $(HOST_FLAGS)
nsd_messages_fuzz_CORPUS := servers/nsd/test/fuzz/nsd_messages_fuzz

HOST_TESTS += nsd_mortal
nsd_mortal_SOURCES = $(MORTAL) $(wildcard servers/nsd/*.c) user/libcairn/textfile.c \
    servers/nsd/test/mortal_test.c
nsd_mortal_CFLAGS = $(MORTAL_FLAGS)
