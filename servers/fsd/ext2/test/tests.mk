# Host tests of the ext2 core: each is the core, the image helpers and one scenario.
EXT2_CORE := $(wildcard servers/fsd/ext2/*.c servers/fsd/ext2/journal/*.c)
EXT2_TEST := servers/fsd/ext2/test
EXT2_TEST_COMMON := $(EXT2_CORE) $(EXT2_TEST)/image.c $(EXT2_TEST)/paths.c

HOST_TESTS += ext2_names ext2_files ext2_images ext2_cache ext2_model ext2_faults \
    ext2_damage ext2_transactions ext2_journal ext2_journal_model \
    ext2_journal_faults ext2_journal_crash ext2_adopt ext2_powercut
ext2_names_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_names.c
ext2_files_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_files.c
ext2_model_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/model.c $(EXT2_TEST)/test_model.c
ext2_images_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_images.c
ext2_cache_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_cache.c
ext2_faults_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_faults.c

# Power cuts: everything that a cut can make of a disk.
ext2_powercut_SOURCES := $(EXT2_TEST_COMMON) $(wildcard $(EXT2_TEST)/powercut/*.c) \
    $(EXT2_TEST)/test_powercut.c

# The model once more, with transactions that check what a journal will rely on.
ext2_transactions_SOURCES := $(filter-out %/transaction.c,$(ext2_model_SOURCES)) \
    $(EXT2_TEST)/transaction_check.c
ext2_transactions_CFLAGS := -DSEEDS=3

# The model and the faults once more, with journals.
ext2_journal_model_SOURCES := $(ext2_model_SOURCES)
ext2_journal_model_CFLAGS := -DJOURNALED -DSEEDS=12
ext2_journal_faults_SOURCES := $(ext2_faults_SOURCES)
ext2_journal_faults_CFLAGS := -DJOURNALED
ext2_journal_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_journal.c
ext2_adopt_CFLAGS := -DEXT2_STORE_HOOK=store_hook
ext2_adopt_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_adopt.c
ext2_journal_crash_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/test_journal_crash.c

# Damaged images: a poisoned gap behind every cached block shows accesses that leave it.
EXT2_DAMAGE := $(EXT2_TEST)/damage.c $(EXT2_TEST)/make_image.c
ext2_damage_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_DAMAGE) $(EXT2_TEST)/test_damage.c
ext2_damage_CFLAGS := -DEXT2_FRAME_GAP=64

FUZZERS += ext2
ext2_SOURCES := $(EXT2_CORE) $(EXT2_TEST)/paths.c $(EXT2_DAMAGE) $(EXT2_TEST)/fuzz_ext2.c
ext2_CFLAGS := -DEXT2_FRAME_GAP=64

FUZZERS += ext2_journal_fuzz
ext2_journal_fuzz_SOURCES := $(EXT2_TEST_COMMON) $(EXT2_TEST)/damage.c $(EXT2_TEST)/fuzz_journal.c
ext2_journal_fuzz_CFLAGS := -DEXT2_FRAME_GAP=64
