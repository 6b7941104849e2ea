FUZZERS += diff_script_fuzz
diff_script_fuzz_SOURCES := user/bin/diff/script.c user/bin/diff/test/script_fuzz.c
diff_script_fuzz_CORPUS := user/bin/diff/test/fuzz/diff_script_fuzz
