HOST_TESTS += consoled_line
consoled_line_SOURCES := servers/consoled/line_discipline.c \
    servers/consoled/test/line_model.c servers/consoled/test/line_discipline_test.c

FUZZERS += consoled_line_fuzz
consoled_line_fuzz_SOURCES := servers/consoled/line_discipline.c \
    servers/consoled/test/line_model.c servers/consoled/test/line_fuzz.c
consoled_line_fuzz_CORPUS := servers/consoled/test/fuzz/consoled_line_fuzz
