# Host tests of what lies around the ext2 core: making file systems, and fsd's messages.
HOST_TESTS += fsd_make fsd_messages
fsd_make_SOURCES = $(EXT2_TEST_COMMON) servers/fsd/test/make_test.c

FSD = $(wildcard servers/fsd/*.c) $(EXT2_CORE) servers/fsd/test/serve.c
fsd_messages_SOURCES = $(HOST) $(FSD) $(EXT2_TEST)/image.c servers/fsd/test/messages_test.c
fsd_messages_CFLAGS = $(HOST_FLAGS)

FUZZERS += fsd_messages_fuzz
fsd_messages_fuzz_SOURCES = $(HOST) $(FSD) servers/fsd/test/messages_fuzz.c
fsd_messages_fuzz_CFLAGS = $(HOST_FLAGS)

HOST_TESTS += fsd_keep
fsd_keep_SOURCES = servers/fsd/keep.c servers/fsd/test/keep_test.c

HOST_TESTS += fsd_jobs
fsd_jobs_SOURCES = servers/fsd/jobs.c servers/fsd/test/jobs_test.c
fsd_jobs_CFLAGS = -Iuser/libcairn/test/host
