EDIT_DIR := user/bin/edit
EDIT_SOURCES := $(filter-out $(EDIT_DIR)/main.c,$(wildcard $(EDIT_DIR)/*.c))

HOST_TESTS += edit
edit_SOURCES := $(EDIT_SOURCES) $(EDIT_DIR)/test/edit_test.c

FUZZERS += edit_fuzz
edit_fuzz_SOURCES := $(EDIT_SOURCES) $(EDIT_DIR)/test/edit_fuzz.c
edit_fuzz_CORPUS := $(EDIT_DIR)/test/fuzz/edit_fuzz
