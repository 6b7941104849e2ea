# Host tests and the fuzz target of blkd's request checks and scheduling.
HOST_TESTS += blk_request blk_disk
blk_request_SOURCES := servers/blkd/test/request_test.c servers/blkd/request.c
blk_request_CFLAGS := -Iservers/blkd -Iuser/libvirtio/test
blk_disk_SOURCES := servers/blkd/test/disk_test.c servers/blkd/disk.c servers/blkd/request.c
blk_disk_CFLAGS := -Iservers/blkd -Iuser/libvirtio/test

FUZZERS += blk_fuzz
blk_fuzz_SOURCES := servers/blkd/test/blk_fuzz.c servers/blkd/disk.c servers/blkd/request.c
blk_fuzz_CFLAGS := -Iservers/blkd
blk_fuzz_CORPUS := servers/blkd/test/fuzz/blk_fuzz
