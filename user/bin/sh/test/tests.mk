SH_DIR := user/bin/sh
SH_SOURCES := $(filter-out $(SH_DIR)/main.c $(SH_DIR)/os_cairn.c, \
    $(shell find $(SH_DIR) -name '*.c' -not -path '*/test/*')) $(SH_DIR)/test/os_host.c

HOST_TESTS += sh_compare
sh_compare_SOURCES := $(SH_SOURCES) $(SH_DIR)/test/scripts.c $(SH_DIR)/test/compare_test.c
