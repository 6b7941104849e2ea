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

# Whole, on disks of the test: its messages.
BLKD = $(HOST) $(HOST_VIRTIO) $(wildcard servers/blkd/*.c) servers/blkd/test/serve.c
BLKD_FLAGS = $(HOST_FLAGS) $(HOST_VIRTIO_FLAGS) -Iservers/blkd
HOST_TESTS += blk_messages
blk_messages_SOURCES = $(BLKD) servers/blkd/test/messages_test.c
blk_messages_CFLAGS = $(BLKD_FLAGS)

FUZZERS += blk_messages_fuzz
blk_messages_fuzz_SOURCES = $(BLKD) servers/blkd/test/messages_fuzz.c
blk_messages_fuzz_CFLAGS = $(BLKD_FLAGS)

HOST_TESTS += blk_mortal
blk_mortal_SOURCES = $(MORTAL) servers/blkd/main.c servers/blkd/requests.c servers/blkd/request.c \
    servers/blkd/session.c servers/blkd/file_protocol.c servers/blkd/block_protocol.c \
    servers/blkd/test/mortal_test.c
blk_mortal_CFLAGS = $(MORTAL_FLAGS) -Iservers/blkd -Iuser/libvirtio/include
