grep_regex_CORE := user/bin/grep/parse.c user/bin/grep/match.c

HOST_TESTS += grep_regex
grep_regex_SOURCES := $(grep_regex_CORE) user/bin/grep/test/regex_test.c

FUZZERS += grep_regex_fuzz
grep_regex_fuzz_SOURCES := $(grep_regex_CORE) user/bin/grep/test/regex_fuzz.c
grep_regex_fuzz_CORPUS := user/bin/grep/test/fuzz/grep_regex_fuzz
