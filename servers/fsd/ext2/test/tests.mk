# Host tests of the ext2 core: each is the core, the image helpers and one scenario.
EXT2_CORE := $(wildcard servers/fsd/ext2/*.c)
EXT2_TEST := servers/fsd/ext2/test
EXT2_TEST_COMMON := $(EXT2_CORE) $(EXT2_TEST)/image.c $(EXT2_TEST)/paths.c

HOST_TESTS += ext2_names ext2_files ext2_model
ext2_names_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_names.c
ext2_files_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_files.c
ext2_model_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/model.c $(EXT2_TEST)/test_model.c
