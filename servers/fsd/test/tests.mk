# Host tests of what lies around the ext2 core: making file systems.
HOST_TESTS += fsd_make
fsd_make_SOURCES = $(EXT2_TEST_COMMON) servers/fsd/test/make_test.c
