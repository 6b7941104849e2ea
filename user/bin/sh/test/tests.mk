SH_DIR := user/bin/sh
SH_TEST := $(SH_DIR)/test
SH_SOURCES := $(filter-out $(SH_DIR)/main.c $(SH_DIR)/os_cairn.c, \
    $(shell find $(SH_DIR) -name '*.c' -not -path '*/test/*')) $(SH_TEST)/os_host.c
SH_SYNTAX := $(wildcard $(SH_DIR)/base/*.c $(SH_DIR)/syntax/*.c)
SH_EXPAND := $(SH_SYNTAX) $(wildcard $(SH_DIR)/expand/*.c) $(SH_DIR)/run/variables.c
SH_LINE := $(SH_DIR)/base/arena.c $(SH_DIR)/base/text.c $(SH_DIR)/line/editor.c \
    $(SH_DIR)/line/history.c

HOST_TESTS += sh_compare sh_parts
sh_compare_SOURCES := $(SH_SOURCES) $(SH_TEST)/scripts.c $(SH_TEST)/compare_test.c
sh_parts_SOURCES := $(SH_SOURCES) $(SH_TEST)/scripts.c $(SH_TEST)/parts_test.c

FUZZERS += sh_syntax_fuzz sh_expand_fuzz sh_line_fuzz
sh_syntax_fuzz_SOURCES := $(SH_SYNTAX) $(SH_TEST)/syntax_fuzz.c
sh_syntax_fuzz_CORPUS := $(SH_TEST)/fuzz/sh_syntax_fuzz
sh_expand_fuzz_SOURCES := $(SH_EXPAND) $(SH_TEST)/expand_fuzz.c
sh_expand_fuzz_CORPUS := $(SH_TEST)/fuzz/sh_expand_fuzz
sh_line_fuzz_SOURCES := $(SH_LINE) $(SH_TEST)/line_fuzz.c
sh_line_fuzz_CORPUS := $(SH_TEST)/fuzz/sh_line_fuzz
